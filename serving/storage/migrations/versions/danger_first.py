"""From when on who waits to be scored again is in danger, so that they come before all others."""

import sqlalchemy as sa
from alembic import op

revision = "danger_first"
down_revision = "untold_news"


def upgrade() -> None:
    """Add the column; of who waits already, nobody says why."""
    columns = [each["name"] for each in sa.inspect(op.get_bind()).get_columns("due_rescorings")]
    if "danger_at" not in columns:
        op.add_column("due_rescorings", sa.Column("danger_at", sa.Text))
