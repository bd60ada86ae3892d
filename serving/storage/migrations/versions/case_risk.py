"""The risk of each case, by which the queue is ordered."""

import sqlalchemy as sa
from alembic import op

revision = "case_risk"
down_revision = "case_scores"

RISK_OF_CASES = (
    "UPDATE cases SET risk = COALESCE((SELECT d.probability FROM decisions d "
    "WHERE d.decision_id = COALESCE(cases.decision_id, cases.case_id) AND d.lane <> 'rescue'), 1) "
    "WHERE risk IS NULL"
)
"""The probability of what was decided; the harm of a find stands in what is encrypted."""


def upgrade() -> None:
    """Make the column with its index, fill it, and drop the index of the order before."""
    columns = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("cases")}
    if "risk" not in columns:
        op.add_column("cases", sa.Column("risk", sa.Float(53).with_variant(sa.REAL(), "sqlite")))
    op.execute(RISK_OF_CASES)
    op.create_index(
        "cases_by_risk", "cases", [sa.text("risk DESC"), "due_at", "case_id"], if_not_exists=True
    )
    op.drop_index("cases_by_urgency", "cases", if_exists=True)
