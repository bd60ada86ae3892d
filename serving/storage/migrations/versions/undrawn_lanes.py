"""The lane that a visited subject would have come into, had it not been drawn for control.

What was summarised is made again from the log by the next report, which then knows it.
"""

import sqlalchemy as sa
from alembic import op

revision = "undrawn_lanes"
down_revision = "notices"


def upgrade() -> None:
    """Add the column, and forget what was summarised without it."""
    columns = [each["name"] for each in sa.inspect(op.get_bind()).get_columns("visits")]
    if "undrawn_lane" not in columns:
        column = sa.Column("undrawn_lane", sa.Text, nullable=False, server_default="")
        op.add_column("visits", column)
    for table in ("visits", "day_summaries", "summarised_to"):
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of this list
