"""One log of who read, decided, signed in or changed what."""

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.append_only import refuse_changes

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
    refuse_changes("audit_events", _NEVER)
