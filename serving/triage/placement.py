"""One subject's lane, why, and with which probability it could have come into every other."""

from dataclasses import dataclass
from typing import Literal

from serving.triage.cutoffs import Cut
from serving.triage.watch_lists import Hit

Lane = Literal["rescue", "inspect", "control", "document_check", "post_review", "release", "manual"]
LaneReason = Literal["life_at_risk", "watch_list", "rule", "score", "random", "no_score"]

# Someone goes and looks at what is in these.
VISITED: tuple[Lane, ...] = ("rescue", "inspect", "control")


@dataclass(frozen=True)
class Cuts:
    """The cuts of one office at one moment; each lane takes from what those before it left."""

    inspect: Cut
    document_check: Cut
    post_review: Cut


@dataclass(frozen=True)
class Lots:
    """The numbers in [0, 1) that a subject drew: for ties at a cut, and for the control lane."""

    tie: float
    control: float


@dataclass(frozen=True)
class Placement:
    """Where a subject goes.

    `probabilities` says with which probability a subject with this score and these hits comes into
    each lane, over the lots; they add up to 1, and `control` is above 0 for whatever is not
    selected for sure. `hits` are the entries of watch-lists and the rules that spoke, whatever
    decided.
    """

    lane: Lane
    reason: LaneReason
    probabilities: dict[Lane, float]
    hits: tuple[Hit, ...] = ()

    @property
    def selection_probability(self) -> float:
        """The probability that someone goes and looks.

        It is never 0, so that every outcome can be weighted by it.
        """
        return min(1.0, sum(self.probabilities.get(lane, 0.0) for lane in VISITED))


def place(
    score: float,
    cuts: Cuts,
    lots: Lots,
    *,
    control_probability: float,
    is_life_at_risk: bool,
    hits: tuple[Hit, ...] = (),
) -> Placement:
    """The lane of a subject with this probability; a life at risk comes before all else.

    Watch-lists and rules come before the score, control cases are drawn from what neither selected,
    and the document check takes from the rest.
    """
    if surely := _surely(hits, is_life_at_risk=is_life_at_risk):
        return surely
    probabilities = _probabilities(score, cuts, control_probability, has_hits=bool(hits))
    lane = _drawn(score, cuts, lots, control_probability, has_hits=bool(hits))
    if lane == "control":
        return Placement(lane, "random", probabilities, hits)
    reason: LaneReason = hits[0].source if lane == "document_check" and hits else "score"
    return Placement(lane, reason, probabilities, hits)


def place_unscored(
    lots: Lots,
    *,
    control_probability: float,
    is_life_at_risk: bool,
    hits: tuple[Hit, ...] = (),
) -> Placement:
    """The lane of a subject without a score: by signs of danger, watch-lists, rules and the lot.

    Whatever none of them speaks of is for the manual procedure: that nothing is known of its risk
    does not make it a release.
    """
    if surely := _surely(hits, is_life_at_risk=is_life_at_risk):
        return surely
    rest: Lane = "document_check" if hits else "manual"
    probabilities = {"control": control_probability, rest: 1 - control_probability}
    if lots.control < control_probability:
        return Placement("control", "random", probabilities, hits)
    return Placement(rest, hits[0].source if hits else "no_score", probabilities, hits)


def _surely(hits: tuple[Hit, ...], *, is_life_at_risk: bool) -> Placement | None:
    """Where a subject goes whatever its score and lots; None where those decide."""
    if is_life_at_risk:
        return Placement("rescue", "life_at_risk", {"rescue": 1.0}, hits)
    if selecting := next((hit for hit in hits if hit.lane == "inspect"), None):
        return Placement("inspect", selecting.source, {"inspect": 1.0}, hits)
    return None


def _drawn(
    score: float, cuts: Cuts, lots: Lots, control_probability: float, *, has_hits: bool
) -> Lane:
    if lots.tie < cuts.inspect.probability(score):
        return "inspect"
    if lots.control < control_probability:
        return "control"
    if has_hits or lots.tie < cuts.document_check.probability(score):
        return "document_check"
    return "post_review" if lots.tie < cuts.post_review.probability(score) else "release"


def _probabilities(
    score: float, cuts: Cuts, control_probability: float, *, has_hits: bool
) -> dict[Lane, float]:
    """The same over all lots: one lot decides all ties, so each lane takes a stretch of it."""
    inspect = cuts.inspect.probability(score)
    checked = 1.0 if has_hits else max(cuts.document_check.probability(score), inspect)
    reviewed = max(cuts.post_review.probability(score), checked)
    undrawn = 1 - control_probability
    return {
        "inspect": inspect,
        "control": (1 - inspect) * control_probability,
        "document_check": (checked - inspect) * undrawn,
        "post_review": (reviewed - checked) * undrawn,
        "release": (1 - reviewed) * undrawn,
    }
