"""A distress alert can be ended: who took it, what was proposed, and when it was over."""

import sqlalchemy as sa
from alembic import op

revision = "alert_ends"
down_revision = "log_times"


def upgrade() -> None:
    """Add the columns; no alert of an earlier release was ended."""
    found = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("distress_alerts")}
    for name in ("ended_at", "state"):
        if name not in found:
            op.add_column("distress_alerts", sa.Column(name, sa.Text))
