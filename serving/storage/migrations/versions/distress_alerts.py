"""Calls for help of whom nobody declared are told to rescuers, each emergency once."""

import sqlalchemy as sa
from alembic import op

revision = "distress_alerts"
down_revision = "ship_journeys"


def upgrade() -> None:
    """Make the table; calls of before are not told."""
    op.create_table(
        "distress_alerts",
        sa.Column("alert_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in _ALERTED),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Text, nullable=False),
        sa.Column("delivered_at", sa.Text),
        sa.Column("step", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text) for name in _ANSWERED),
        sa.Column("decision_id", sa.Text, sa.ForeignKey("decisions.decision_id")),
        sa.Column("journey_id", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
    for name, column in _INDICES.items():
        op.create_index(name, "distress_alerts", [column], if_not_exists=True)


_ALERTED = ("subject_id", "record_id", "heard_at", "opened_at")
_ANSWERED = ("goes_on_at", "acknowledged_at", "acknowledged_by")
_INDICES = {
    "distress_alerts_by_subject": "subject_id",
    "distress_alerts_by_rescue": "decision_id",
}
