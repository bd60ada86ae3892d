"""Prevalence of smuggling in the replayed weeks, counted in three ways.

In a synthetic world this is what a policy would estimate from its own inspections, next to the
truth; in a logged history, what actual inspections suggest. Two of the ways mislead: `naive` takes
inspected subjects as representative; `weighted` weighs each result by 1 / probability (1 without a
probability) and divides by the sum of weights. `stratified` lets certain selections represent
themselves and draws represent the rest, whose size is known; it gives no figure if too few were
drawn.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.backtest.ledger import PolicyReplay, ReplayedWeek
from training.backtest.replayed_traffic import ReplayedTraffic
from training.backtest.selection import BY_LOT
from training.confidence_intervals import Estimate, proportion
from training.estimation.inspected_sample import NO_CLIP, inspected_sample
from training.estimation.population_figures import UNKNOWN, found_among
from training.estimation.weighted_mean import weighted_mean
from training.inverse_probability import inverse_probability_weight
from training.outcomes import Texts
from training.parameters import Parameters
from training.ranking import Floats, Ints

# Weeks per estimate: a quarter, long enough for enough random draws.
BLOCK = 13

Counting = Literal["naive", "weighted", "stratified"]
COUNTINGS: tuple[Counting, ...] = ("naive", "weighted", "stratified")


class PrevalenceEstimate(Parameters):
    """The share of all traffic that would be confirmed, counted in one way.

    `estimate` covers all weeks; `refusal` is the reason if it is unknown. The other fields cover
    the `blocks` quarters with an estimate: their `mean` and, in a synthetic world, their mean error
    (`bias`), its standard deviation (`deviation`), and how many of their intervals contain the
    truth (`held`).
    """

    way: Counting
    estimate: Estimate
    refusal: str | None
    blocks: int
    mean: float | None
    bias: float | None
    deviation: float | None
    held: int | None


@dataclass(frozen=True, eq=False)
class _Looked:
    """Traffic with the results of some inspections; NaN and None for all other subjects."""

    labels: Floats
    selected_by: Texts
    probability: Floats
    together: Ints
    truth: Floats

    def at(self, rows: slice) -> "_Looked":
        return _Looked(
            self.labels[rows],
            self.selected_by[rows],
            self.probability[rows],
            self.together[rows],
            self.truth[rows],
        )


def prevalence_estimates(
    ledger: PolicyReplay, traffic: ReplayedTraffic
) -> tuple[PrevalenceEstimate, ...]:
    """Return the estimates of all ways; in a logged history they are equal for all policies."""
    weeks = ledger.weeks[: traffic.weeks]
    looked = _own(ledger, weeks, traffic) if traffic.sample is None else _made(ledger, traffic)
    blocks = [weeks[at : at + BLOCK] for at in range(0, len(weeks), BLOCK)]
    first = traffic.rows.start
    parts = [looked.at(slice(b[0].rows.start - first, b[-1].rows.stop - first)) for b in blocks]
    is_true = ledger.history.is_invented
    return tuple(_estimate(way, looked, parts, is_true=is_true) for way in COUNTINGS)


def _own(ledger: PolicyReplay, weeks: Iterable[ReplayedWeek], traffic: ReplayedTraffic) -> _Looked:
    """Return the policy's own inspections: certain selections and draws."""
    ways: Texts = np.full(traffic.size, None, dtype=object)
    probability = np.full(traffic.size, np.nan)
    for week in weeks:
        rows = ledger.rows_of(week) - traffic.rows.start
        is_drawn = week.selection.selected_by == BY_LOT
        ways[rows] = np.where(is_drawn, "random", "rule")
        probability[rows[is_drawn]] = week.selection.probability[is_drawn]
    labels = np.where(traffic.selected > 0, traffic.truth, np.nan)
    return _Looked(labels, ways, probability, np.arange(traffic.size), traffic.truth)


def _made(ledger: PolicyReplay, traffic: ReplayedTraffic) -> _Looked:
    outcomes = ledger.history.data.outcomes
    return _Looked(
        labels=traffic.truth,
        selected_by=outcomes.selected_by[traffic.rows],
        probability=outcomes.selection_probability[traffic.rows],
        together=ledger.history.data.together[traffic.rows],
        truth=traffic.truth,
    )


def _estimate(
    way: Counting, whole: _Looked, parts: list[_Looked], *, is_true: bool
) -> PrevalenceEstimate:
    estimate, refusal = _counted(way, whole)
    of_parts = [(_counted(way, part)[0], float(part.truth.mean())) for part in parts]
    known = [(each, truth) for each, truth in of_parts if each.value is not None]
    values = np.array([each.value for each, _ in known], dtype=np.float64)
    errors = values - np.array([truth for _, truth in known])
    is_known = len(known) > 0
    return PrevalenceEstimate(
        way=way,
        estimate=estimate,
        refusal=refusal,
        blocks=len(known),
        mean=float(values.mean()) if is_known else None,
        bias=float(errors.mean()) if is_true and is_known else None,
        deviation=float(errors.std(ddof=1)) if is_true and len(known) > 1 else None,
        held=sum(_holds(each, truth) for each, truth in known) if is_true else None,
    )


def _counted(way: Counting, looked: _Looked) -> tuple[Estimate, str | None]:
    """Return the share counted in one way, or the reason why it is unknown."""
    is_known = ~np.isnan(looked.labels)
    labels, traffic = looked.labels[is_known], len(looked.labels)
    if way == "stratified":
        sample = inspected_sample(
            looked.labels, looked.selected_by, looked.probability, looked.together
        )
        found = found_among(sample, np.ones(traffic))
        return found.precision, found.refusal
    if not len(labels):
        return UNKNOWN, "nothing was inspected"
    if way == "naive":
        return proportion(float(labels.sum()), len(labels)), None
    # Without draws the weights are all 1, which would repeat the naive figure.
    if not (looked.probability[is_known] > 0).any() and len(labels) < traffic:
        return UNKNOWN, "nothing was drawn with a probability"
    weights = inverse_probability_weight(looked.probability[is_known], clip=NO_CLIP)
    return weighted_mean(labels, weights, looked.together[is_known]).estimate, None


def _holds(estimate: Estimate, truth: float) -> bool:
    low, high = estimate.low, estimate.high
    return low is not None and high is not None and low <= truth <= high
