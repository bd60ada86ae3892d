"""The risk that orders cases of equal rank in the review queue."""

from serving.audit.decision import Decision

# The risk without a score: the unknown must never look harmless, so it sorts first.
UNKNOWN_RISK = 1.0


def risk_of(decision: Decision) -> float:
    """Return the sort value: probability of a find, times its harm ratio if there is one."""
    if decision.probability is None or decision.lane == "rescue":
        return UNKNOWN_RISK
    return decision.probability * (decision.harm_ratio or 1.0)
