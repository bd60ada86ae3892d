"""What a closed case teaches: an outcome, with how its subject was selected."""

from datetime import datetime

from features.records import Outcome, SelectedBy
from serving.audit.decision import Decision
from serving.history.received_records import ReceivedRecord
from serving.review.dispositions import MEANING, Disposition
from serving.triage.lane_rule import LaneReason

SELECTED_BY: dict[LaneReason, SelectedBy] = {
    "life_at_risk": "intelligence",
    "watch_list": "intelligence",
    "rule": "rule",
    "score": "model",
    "random": "random",
    "no_score": "discretion",
}


def label_of(
    decision: Decision, disposition: Disposition, reviewer: str, at: datetime
) -> tuple[Outcome, ReceivedRecord] | None:
    """The outcome that a disposition states, as record and as row; None where nobody looked."""
    result = MEANING[disposition.code].result
    if result is None:
        return None
    outcome = Outcome(
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        inspected_at=at,
        known_at=at,
        result=result,
        selected_by=SELECTED_BY[decision.lane_reason],
        selection_probability=decision.selection_probability,
    )
    row = ReceivedRecord(
        kind="outcomes",
        record_id=f"{decision.decision_id}:{at.isoformat()}",
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        received_at=at.isoformat(),
        caller_id=reviewer,
        body=outcome.model_dump_json(),
        purpose=decision.purpose,
    )
    return outcome, row
