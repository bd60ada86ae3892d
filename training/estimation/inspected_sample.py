"""Inspected subjects, and the number of subjects in all traffic that each represents.

There are three kinds of selection. (1) With a known probability (rule, score, random draw): a
subject represents 1 / probability subjects, where the probability is that of being selected in at
least one of these ways. (2) Before all of these, without a probability (a tip): these subjects are
a stratum of their own. All of them were inspected, so they represent only themselves. (3) After all
of these, without a probability (an officer's discretion): draws represent these subjects too, so
their results enter no figure of all traffic; their number is reported.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from training.estimation.weighted_mean import by_inspection
from training.inverse_probability import MIN_DRAWN, inverse_probability_weight
from training.outcomes import Bools, Instants, Texts
from training.ranking import Floats, Ints

LOT = "random"
DRAWN = ("rule", "model", LOT)
CERTAIN = ("intelligence",)

NO_CLIP = float("inf")

FARTHEST_STANDARD_ERRORS = 4.0
# The largest plausible ratio between the subjects that draws represent and those there were.
FARTHEST_RATIO = 1.25

# The fewest inspections, as many as evenly drawn ones, where each may cover several subjects.
MIN_INSPECTIONS = 8

# The share of inspections with one time of day from which instants are taken for dates.
MIN_DATES_SHARE = 0.25

# The largest distance, beyond chance, of their mean rank by a score from that of all, in 0..1.
FARTHEST_MEAN_RANK = 0.05


@dataclass(frozen=True, eq=False)
class Selection:
    """Labels of a traffic and how each subject was selected, as in `inspected_sample`."""

    labels: Floats
    selected_by: Texts
    probability: Floats
    together: Ints


@dataclass(frozen=True, eq=False)
class InspectedSample:
    """Usable results of some traffic; arrays are parallel to `rows`.

    `rows` are indices into the traffic, `labels` 1 or 0, and `weights` the number of subjects each
    represents; `is_drawn` is false for subjects selected for certain. `together` is equal for
    subjects that one inspection covered. `certain` counts the subjects of that stratum, and
    `uncounted` the results that are in neither. `refusal` is the reason if no figure of all traffic
    may be given. `selection` is what the sample was made of.
    """

    rows: Ints
    labels: Floats
    weights: Floats
    is_drawn: Bools
    together: Ints
    traffic: int
    certain: int
    uncounted: int
    refusal: str | None
    selection: Selection

    @property
    def effective_size(self) -> float:
        """The number of equally weighted draws that would be as informative as the sample's."""
        return effective_size(self.weights[self.is_drawn], self.together[self.is_drawn])


def effective_size(weights: Floats, together: Ints | None = None) -> float:
    """Return the effective sample size of weights: (sum w)² / sum w² (Kish).

    Subjects with the same number in `together` count as one draw.
    """
    each = by_inspection(weights, together)
    return float(each.sum() ** 2 / (each @ each)) if len(each) else 0.0


def inspections_of(inspected_at: Instants, offices: Texts) -> Ints:
    """Return a number for each subject, equal for those that one inspection covered.

    These have the same office and instant. Instants that are mostly dates, with one time of day,
    say nothing about it; then each subject counts alone, like one without an instant.
    """
    together = np.arange(len(inspected_at))
    is_known = ~np.isnat(inspected_at)
    instants, places = np.unique(inspected_at[is_known], return_inverse=True)
    of_day = np.unique(instants - instants.astype("datetime64[D]"), return_counts=True)[1]
    if not len(of_day) or of_day.max() > max(1, MIN_DATES_SHARE * len(instants)):
        return together
    codes = pd.factorize(offices[is_known])[0]
    keys = places * (codes.max() + 2) + codes + 1
    _, first, inspections = np.unique(keys, return_index=True, return_inverse=True)
    together[is_known] = together[is_known][first][inspections]
    return together


def inspected_sample(
    labels: Floats, selected_by: Texts, probability: Floats, together: Ints | None = None
) -> InspectedSample:
    """Return the sample of a traffic; arrays have one entry for each of its subjects.

    `labels` are NaN without a known result, `selected_by` is None without an inspection, and
    `probability` is NaN for ways of selection without one. `together` is as by `inspections_of`,
    and by default each subject is inspected alone. Unknown results are assumed to be like the known
    ones of the same stratum.
    """
    together = np.arange(len(labels)) if together is None else together
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
        together=together[rows],
        traffic=len(labels),
        certain=certain,
        uncounted=int((is_known & ~is_certain & ~is_drawn).sum()),
        refusal=_refusal(
            by_inspection(weights[is_drawn], together[is_drawn]),
            len(labels) - certain,
            int(is_drawn[rows].sum()),
        ),
        selection=Selection(labels, selected_by, probability, together),
    )


def with_missing(sample: InspectedSample, values: Floats) -> InspectedSample:
    """Return the sample as if the results not known of those selected were `values`.

    `values` has one entry for each subject of the traffic.
    """
    selection = sample.selection
    is_missing = np.isnan(selection.labels) & np.not_equal(selection.selected_by, None)  # type: ignore[call-overload]  # an object column
    filled = np.where(is_missing, values, selection.labels)
    return inspected_sample(
        filled, selection.selected_by, selection.probability, selection.together
    )


def placed_by(sample: InspectedSample, scores: Floats) -> InspectedSample:
    """Return the sample, refused if draws rank otherwise than the traffic they represent.

    Random draws represent subjects of all ranks. If they rank higher or lower than chance explains,
    then a probability is wrong, the score uses information about inspections, or results of some
    ranks are missing; no figure of all traffic would be valid.
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
    # The linearised standard error of a weighted mean.
    spread = by_inspection(drawn * (of_sample - found), sample.together)
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
    """Return whether randomly drawn subjects rank above all traffic by more than chance.

    A random draw cannot be predicted, and this test ignores its results. Subjects left over for the
    draw can only rank below those that other ways took. So a score that ranks them above uses
    information about inspections.
    """
    is_by_lot = np.equal(selected_by, LOT) & (probability > 0)
    if is_by_lot.sum() < MIN_DRAWN:
        return False
    weights = inverse_probability_weight(probability[is_by_lot], clip=NO_CLIP)
    ranks = ((stats.rankdata(scores) - 0.5) / len(scores))[is_by_lot]
    found = float(weights @ ranks / weights.sum())
    spread = weights * (ranks - found)
    error = float(np.sqrt(spread @ spread) / weights.sum())
    return found - 0.5 > max(FARTHEST_MEAN_RANK, FARTHEST_STANDARD_ERRORS * error)


def selection_weights(selected_by: Texts, probability: Floats, *, clip: float) -> Floats:
    """Return the number of subjects each represents by its selection alone, at most `clip`.

    Arrays are as in `inspected_sample`; uncounted and uninspected subjects weigh 0.
    """
    is_certain, is_drawn = _strata(selected_by, probability)
    weights = np.where(is_certain, 1.0, 0.0)
    weights[is_drawn] = inverse_probability_weight(probability[is_drawn], clip=clip)
    return weights


def _strata(selected_by: Texts, probability: Floats) -> tuple[Bools, Bools]:
    """Return masks of subjects selected for certain, and of drawn ones; others are uncounted."""
    has_probability = probability > 0
    # Selection by rule or model without a recorded probability represents only itself, too.
    is_certain = np.isin(selected_by, CERTAIN) | (
        np.isin(selected_by, ("rule", "model")) & ~has_probability
    )
    return is_certain, np.isin(selected_by, DRAWN) & has_probability


def _filled_up(weights: Floats, is_certain: Bools, certain: int, others: int) -> Floats:
    """Return weights scaled so that each stratum adds up to its number of subjects.

    Scaling makes up for unknown results; no weight falls below 1.
    """
    filled = weights.copy()
    for stratum, size in ((is_certain, certain), (~is_certain, others)):
        if stratum.any():
            filled[stratum] *= size / filled[stratum].sum()
    return np.maximum(filled, 1.0)


def _refusal(weights: Floats, there_were: int, known: int) -> str | None:
    if there_were <= 0:
        return None
    if known < MIN_DRAWN:
        return (
            f"{known} results of subjects that were drawn with a probability say too little of "
            f"{there_were:,}; want {MIN_DRAWN}"
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
    """Return whether draws with this sum of weights represent about `there_were` subjects.

    `squares` is the sum of squared weights of inspections, from which the standard error of
    `total` follows.
    """
    error = float(np.sqrt(max(squares - total, 0.0)))
    is_far = abs(total - there_were) > FARTHEST_STANDARD_ERRORS * error
    return not is_far or 1 / FARTHEST_RATIO <= total / there_were <= FARTHEST_RATIO
