"""One log of who read, decided, signed in or changed what."""

import sqlalchemy as sa
from alembic import op

revision = "audit_log"
down_revision = "scoring_again"

_NEVER = "what was appended is never changed"
_TEXTS = ("at", "actor", "actor_name", "action", "object_kind", "object_id", "details")


def upgrade() -> None:
    """Make the table, and let the database refuse any change of what was done."""
    op.create_table(
        "audit_events",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        *(sa.Column(name, sa.Text, nullable=False) for name in _TEXTS),
        sa.Column("chain", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    for name, first in (("object", ("object_kind", "object_id")), ("actor", ("actor",))):
        op.create_index(
            f"audit_events_by_{name}", "audit_events", [*first, "seq"], if_not_exists=True
        )
    if op.get_context().dialect.name == "postgresql":
        _refuse_changes_in_postgresql()
    else:
        _refuse_changes_in_sqlite()


def _refuse_changes_in_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER IF NOT EXISTS audit_events_refuse_{change.lower()} "
            f"BEFORE {change} ON audit_events BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        )


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_NEVER}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for change in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE OR REPLACE TRIGGER audit_events_refuse_{change.lower()} BEFORE {change} "
            "ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse()"
        )
