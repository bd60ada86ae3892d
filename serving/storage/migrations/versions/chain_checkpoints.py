"""Checkpoints of all chains, and how far each witness has them."""

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.append_only import refuse_changes

revision = "chain_checkpoints"
down_revision = "signing_in"

_NEVER = "what was appended is never changed"
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and let the database refuse any change of a checkpoint."""
    op.create_table(
        "chain_checkpoints",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_table(
        "witness_progress",
        sa.Column("witness", sa.Text, primary_key=True),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    refuse_changes("chain_checkpoints", _NEVER)
