"""Inspected subjects, and how many subjects of all traffic each of them stands for.

Every way of selection is one of three:

- with a probability (rule, score, random draw): the subject stands for 1 / probability subjects,
  where the probability is that of being inspected by any of these ways together;
- before any of them, without a probability (a tip): these subjects are a stratum of their own. All
  of them were inspected, so they stand for themselves and for nobody else;
- after all of them, without a probability (an officer's discretion): the draws stand for these
  subjects too, so their results count in no figure of all traffic, and how many they are is said.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from training.inverse_probability import FEWEST_DRAWN, stands_for
from training.outcomes import Bools, Texts
from training.ranking import Floats, Ints

LOT = "random"
DRAWN = ("rule", "model", LOT)
CERTAIN = ("intelligence",)

NO_CLIP = float("inf")

FARTHEST_STANDARD_ERRORS = 4.0
# How far the subjects that draws stand for may lie from those that there were.
FARTHEST_RATIO = 1.25

# How far their mean rank by a score may lie from that of all, in 0..1, beyond chance.
FARTHEST_MEAN_RANK = 0.05


@dataclass(frozen=True, eq=False)
class InspectedSample:
    """Results of some traffic that can be counted; arrays are parallel to `rows`.

    `rows` are positions in the traffic, `labels` 1 or 0, and `weights` say how many subjects each
    stands for; `is_drawn` is false for the stratum of those that were selected for certain.
    `certain` and `drawn` count the subjects of both strata, `uncounted` the results that are in
    none; `refusal` says why no figure of all traffic may be given, if so.
    """

    rows: Ints
    labels: Floats
    weights: Floats
    is_drawn: Bools
    traffic: int
    certain: int
    uncounted: int
    refusal: str | None

    @property
    def effective_size(self) -> float:
        """Return how many subjects drawn with one probability would say as much as those drawn."""
        return effective_size(self.weights[self.is_drawn])


def effective_size(weights: Floats) -> float:
    """Return how many units of equal weight say as much as these: the square of the sum over
    squares.
    """
    return float(weights.sum() ** 2 / (weights @ weights)) if len(weights) else 0.0


def inspected_sample(labels: Floats, selected_by: Texts, probability: Floats) -> InspectedSample:
    """The sample of a traffic; arrays hold one entry for each of its subjects.

    `labels` are NaN where no result is known, `selected_by` is None where nobody looked, and
    `probability` is NaN where the way of selection has none. Results that are not known are taken
    to be like those that are, in either stratum.
    """
    is_known = ~np.isnan(labels)
    is_certain, is_drawn = _strata(selected_by, probability)
    certain = int(is_certain.sum())
    weights = selection_weights(selected_by, probability, clip=NO_CLIP)
    rows = np.flatnonzero(is_known & (is_certain | is_drawn))
    return InspectedSample(
        rows=rows,
        labels=labels[rows],
        weights=_filled_up(weights[rows], is_certain[rows], certain, len(labels) - certain),
        is_drawn=is_drawn[rows],
        traffic=len(labels),
        certain=certain,
        uncounted=int((is_known & ~is_certain & ~is_drawn).sum()),
        refusal=_refusal(weights[is_drawn], len(labels) - certain, int(is_drawn[rows].sum())),
    )


def placed_by(sample: InspectedSample, scores: Floats) -> InspectedSample:
    """The sample, refused where a score of all traffic places draws elsewhere than what they stand
    for.

    Whoever is drawn with a probability stands for subjects of all ranks. If those drawn rank
    higher or lower, by more than chance explains, a probability is wrong, the score knows whom
    somebody inspected, or results of some ranks are missing: no figure of all traffic would hold.
    """
    drawn = sample.weights * sample.is_drawn
    total = float(drawn.sum())
    if sample.refusal is not None or not total:
        return sample
    ranks = (stats.rankdata(scores) - 0.5) / sample.traffic
    of_sample = ranks[sample.rows]
    certain = sample.weights * ~sample.is_drawn
    left = float(ranks.sum() - certain @ of_sample) / (sample.traffic - float(certain.sum()))
    found = float(drawn @ of_sample) / total
    spread = drawn * (of_sample - found)
    error = float(np.sqrt(spread @ spread)) / total
    if abs(found - left) <= max(FARTHEST_MEAN_RANK, FARTHEST_STANDARD_ERRORS * error):
        return sample
    return replace(
        sample,
        refusal=f"by the score, those drawn with a probability lie at {found:.0%} of the way from "
        f"the lowest to the highest, and the traffic that they stand for at {left:.0%}: the score "
        "knows who was inspected, or probabilities are wrong, or results of some are missing",
    )


def lot_ranks_above(selected_by: Texts, probability: Floats, scores: Floats) -> bool:
    """Return whether subjects that a lot drew rank above all traffic, by more than chance explains.

    Whom a lot draws, nobody can tell before, and what became known of them counts here for nothing.
    A lot of subjects that no other way took can only lie below: so a score that places them above
    knows who was inspected.
    """
    is_by_lot = np.equal(selected_by, LOT) & (probability > 0)
    if is_by_lot.sum() < FEWEST_DRAWN:
        return False
    weights = stands_for(probability[is_by_lot], clip=NO_CLIP)
    ranks = ((stats.rankdata(scores) - 0.5) / len(scores))[is_by_lot]
    found = float(weights @ ranks / weights.sum())
    spread = weights * (ranks - found)
    error = float(np.sqrt(spread @ spread) / weights.sum())
    return found - 0.5 > max(FARTHEST_MEAN_RANK, FARTHEST_STANDARD_ERRORS * error)


def selection_weights(selected_by: Texts, probability: Floats, *, clip: float) -> Floats:
    """Return how many subjects each stands for by its selection alone, at most `clip`.

    Arrays are as in `inspected_sample`; what is uncounted, or was not inspected, weighs 0.
    """
    is_certain, is_drawn = _strata(selected_by, probability)
    weights = np.where(is_certain, 1.0, 0.0)
    weights[is_drawn] = stands_for(probability[is_drawn], clip=clip)
    return weights


def _strata(selected_by: Texts, probability: Floats) -> tuple[Bools, Bools]:
    """Who was selected for certain, and who was drawn; others are uncounted."""
    has_probability = probability > 0
    is_certain = np.isin(selected_by, CERTAIN) | (
        np.isin(selected_by, ("rule", "model")) & ~has_probability
    )
    return is_certain, np.isin(selected_by, DRAWN) & has_probability


def _filled_up(weights: Floats, is_certain: Bools, certain: int, others: int) -> Floats:
    """Those of certain subjects add up to all of these, those drawn to the rest of the traffic."""
    filled = weights.copy()
    for stratum, size in ((is_certain, certain), (~is_certain, others)):
        if stratum.any():
            filled[stratum] *= size / filled[stratum].sum()
    return np.maximum(filled, 1.0)


def _refusal(weights: Floats, there_were: int, known: int) -> str | None:
    if there_were <= 0:
        return None
    if known < FEWEST_DRAWN:
        return (
            f"{known} results of subjects that were drawn with a probability say too little of "
            f"{there_were:,}; want {FEWEST_DRAWN}"
        )
    total = float(weights.sum())
    if not represent(total, float(weights @ weights), there_were):
        return (
            f"by their probabilities the inspections stand for {total:,.0f} subjects where there "
            f"were {there_were:,}; want probabilities of being inspected by any way, and a chance "
            "for every subject"
        )
    return None


def represent(total: float, squares: float, there_were: float) -> bool:
    """Return whether draws whose weights sum up to this stand for about as many as there were.

    `squares` is the sum of their squares, which says how far chance may take the `total`.
    """
    error = float(np.sqrt(max(squares - total, 0.0)))
    is_far = abs(total - there_were) > FARTHEST_STANDARD_ERRORS * error
    return not is_far or 1 / FARTHEST_RATIO <= total / there_were <= FARTHEST_RATIO
