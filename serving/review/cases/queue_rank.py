"""The order of the review queue: what can still be stopped first, of that the riskiest first."""

from serving.audit.decision import Decision
from serving.triage.lane_rule import Lane

# Control cases stand among inspections and look like them, so that they get the same diligence.
QUEUE_RANK: dict[Lane, int] = {
    "rescue": 0,
    "inspect": 1,
    "control": 1,
    "document_check": 2,
    "post_review": 3,
}

ALWAYS_IN_TIME: tuple[Lane, ...] = ("rescue", "post_review")
"""Lanes whose cases no time is over for: people are searched for, and reviews come afterwards."""

UNKNOWN_RISK = 1.0
"""The risk of what has no score: nothing known never counts as little."""


def risk_of(decision: Decision) -> float:
    """Return the order of the queue: probability of a find, times its harm if weighed."""
    if decision.probability is None or decision.lane == "rescue":
        return UNKNOWN_RISK
    return decision.probability * (decision.harm_ratio or 1.0)
