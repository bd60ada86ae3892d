"""Room for what is encrypted, and the register of its keys.

Rows that are there stay as they are, and are read as they are: their chain was sealed. Summaries
of days are made anew, since visits are known by tokens from now on.
"""

import sqlalchemy as sa
from alembic import op

revision = "encryption"
down_revision = "monitoring"

_ADDED = (
    ("decisions", "encrypted", sa.LargeBinary),
    ("records", "outline", sa.Text),
    ("case_links", "told", sa.Text),
)
_MADE_ANEW = ("visits", "day_summaries", "summarised_to")


def upgrade() -> None:
    """Make the table and the columns."""
    op.create_table(
        "data_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("wrapping_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary),
        sa.Column("destroyed_at", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
    found = sa.inspect(op.get_bind())
    for table, column, kind in _ADDED:
        if column not in {each["name"] for each in found.get_columns(table)}:
            op.add_column(table, sa.Column(column, kind))
    for table in _MADE_ANEW:
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - names from above
