"""What cases are to be told of: outcomes, and by now later declarations and decisions too."""

import sqlalchemy as sa
from alembic import op

revision = "untold_news"
down_revision = "kept_messages"


def upgrade() -> None:
    """Rename the table; where both names are there, steps taken again made the old."""
    if not sa.inspect(op.get_bind()).has_table("untold_news"):
        op.rename_table("waiting_outcomes", "untold_news")
    else:
        op.drop_table("waiting_outcomes", if_exists=True)
