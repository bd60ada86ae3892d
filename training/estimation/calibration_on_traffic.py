"""Do probabilities mean on all traffic what they say? Observed over expected, and the slope."""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import expit

from training.confidence_intervals import Estimate
from training.estimation.inspected_sample import InspectedSample, effective_size
from training.estimation.population_figures import UNKNOWN
from training.estimation.weighted_mean import weighted_mean
from training.ranking import Floats, ScoreRanking, inspected_rows

# Where weights are cut, as a multiple of their median. Of some hundred draws one or two confirmed
# subjects that stand for a hundred each would decide every figure
# (`experiments/2026-11-27-figures-that-hold`, section `gates`).
LARGEST_WEIGHT_RATIO = 10.0

STEPS = 50
FARTHEST_LOG_ODDS = 30.0
LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class TrafficCalibration:
    """Calibration of probabilities, measured by inspections; 1 is perfect for every figure.

    `observed_over_expected` sets the subjects that would be confirmed against the sum of the
    probabilities of all traffic, `top_observed_over_expected` likewise among the highest
    `top_share` of them, and `slope` is by how much log-odds must be multiplied: below 1, high ones
    are too high and low ones too low. A figure is unknown where too few were inspected to say.
    """

    top_share: float
    observed_over_expected: Estimate
    top_observed_over_expected: Estimate
    slope: Estimate


def traffic_calibration(
    sample: InspectedSample, log_odds: Floats, top_share: float
) -> TrafficCalibration:
    """The figures of calibrated `log_odds`, one for each subject of the traffic."""
    if sample.refusal is not None:
        return TrafficCalibration(top_share, UNKNOWN, UNKNOWN, UNKNOWN)
    probability = np.maximum(expit(log_odds), LEAST_PROBABILITY)
    top = inspected_rows(ScoreRanking.from_scores(np.ones(sample.traffic), log_odds), top_share)
    return TrafficCalibration(
        top_share=top_share,
        observed_over_expected=_ratio(sample, np.ones(sample.traffic), probability),
        top_observed_over_expected=_ratio(sample, top, probability),
        slope=_slope(sample, log_odds),
    )


def _ratio(sample: InspectedSample, membership: Floats, probability: Floats) -> Estimate:
    """Confirmed over expected in a part of the traffic; unknown where nobody was drawn there.

    What draws confirm is set against what was expected of them and carried over to all that they
    stand for: among subjects of one probability, those whose weight is cut are taken to be like the
    others. Certain subjects stand for their own stratum.
    """
    weights, expected = cut_weights(sample) * membership[sample.rows], probability[sample.rows]
    is_certain, is_drawn = ~sample.is_drawn & (weights > 0), sample.is_drawn & (weights > 0)
    if not is_drawn.any():
        return UNKNOWN
    total = float(membership @ probability)
    found = float(weights[is_certain] @ sample.labels[is_certain])
    left = max(total - float(weights[is_certain] @ expected[is_certain]), 0.0)
    drawn_weights = np.maximum(weights[is_drawn], 1.0)
    confirmed = weighted_mean(sample.labels[is_drawn], drawn_weights, is_this_traffic=False)
    of_drawn = float(np.average(expected[is_drawn], weights=drawn_weights))
    return confirmed.scaled(left / of_drawn, found).scaled(1 / total).estimate


def _slope(sample: InspectedSample, log_odds: Floats) -> Estimate:
    """The slope of the line of greatest likelihood with cut weights, and the design's variance."""
    values = np.clip(log_odds[sample.rows], -FARTHEST_LOG_ODDS, FARTHEST_LOG_ODDS)
    confirmed = float(sample.labels.sum())
    if confirmed < 2 or confirmed == len(values) or np.ptp(values) < 1e-9:
        return UNKNOWN
    weights = cut_weights(sample)
    design = np.column_stack([values, np.ones(len(values))])
    line = _fitted(design, sample.labels, weights)
    if line is None:
        return UNKNOWN
    probability = expit(design @ line)
    information = design.T @ (design * (weights * probability * (1 - probability))[:, None])
    scores = design * (weights * (sample.labels - probability))[:, None]
    inverse = np.linalg.pinv(information)
    error = float(np.sqrt((inverse @ (scores.T @ scores) @ inverse)[0, 0]))
    # As few as weigh: what was confirmed says how sure the spread itself is.
    freedom = max(effective_size(weights[sample.labels == 1]) - 1, 1.0)
    half = float(stats.t.ppf(0.975, freedom)) * error
    return Estimate(float(line[0]), float(line[0]) - half, float(line[0]) + half)


def cut_weights(sample: InspectedSample) -> Floats:
    """Weights whose largest are cut; together the drawn ones stand for as many as before."""
    weights, is_drawn = sample.weights.copy(), sample.is_drawn
    drawn = weights[is_drawn]
    if not len(drawn):
        return weights
    cut = np.minimum(drawn, LARGEST_WEIGHT_RATIO * np.median(drawn))
    weights[is_drawn] = cut * drawn.sum() / cut.sum()
    return weights


def _fitted(design: Floats, labels: Floats, weights: Floats) -> Floats | None:
    """Newton's steps on the weighted log-likelihood; None where they lead nowhere."""
    # Where every probability is a half the likelihood bends most, so no step leads too far.
    line = np.zeros(2)
    for _ in range(STEPS):
        probability = expit(design @ line)
        gradient = design.T @ (weights * (labels - probability))
        bent = weights * probability * (1 - probability)
        information = design.T @ (design * bent[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(information, gradient)
        line = line + step
        if not np.isfinite(line).all():
            return None
        if float(np.abs(step).max()) < 1e-8:
            return np.asarray(line)
    return None
