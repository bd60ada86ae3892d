"""What became of cases, for other systems: events in strict order, which only grow."""

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.append_only import refuse_changes

revision = "published_events"
down_revision = "covered_rescorings"

_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXTS = ("case_id", "type", "at", "decision_id")


def upgrade() -> None:
    """Make the table, and let the database refuse any change of what was told."""
    of_case = {"case_id": (sa.ForeignKey("cases.case_id"),)}
    op.create_table(
        "published_events",
        sa.Column("seq", _PLACE, primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.Text, nullable=False, unique=True),
        *(sa.Column(name, sa.Text, *of_case.get(name, ()), nullable=False) for name in _TEXTS),
        sa.Column("office_id", sa.Text),
        sa.Column("left_office_id", sa.Text),
        sa.Column("details", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    refuse_changes("published_events", "what was told is never changed")
