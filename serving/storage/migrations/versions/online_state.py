"""The online feature store, for workers that share one."""

import sqlalchemy as sa
from alembic import op

revision = "online_state"
down_revision = "accounts_and_sessions"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "state",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
