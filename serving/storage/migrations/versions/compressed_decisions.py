"""What is encrypted of a decision is compressed from now on; what was kept before stays as it is.

Nothing changes in the tables: an older release could not read what is written after this.
"""

revision = "compressed_decisions"
down_revision = "shipment_journeys"


def upgrade() -> None:
    """Let older releases refuse the database."""
