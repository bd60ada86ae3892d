"""In which language and by which clock holders of accounts read."""

import sqlalchemy as sa
from alembic import op

revision = "reading_choices"
down_revision = "teams"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "reading_choices",
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), primary_key=True),
        sa.Column("language", sa.Text),
        sa.Column("time_zone", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
