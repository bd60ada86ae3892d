"""Which journeys a ship is on; those of before are noted by the service, which has the keys."""

import sqlalchemy as sa
from alembic import op

revision = "ship_journeys"
down_revision = "drawn_shares"


def upgrade() -> None:
    """Make the tables; say from which place on journeys are noted."""
    op.create_table(
        "ship_journeys",
        sa.Column("journey_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("mmsi", sa.Text, primary_key=True),
        sa.Column("declared_at", sa.Text, nullable=False),
        sa.Column("begins_at", sa.Text, nullable=False),
        sa.Column("due_at", sa.Text, nullable=False),
        sa.Column("noted_at", sa.Text, nullable=False),
        sa.Column("is_withdrawn", sa.Integer, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index(
        "ship_journeys_by_ship", "ship_journeys", ["mmsi", "due_at"], if_not_exists=True
    )
    op.create_table(
        "ship_journeys_from",
        sa.Column("seq", _PLACE, nullable=False),
        sa.Column("record_id", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.execute(
        "INSERT INTO ship_journeys_from (seq, record_id) "
        "SELECT coalesce(max(seq), 0) + 1, '' FROM decisions "
        "WHERE NOT EXISTS (SELECT 1 FROM ship_journeys_from)"
    )


_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
