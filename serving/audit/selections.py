"""How a decision selected its subject for inspection, and with what probability.

Only the service draws, so only its decisions can state a draw and its probability.
"""

from datetime import datetime

from features.records import OF_DOCUMENTS, Result, SelectedBy
from serving.audit.decision import Decision
from serving.triage.lane_declarations import VISITED, Lane, LaneReason

SELECTED_BY: dict[LaneReason, SelectedBy] = {
    "life_at_risk": "intelligence",
    "watch_list": "intelligence",
    "rule": "rule",
    "score": "model",
    "random": "random",
    "no_score": "discretion",
}


def selection_of(
    decision: Decision, result: Result, inspected_at: datetime | None
) -> tuple[SelectedBy, float | None]:
    """Return how the subject was selected for a result, and the probability of that."""
    selected_by = SELECTED_BY[decision.lane_reason]
    if inspected_at is not None and inspected_at < decision.scored_at:
        # It began before the service asked for anything.
        return "discretion", None
    if selected_by in ("intelligence", "discretion"):
        return selected_by, None
    if result in OF_DOCUMENTS:
        own: Lane = "post_review" if decision.lane == "post_review" else "document_check"
        return selected_by, decision.lane_probabilities.get(own)
    if is_beyond_its_lane(decision.lane, result):
        # No lane sent anybody there: an officer went on from the documents, or of their own accord.
        return "discretion", None
    return selected_by, decision.selection_probability


def is_beyond_its_lane(lane: Lane, result: Result | None) -> bool:
    """Return whether somebody inspected although the lane sent nobody."""
    return result is not None and result not in OF_DOCUMENTS and lane not in VISITED
