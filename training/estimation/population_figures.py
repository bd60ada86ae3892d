"""Prevalence, precision, recall, lift and ROC-AUC of all traffic, from inspected subjects."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from training.confidence_intervals import Estimate
from training.estimation.inspected_sample import (
    MIN_INSPECTIONS,
    InspectedSample,
    effective_size,
    represent,
    with_missing,
)
from training.estimation.sensitivity import Extremes
from training.estimation.weighted_mean import (
    ConfidenceDistribution,
    by_inspection,
    part_of_both,
    weighted_mean,
)
from training.inverse_probability import MIN_DRAWN
from training.ranking import Floats, ScoreRanking, inspected_rows

UNKNOWN = Estimate(None)

# With fewer effective draws, all of them may miss low-scoring subjects that would be confirmed:
# intervals of the ROC-AUC covered 80 % with 93 draws, and 95 % with 399
# (`experiments/2026-11-27-figures-that-hold/notes.md`).
MIN_TO_PLACE = 200


@dataclass(frozen=True)
class FiguresAtShare:
    """Expected finds of inspecting the highest `share` of all traffic; shares in 0..1."""

    share: float
    precision: Estimate
    recall: Estimate
    lift: Estimate


@dataclass(frozen=True)
class FoundAmong:
    """Expected finds of inspecting a part of the traffic.

    `confirmed` counts subjects, `precision` and `recall` are shares in 0..1. `refusal` is the
    reason if all of them are unknown.
    """

    confirmed: Estimate
    precision: Estimate
    recall: Estimate
    lift: Estimate
    refusal: str | None = None


@dataclass(frozen=True)
class PopulationFigures:
    """Figures of all `subjects`; all estimates are unknown if there is a `refusal`.

    `certain` and `drawn` count the results used, `uncounted` those that could not be used;
    `effective_size` is the number of equally weighted draws with the same information.
    """

    subjects: int
    certain: int
    drawn: int
    uncounted: int
    effective_size: float
    prevalence: Estimate
    at_share: tuple[FiguresAtShare, ...]
    roc_auc: Estimate
    refusal: str | None


def population_figures(
    sample: InspectedSample, scores: Floats, shares: Iterable[float]
) -> PopulationFigures:
    """Return the figures of ranking all traffic by `scores`, one for each of its subjects."""
    is_told = sample.refusal is None
    everyone = np.ones(sample.traffic)
    return PopulationFigures(
        subjects=sample.traffic,
        certain=int((~sample.is_drawn).sum()),
        drawn=int(sample.is_drawn.sum()),
        uncounted=sample.uncounted,
        effective_size=sample.effective_size,
        prevalence=share_confirmed(sample, everyone) if is_told else UNKNOWN,
        at_share=tuple(_at_share(sample, scores, share) for share in shares),
        roc_auc=population_roc_auc(sample, scores) if is_told else UNKNOWN,
        refusal=sample.refusal,
    )


def confirmed_among(
    sample: InspectedSample, membership: Floats, *, is_this_traffic: bool = True
) -> ConfidenceDistribution | None:
    """Return how many subjects of a part of the traffic would be confirmed; None if unknown.

    `membership`, in 0..1 for each subject, is its share in the part. Draws that represent far fewer
    subjects than the part has give no answer, such as the hits of a rule alone; if they represent
    somewhat fewer, none of the others need be confirmed.
    """
    part = membership[sample.rows]
    is_certain = ~sample.is_drawn & (part > 0)
    weights = sample.weights * part
    certain = float(weights[is_certain].sum())
    found = float(weights[is_certain] @ sample.labels[is_certain])
    left = float(membership.sum()) - certain
    # Less than half a subject remains: all of the part is known.
    if left <= 0.5:
        return ConfidenceDistribution(found, np.full(1, found))
    is_drawn = sample.is_drawn & (part > 0)
    drawn_weights, together = _drawn_weights(sample, membership), sample.together[is_drawn]
    inspections = by_inspection(drawn_weights, together)
    total, squares = float(inspections.sum()), float(inspections @ inspections)
    is_enough = (
        effective_size(drawn_weights) >= MIN_DRAWN
        and effective_size(inspections) >= MIN_INSPECTIONS
    )
    if not is_enough or not represent(total, squares, left):
        return None
    drawn = weighted_mean(
        sample.labels[is_drawn], drawn_weights, together, is_this_traffic=is_this_traffic
    )
    return drawn.with_unrepresented(1 - total / left).scaled(left, found)


def found_among(sample: InspectedSample, membership: Floats) -> FoundAmong:
    """Return the finds of inspecting a part of the traffic; `membership` must not be all 0."""
    found = confirmed_among(sample, membership) if sample.refusal is None else None
    if found is None:
        refusal = sample.refusal or _too_few(sample, membership)
        return FoundAmong(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, refusal)
    size = float(membership.sum())
    precision = found.scaled(1 / size).estimate
    missed = confirmed_among(sample, 1.0 - membership)
    both = part_of_both(found, missed) if missed is not None else None
    if both is None or not np.isfinite(both.value):
        return FoundAmong(found.estimate, precision, UNKNOWN, UNKNOWN)
    lift = both.scaled(sample.traffic / size)
    return FoundAmong(found.estimate, precision, both.estimate, lift.estimate)


def extremes_of(sample: InspectedSample, membership: Floats) -> Extremes:
    """Return figures with missing results at their worst and at their best (Manski's bounds).

    `prevalence` is of all traffic, `precision` and `recall` of inspecting a part of it; empty for a
    refused sample.
    """
    if sample.refusal is not None:
        return {}
    everyone = np.ones(sample.traffic)
    # Recall is least if what is missing was confirmed outside of the part alone.
    fills = (0 * everyone, everyone, 1.0 - membership.round(), membership.round())
    never, always, outside, inside = (with_missing(sample, fill) for fill in fills)
    return {
        "prevalence": (share_confirmed(never, everyone), share_confirmed(always, everyone)),
        "precision": (share_confirmed(never, membership), share_confirmed(always, membership)),
        "recall": (
            found_among(outside, membership).recall,
            found_among(inside, membership).recall,
        ),
    }


def share_found(sample: InspectedSample, found: float) -> Estimate:
    """Return the share of `found` in all subjects that would be confirmed; at most 1."""
    if sample.refusal is not None or not found:
        return UNKNOWN
    confirmed = confirmed_among(sample, np.ones(sample.traffic))
    if confirmed is None:
        return UNKNOWN
    low, high = np.quantile(confirmed.points, [0.025, 0.975])
    whole = max(float(confirmed.points.mean()), found)
    return Estimate(found / whole, found / max(high, found), found / max(low, found))


def share_confirmed(sample: InspectedSample, membership: Floats) -> Estimate:
    """Return the share of a part of the traffic that would be confirmed."""
    confirmed = confirmed_among(sample, membership)
    size = float(membership.sum())
    return confirmed.scaled(1 / size).estimate if confirmed is not None and size else UNKNOWN


def population_roc_auc(sample: InspectedSample, scores: Floats) -> Estimate:
    """Return the chance that a confirmed subject scores higher than another of the traffic.

    All scores are known, so only the mean rank of confirmed subjects is estimated.
    """
    is_confirmed = sample.labels == 1
    weights = sample.weights[is_confirmed]
    is_sampled = bool((sample.weights > 1 + 1e-9).any())
    if len(weights) < 2 or (is_sampled and sample.effective_size < MIN_TO_PLACE):
        return UNKNOWN
    ranks = (stats.rankdata(scores) - 0.5)[sample.rows[is_confirmed]] / sample.traffic
    mean_rank = weighted_mean(ranks, weights, sample.together[is_confirmed], is_this_traffic=False)
    prevalence = min(float(weights.sum()) / sample.traffic, 0.999)

    def among_others(rank: float | None) -> float:
        # A mean rank counts confirmed subjects among themselves; take that part out.
        assert rank is not None
        return float(np.clip((rank - prevalence / 2) / (1 - prevalence), 0.0, 1.0))

    estimate = mean_rank.estimate
    return Estimate(
        among_others(estimate.value), among_others(estimate.low), among_others(estimate.high)
    )


def _at_share(sample: InspectedSample, scores: Floats, share: float) -> FiguresAtShare:
    everyone = ScoreRanking.from_scores(np.zeros(sample.traffic), scores)
    found = found_among(sample, inspected_rows(everyone, share))
    return FiguresAtShare(share, found.precision, found.recall, found.lift)


def _drawn_weights(sample: InspectedSample, membership: Floats) -> Floats:
    part = membership[sample.rows]
    is_drawn = sample.is_drawn & (part > 0)
    return np.maximum(sample.weights * part, 1.0)[is_drawn]


def _too_few(sample: InspectedSample, membership: Floats) -> str:
    weights = _drawn_weights(sample, membership)
    return (
        f"{len(weights)} results drawn with a probability among {membership.sum():,.0f} subjects, "
        f"worth {effective_size(weights):.0f} drawn evenly and standing for {weights.sum():,.0f}, "
        f"say too little; want {MIN_DRAWN} from {MIN_INSPECTIONS} inspections that stand for all"
    )
