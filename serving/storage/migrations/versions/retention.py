"""What was done about the end of data."""

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.append_only import refuse_changes

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
    refuse_changes("retention_acts", _NEVER)


_TEXTS = ("at", "action", "by", "because", "details")
