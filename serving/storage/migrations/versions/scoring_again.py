"""Subjects that are scored again: their further decisions, and who waits to be scored."""

import sqlalchemy as sa
from alembic import op

revision = "scoring_again"
down_revision = "rescue_acknowledgements"

_ADDED = (("decisions", "rescores"), ("decisions", "lane_before"), ("cases", "decision_id"))


def upgrade() -> None:
    """Make the columns and tables."""
    found = sa.inspect(op.get_bind())
    for table, column in _ADDED:
        if column not in {each["name"] for each in found.get_columns(table)}:
            op.add_column(table, sa.Column(column, sa.Text))
    op.create_index("decisions_by_first", "decisions", ["rescores"], if_not_exists=True)
    op.create_table(
        "due_rescorings",
        sa.Column("subject_kind", sa.Text, primary_key=True),
        sa.Column("subject_id", sa.Text, primary_key=True),
        sa.Column("due_at", sa.Text, nullable=False),
        sa.Column("arrivals", sa.Integer, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index("due_rescorings_by_instant", "due_rescorings", ["due_at"], if_not_exists=True)
    op.create_table(
        "rescorings_found_to",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
