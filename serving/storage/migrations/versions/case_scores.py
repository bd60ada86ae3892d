"""The scores of each case, and outcomes that came by themselves until their cases have them."""

import sqlalchemy as sa
from alembic import op

revision = "case_scores"
down_revision = "case_actions"

_TABLES: dict[str, tuple[dict[str, str | None], tuple[str, ...]]] = {
    "case_scores": (
        {"case_id": "cases.case_id", "decision_id": "decisions.decision_id"},
        ("scored_at", "lane"),
    ),
    "waiting_outcomes": ({"record_id": None}, ("subject_kind", "subject_id", "received_at")),
}

SCORES_OF_CASES = (
    "INSERT INTO case_scores (case_id, decision_id, scored_at, lane) "
    "SELECT c.case_id, d.decision_id, d.scored_at, d.lane FROM cases c JOIN decisions d "
    "ON d.decision_id = c.case_id OR d.rescores = c.case_id "
    "WHERE (d.lane = 'rescue') = (c.lane = 'rescue') AND NOT EXISTS (SELECT 1 FROM case_scores s "
    "WHERE s.case_id = c.case_id AND s.decision_id = d.decision_id)"
)
"""What was scored before there was a table for it."""


def upgrade() -> None:
    """Make the tables, and fill in the scores of the cases that are there."""
    for table, (keys, texts) in _TABLES.items():
        op.create_table(
            table,
            *(
                sa.Column(key, sa.Text, *([sa.ForeignKey(of)] if of else []), primary_key=True)
                for key, of in keys.items()
            ),
            *(sa.Column(name, sa.Text, nullable=False) for name in texts),
            sqlite_strict=True,
            if_not_exists=True,
        )
    op.execute(SCORES_OF_CASES)
