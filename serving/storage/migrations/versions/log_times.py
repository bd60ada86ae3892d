"""Rows that the clock dated before the row that precedes them say from when they count.

Older rows are as they were; retention finds those among them that are out of order.
"""

import sqlalchemy as sa
from alembic import op

revision = "log_times"
down_revision = "compressed_decisions"


def upgrade() -> None:
    """Add the columns, and an index over the few rows that have one."""
    for table in ("decisions", "records"):
        found = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
        if "logged_at" not in found:
            op.add_column(table, sa.Column("logged_at", sa.Text))
        is_set = sa.text("logged_at IS NOT NULL")
        op.create_index(
            f"{table}_behind",
            table,
            ["logged_at"],
            if_not_exists=True,
            sqlite_where=is_set,
            postgresql_where=is_set,
        )
