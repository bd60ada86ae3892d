"""What a closed case teaches: an outcome, with how its subject was selected."""

from datetime import datetime

from features.records import OF_DOCUMENTS, Outcome, Result, SelectedBy
from serving.audit.decision import Decision
from serving.history.received_records import ReceivedRecord
from serving.review.dispositions import MEANING, Disposition
from serving.triage.lane_rule import VISITED, LaneReason

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
    result = _result(decision, disposition)
    if result is None:
        return None
    selected_by, probability = _selection(decision, result)
    outcome = Outcome(
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        inspected_at=at,
        known_at=at,
        result=result,
        selected_by=selected_by,
        selection_probability=probability,
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


def _result(decision: Decision, disposition: Disposition) -> Result | None:
    if disposition.code == "document_irregularity" and decision.lane not in VISITED:
        return "documents_irregular"
    return MEANING[disposition.code].result


def _selection(decision: Decision, result: Result) -> tuple[SelectedBy, float | None]:
    """How the subject came to be looked into so, and how probable that was."""
    selected_by = SELECTED_BY[decision.lane_reason]
    if result in OF_DOCUMENTS:
        return selected_by, decision.lane_probabilities.get("document_check")
    if decision.lane not in VISITED:
        # No lane sent anybody there: an officer went on from the documents, or of their own accord.
        return "discretion", None
    if selected_by in ("intelligence", "discretion"):
        return selected_by, None
    return selected_by, decision.selection_probability
