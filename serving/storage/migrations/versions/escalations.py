"""When a case was escalated, as long as that counts."""

import sqlalchemy as sa
from alembic import op

revision = "escalations"
down_revision = "undrawn_lanes"


def upgrade() -> None:
    """Make the column, with an index of the cases that are escalated."""
    columns = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("cases")}
    if "escalated_at" not in columns:
        op.add_column("cases", sa.Column("escalated_at", sa.Text))
    is_escalated = sa.text("escalated_at IS NOT NULL")
    op.create_index(
        "cases_escalated",
        "cases",
        ["escalated_at", "status"],
        if_not_exists=True,
        sqlite_where=is_escalated,
        postgresql_where=is_escalated,
    )
