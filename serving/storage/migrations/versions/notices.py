"""Notices to holders of accounts: what happened to which case, and whether they have read it."""

import sqlalchemy as sa
from alembic import op

revision = "notices"
down_revision = "reading_choices"

_TEXTS = ("holder", "case_id", "kind", "at", "actor")


def upgrade() -> None:
    """Make the table, with an index by holder."""
    of_case = {"case_id": (sa.ForeignKey("cases.case_id"),)}
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, *of_case.get(name, ()), nullable=False) for name in _TEXTS),
        sa.Column("actor_name", sa.Text),
        sa.Column("read_at", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index("notices_by_holder", "notices", ["holder", "at"], if_not_exists=True)
    op.create_index("notices_by_case", "notices", ["case_id"], if_not_exists=True)
