"""Filters of the queue and of searches that holders of accounts named for themselves."""

import sqlalchemy as sa
from alembic import op

revision = "saved_views"
down_revision = "case_tabs"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "saved_views",
        sa.Column("view_id", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("saved_at", sa.Text, nullable=False),
        sa.Column("first_code", sa.LargeBinary),
        sa.Column("last_code", sa.LargeBinary),
        sa.Column("encrypted", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index("saved_views_by_holder", "saved_views", ["holder"], if_not_exists=True)
    if op.get_bind().dialect.name == "postgresql":
        for column in ("first_code", "last_code"):
            op.execute(f"ALTER TABLE saved_views ALTER COLUMN {column} SET STATISTICS 0")
