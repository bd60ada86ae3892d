"""Choose a subject's lane, with the reason and the probability of each lane."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from serving.triage.cutoffs import Cutoff
from serving.triage.lane_declarations import VISITED, Lane, LaneReason
from serving.triage.watch_list_hits import Hit


@dataclass(frozen=True)
class LaneCutoffs:
    """The cutoffs of one office at one moment; each lane takes from what earlier lanes left."""

    inspect: Cutoff
    document_check: Cutoff
    post_review: Cutoff


@dataclass(frozen=True)
class Draws:
    """Random numbers in [0, 1) of one subject, for ties at a cutoff and for the control lane.

    `drawn_with` is the fingerprint of the seed; None while the installation has had only one.
    """

    tie: float
    control: float
    drawn_with: str | None = None


@dataclass(frozen=True)
class EarlierSelection:
    """The previous placement of a subject that is scored again.

    `inspect` is the highest probability so far of a selection by score, list or rule; `control` is
    the probability of the control draw, which happened once, or None if there was no draw.
    """

    lane: Lane
    reason: LaneReason
    inspect: float
    control: float | None

    @classmethod
    def of_probabilities(
        cls, lane: Lane, reason: LaneReason, probabilities: Mapping[Lane, float]
    ) -> Self:
        """Recover the selection from the stored probabilities of a placement."""
        inspect = probabilities.get("inspect", 0.0)
        drawn = probabilities.get("control")
        # The stored value is (1 - inspect) × control, so undo that factor.
        control = None if drawn is None or inspect >= 1 else drawn / (1 - inspect)
        return cls(lane, reason, inspect, control)


@dataclass(frozen=True)
class Placement:
    """The lane of a subject, and why.

    `probabilities` are those of each lane for a subject with this score and these hits, over all
    draws; they add up to 1, and `control` is above 0 for everything not selected for certain.
    `hits` are all matching watch-list entries and rules, even if something else decided.
    `drawn_with` is that of the subject's draws.
    """

    lane: Lane
    reason: LaneReason
    probabilities: dict[Lane, float]
    hits: tuple[Hit, ...] = ()
    drawn_with: str | None = None

    @property
    def selection_probability(self) -> float:
        """The probability that someone inspects the subject.

        It is never 0, so that every outcome can be weighted by its inverse.
        """
        return min(1.0, sum(self.probabilities.get(lane, 0.0) for lane in VISITED))


def place(
    score: float,
    cutoffs: LaneCutoffs,
    draws: Draws,
    *,
    control_probability: float,
    is_life_at_risk: bool,
    hits: tuple[Hit, ...] = (),
    earlier: EarlierSelection | None = None,
) -> Placement:
    """Choose the lane of a scored subject; a life at risk takes precedence over all else.

    Watch-lists and rules precede the score, control cases are drawn from what neither selected, and
    the document check takes from the rest. A subject selected at an `earlier` instant stays
    selected, so its probability is that of a selection at any instant: each draw happens only once.
    """
    if certain := _certain_placement(hits, is_life_at_risk=is_life_at_risk):
        return certain
    selected = max(cutoffs.inspect.probability(score), earlier.inspect if earlier else 0.0)
    probabilities = _probabilities(
        score, cutoffs, selected, control_probability, has_hits=bool(hits)
    )
    lane = _drawn(score, cutoffs, draws, selected, control_probability, has_hits=bool(hits))
    if lane == "control":
        return Placement(lane, "random", probabilities, hits)
    # The current score alone would not have selected it, so the earlier reason stands.
    if earlier and lane == "inspect" and draws.tie >= cutoffs.inspect.probability(score):
        return Placement(lane, earlier.reason, probabilities, hits)
    reason: LaneReason = hits[0].source if lane == "document_check" and hits else "score"
    return Placement(lane, reason, probabilities, hits)


def place_unscored(
    draws: Draws,
    *,
    control_probability: float,
    is_life_at_risk: bool,
    hits: tuple[Hit, ...] = (),
    earlier: EarlierSelection | None = None,
) -> Placement:
    """Choose the lane of a subject without a score, from danger, watch-lists, rules and draw.

    What none of them selects goes to the manual procedure: unknown risk is no reason to release.
    """
    if certain := _certain_placement(hits, is_life_at_risk=is_life_at_risk):
        return certain
    rest: Lane = "document_check" if hits else "manual"
    probabilities = {"control": control_probability, rest: 1 - control_probability}
    if earlier and earlier.inspect > 0:
        probabilities = {lane: p * (1 - earlier.inspect) for lane, p in probabilities.items()}
        probabilities["inspect"] = earlier.inspect
        if draws.tie < earlier.inspect:
            return Placement("inspect", earlier.reason, probabilities, hits)
    if draws.control < control_probability:
        return Placement("control", "random", probabilities, hits)
    return Placement(rest, hits[0].source if hits else "no_score", probabilities, hits)


def _certain_placement(hits: tuple[Hit, ...], *, is_life_at_risk: bool) -> Placement | None:
    """Return the placement that no score or draw can change; None if there is none."""
    if is_life_at_risk:
        return Placement("rescue", "life_at_risk", {"rescue": 1.0}, hits)
    if selecting := next((hit for hit in hits if hit.lane == "inspect"), None):
        return Placement("inspect", selecting.source, {"inspect": 1.0}, hits)
    return None


def _drawn(
    score: float,
    cutoffs: LaneCutoffs,
    draws: Draws,
    inspect: float,
    control_probability: float,
    *,
    has_hits: bool,
) -> Lane:
    # One tie draw decides all lanes by score, so a subject that a lane selects is selected by every
    # later one too; the control draw is independent of it.
    if draws.tie < inspect:
        return "inspect"
    if draws.control < control_probability:
        return "control"
    if has_hits or draws.tie < cutoffs.document_check.probability(score):
        return "document_check"
    return "post_review" if draws.tie < cutoffs.post_review.probability(score) else "release"


def _probabilities(
    score: float,
    cutoffs: LaneCutoffs,
    inspect: float,
    control_probability: float,
    *,
    has_hits: bool,
) -> dict[Lane, float]:
    """Return the probability of each lane over all draws.

    One draw decides all ties, so each lane takes an interval of it and the intervals are nested.
    """
    checked = 1.0 if has_hits else max(cutoffs.document_check.probability(score), inspect)
    reviewed = max(cutoffs.post_review.probability(score), checked)
    undrawn = 1 - control_probability
    return {
        "inspect": inspect,
        "control": (1 - inspect) * control_probability,
        "document_check": (checked - inspect) * undrawn,
        "post_review": (reviewed - checked) * undrawn,
        "release": (1 - reviewed) * undrawn,
    }
