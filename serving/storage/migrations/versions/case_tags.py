"""By which tags cases are found."""

import sqlalchemy as sa
from alembic import op

revision = "case_tags"
down_revision = "escalations"


def upgrade() -> None:
    """Make the table; no case has a tag yet."""
    op.create_table(
        "case_tags",
        sa.Column("case_id", sa.Text, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("encrypted_tag", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index("case_tags_by_token", "case_tags", ["token", "case_id"], if_not_exists=True)
    op.create_index("case_tags_by_place", "case_tags", ["seq"], if_not_exists=True)
