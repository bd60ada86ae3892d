"""One subject's lane, why, and with which probability it would have been looked at."""

from dataclasses import dataclass
from typing import Literal

from serving.lanes.capacity import Thresholds

Lane = Literal["rescue", "inspect", "control", "document_check", "post_review", "release"]
LaneReason = Literal["life_at_risk", "score", "random"]


@dataclass(frozen=True)
class Placement:
    """Where a subject goes.

    `selection_probability` is the probability that someone goes and looks, given all that was known
    (its score included): 1 where the score or a life at risk decides, the draw's probability for
    everything else, drawn or not. It is never 0, so that every outcome can be weighted by it.
    """

    lane: Lane
    reason: LaneReason
    selection_probability: float


def place(
    probability: float,
    thresholds: Thresholds,
    *,
    is_drawn: bool,
    control_probability: float,
    is_life_at_risk: bool,
) -> Placement:
    """The lane of a subject with this `probability`; a life at risk comes before any score."""
    if is_life_at_risk:
        return Placement("rescue", "life_at_risk", 1.0)
    if probability > thresholds.inspect:
        return Placement("inspect", "score", 1.0)
    if is_drawn:
        return Placement("control", "random", control_probability)
    return Placement(_without_a_visit(probability, thresholds), "score", control_probability)


def _without_a_visit(probability: float, thresholds: Thresholds) -> Lane:
    if probability > thresholds.document_check:
        return "document_check"
    if probability > thresholds.post_review:
        return "post_review"
    return "release"
