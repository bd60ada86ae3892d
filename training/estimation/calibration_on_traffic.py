"""Calibration of probabilities on all traffic: observed over expected, and the slope."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special
from scipy.special import expit

from training.confidence_intervals import GRID, Estimate
from training.estimation.inspected_sample import InspectedSample, effective_size
from training.estimation.population_figures import UNKNOWN
from training.estimation.weighted_mean import (
    ConfidenceDistribution,
    by_inspection,
    weighted_mean,
)
from training.ranking import Floats, Ints, ScoreRanking, inspected_rows

# The cap of weights, as a multiple of their median. In a few hundred draws, one or two confirmed
# subjects that represent a hundred each would otherwise decide every figure
# (`experiments/2026-11-27-figures-that-hold`, section `gates`).
MAX_WEIGHT_RATIO = 10.0

STEPS = 50
FARTHEST_LOG_ODDS = 30.0
MIN_PROBABILITY = 1e-12


@dataclass(frozen=True)
class TrafficCalibration:
    """Calibration of probabilities, measured by inspections; 1 is perfect for every figure.

    `observed_over_expected` divides the subjects that would be confirmed by the sum of
    probabilities over all traffic, `top_observed_over_expected` likewise over the highest
    `top_share`. `slope` is the factor by which log-odds should be multiplied: below 1, high ones
    are too high and low ones too low. A figure is unknown if too few subjects were inspected.
    """

    top_share: float
    observed_over_expected: Estimate
    top_observed_over_expected: Estimate
    slope: Estimate


def traffic_calibration(
    sample: InspectedSample, log_odds: Floats, top_share: float
) -> TrafficCalibration:
    """Return the calibration of `log_odds`, which has one value for each subject of the traffic."""
    if sample.refusal is not None:
        return TrafficCalibration(top_share, UNKNOWN, UNKNOWN, UNKNOWN)
    probability = np.maximum(expit(log_odds), MIN_PROBABILITY)
    top = inspected_rows(ScoreRanking.from_scores(np.ones(sample.traffic), log_odds), top_share)
    return TrafficCalibration(
        top_share=top_share,
        observed_over_expected=_ratio(sample, np.ones(sample.traffic), probability),
        top_observed_over_expected=_ratio(sample, top, probability),
        slope=_slope(sample, log_odds),
    )


def _ratio(sample: InspectedSample, membership: Floats, probability: Floats) -> Estimate:
    """Return confirmed over expected in a part of the traffic; unknown if nobody was drawn there.

    The ratio of confirmed to expected among draws is carried over to all subjects they represent.
    This assumes that, at equal probability, subjects with capped weights are like the others.
    Certain subjects represent their own stratum.
    """
    weights, expected = cut_weights(sample) * membership[sample.rows], probability[sample.rows]
    is_certain, is_drawn = ~sample.is_drawn & (weights > 0), sample.is_drawn & (weights > 0)
    if not is_drawn.any():
        return UNKNOWN
    total = float(membership @ probability)
    found = float(weights[is_certain] @ sample.labels[is_certain])
    left = max(total - float(weights[is_certain] @ expected[is_certain]), 0.0)
    # Membership may be fractional, but no subject represents less than itself.
    drawn_weights = np.maximum(weights[is_drawn], 1.0)
    confirmed = weighted_mean(
        sample.labels[is_drawn], drawn_weights, sample.together[is_drawn], is_this_traffic=False
    )
    of_drawn = float(np.average(expected[is_drawn], weights=drawn_weights))
    return confirmed.scaled(left / of_drawn, found).scaled(1 / total).estimate


def _slope(sample: InspectedSample, log_odds: Floats) -> Estimate:
    """Return the slope of the line through all results with capped weights, and its interval.

    As in `weighted_mean`, one result is added, once without and once with a finding, and both
    answers are averaged. Otherwise both slope and interval are too high if none of the few results
    that represent many was confirmed, which is likely.
    """
    values = np.clip(log_odds[sample.rows], -FARTHEST_LOG_ODDS, FARTHEST_LOG_ODDS)
    is_found, weights = sample.labels == 1, cut_weights(sample)
    if is_found.sum() < 2 or is_found.all() or np.ptp(values) < 1e-9:
        return UNKNOWN
    added = np.append(values, np.average(values, weights=weights))
    design = np.column_stack([added, np.ones(len(added))])
    weighed = np.append(weights, weights @ weights / weights.sum())
    together = np.append(sample.together, sample.together.max() + 1)
    lines = [
        _fitted(design, np.append(sample.labels, extra), weighed, together) for extra in (0.0, 1.0)
    ]
    # Degrees of freedom from confirmed subjects: being few, they decide how uncertain the variance
    # itself is.
    freedom = max(effective_size(weights[is_found], sample.together[is_found]), 1.0)
    spread = special.stdtrit(freedom, GRID)
    points = [line.slope + line.error * spread for line in lines if line is not None]
    if len(points) < len(lines):
        return UNKNOWN
    return ConfidenceDistribution(float(np.mean(points)), np.concatenate(points)).estimate


def cut_weights(sample: InspectedSample) -> Floats:
    """Return weights with the largest capped; the sum over drawn subjects stays the same."""
    weights, is_drawn = sample.weights.copy(), sample.is_drawn
    drawn = weights[is_drawn]
    if not len(drawn):
        return weights
    cut = np.minimum(drawn, MAX_WEIGHT_RATIO * np.median(drawn))
    weights[is_drawn] = cut * drawn.sum() / cut.sum()
    return weights


class _Slope(NamedTuple):
    slope: float
    error: float


def _fitted(design: Floats, labels: Floats, weights: Floats, together: Ints) -> _Slope | None:
    """Return the slope by Newton's method, with its sandwich error; None if it diverges."""
    # Start at probability 1/2, where the curvature is largest, so that the first step is short.
    line = np.zeros(2)
    for _ in range(STEPS):
        probability = expit(design @ line)
        gradient = design.T @ (weights * (labels - probability))
        bent = weights * probability * (1 - probability)
        # The small ridge keeps the matrix invertible when the classes separate almost perfectly.
        information = design.T @ (design * bent[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(information, gradient)
        line = line + step
        if not np.isfinite(line).all():
            return None
        if float(np.abs(step).max()) < 1e-8:
            missed = weights * (labels - probability)
            scores = np.column_stack([by_inspection(each * missed, together) for each in design.T])
            inverse = np.linalg.pinv(information)
            variance = inverse @ (scores.T @ scores) @ inverse
            return _Slope(float(line[0]), float(np.sqrt(variance[0, 0])))
    return None
