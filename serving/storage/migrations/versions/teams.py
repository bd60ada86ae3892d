"""Teams with their inboxes, and in which inbox a case is."""

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.versions.case_tabs import COUNTED

revision = "teams"
down_revision = "saved_views"

_NOT_CLOSED = sa.text("status <> 'closed'")


def upgrade() -> None:
    """Make the table and the column, and the index that counts tabs with it."""
    op.create_table(
        "teams",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("office_id", sa.Text),
        sa.Column("members", sa.Text, nullable=False),
        sa.Column("arrivals", sa.Text),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.Column("disbanded_at", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
    columns = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("cases")}
    if "team" not in columns:
        op.add_column("cases", sa.Column("team", sa.Text))
        op.drop_index("cases_to_count", "cases", if_exists=True)
        op.create_index(
            "cases_to_count",
            "cases",
            [*COUNTED, "team"],
            sqlite_where=_NOT_CLOSED,
            postgresql_where=_NOT_CLOSED,
        )
