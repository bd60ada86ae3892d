"""The risk that orders cases of one rank in the review queue."""

from serving.audit.decision import Decision

# The risk of what has no score: nothing known never counts as little.
UNKNOWN_RISK = 1.0


def risk_of(decision: Decision) -> float:
    """Return the order of the queue: probability of a find, times its harm if weighed."""
    if decision.probability is None or decision.lane == "rescue":
        return UNKNOWN_RISK
    return decision.probability * (decision.harm_ratio or 1.0)
