"""Journeys that were only submitted with a shipment are noted too, from now on."""

import sqlalchemy as sa
from alembic import op

revision = "shipment_journeys"
down_revision = "distress_alerts"


def upgrade() -> None:
    """Add the column."""
    found = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("ship_journeys")}
    if "shipment_id" not in found:
        op.add_column("ship_journeys", sa.Column("shipment_id", sa.Text))
