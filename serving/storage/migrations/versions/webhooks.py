"""Webhooks: the endpoints that are told of cases, and how far each was told."""

import sqlalchemy as sa
from alembic import op

revision = "webhooks"
down_revision = "case_search"

_ENDPOINT = ("url", "types", "offices", "created_at", "secret")
_ENDPOINT_LATER = ("former_secret", "former_secret_ends_at", "revoked_at")
_PROGRESS = (
    *("reached", "next_at", "failing_since", "reached_at", "failure", "off_at"),
    *("lease", "leased_until"),
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "webhook_endpoints",
        sa.Column("endpoint_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in _ENDPOINT),
        *(sa.Column(name, sa.Text) for name in _ENDPOINT_LATER),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_table(
        "webhook_progress",
        sa.Column(
            "endpoint_id", sa.Text, sa.ForeignKey("webhook_endpoints.endpoint_id"), primary_key=True
        ),
        sa.Column("attempts", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text) for name in _PROGRESS),
        sqlite_strict=True,
        if_not_exists=True,
    )
