"""What was done about the end of data."""

import sqlalchemy as sa
from alembic import op

revision = "retention"
down_revision = "switches"

_NEVER = "what was appended is never changed"


def upgrade() -> None:
    """Make the table, and let the database refuse any change of what was done."""
    texts = (sa.Column(name, sa.Text, nullable=False) for name in _TEXTS)
    op.create_table(
        "retention_acts",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *texts,
        sqlite_strict=True,
        if_not_exists=True,
    )
    if op.get_context().dialect.name == "postgresql":
        _refuse_changes_in_postgresql()
    else:
        _refuse_changes_in_sqlite()


_TEXTS = ("at", "action", "by", "because", "details")


def _refuse_changes_in_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER IF NOT EXISTS retention_acts_refuse_{change.lower()} "
            f"BEFORE {change} ON retention_acts BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        )


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION retention_acts_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_NEVER}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for change in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE OR REPLACE TRIGGER retention_acts_refuse_{change.lower()} BEFORE {change} "
            "ON retention_acts FOR EACH STATEMENT EXECUTE FUNCTION retention_acts_refuse()"
        )
