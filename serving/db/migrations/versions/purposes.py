"""What data may be used for: of a database, of its keys and records; and what was refused."""

import sqlalchemy as sa
from alembic import op

revision = "purposes"
down_revision = "retention"

_NEVER = "what was appended is never changed"
_ADDED = (("api_keys", "purposes"), ("records", "purpose"))


def upgrade() -> None:
    """Make the tables and columns, and let the database refuse any change of what was refused."""
    op.create_table(
        "bound_purpose",
        sa.Column("purpose", sa.Text, primary_key=True),
        sqlite_strict=True,
        if_not_exists=True,
    )
    texts = (sa.Column(name, sa.Text, nullable=False) for name in ("at", "caller_id", "purpose"))
    op.create_table(
        "refused_uses",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *texts,
        sa.Column("use", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    found = sa.inspect(op.get_bind())
    for table, column in _ADDED:
        if column not in {each["name"] for each in found.get_columns(table)}:
            op.add_column(table, sa.Column(column, sa.Text))
    if op.get_context().dialect.name == "postgresql":
        _refuse_changes_in_postgresql()
    else:
        _refuse_changes_in_sqlite()


def _refuse_changes_in_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER IF NOT EXISTS refused_uses_refuse_{change.lower()} "
            f"BEFORE {change} ON refused_uses BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        )


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION refused_uses_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_NEVER}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for change in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE OR REPLACE TRIGGER refused_uses_refuse_{change.lower()} BEFORE {change} "
            "ON refused_uses FOR EACH STATEMENT EXECUTE FUNCTION refused_uses_refuse()"
        )
