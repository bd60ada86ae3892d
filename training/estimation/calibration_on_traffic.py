"""Do probabilities mean on all traffic what they say? Observed over expected, and the slope."""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import expit

from training.confidence_intervals import Estimate
from training.estimation.inspected_sample import InspectedSample
from training.estimation.population_figures import UNKNOWN, confirmed_among
from training.ranking import Floats, ScoreRanking, inspected_rows

STEPS = 50
FARTHEST_LOG_ODDS = 30.0


@dataclass(frozen=True)
class TrafficCalibration:
    """What inspections say of probabilities; 1 is perfect for every figure.

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
    probability = expit(log_odds)
    everyone = np.ones(sample.traffic)
    top = inspected_rows(ScoreRanking.from_scores(everyone, log_odds), top_share)
    return TrafficCalibration(
        top_share=top_share,
        observed_over_expected=_ratio(sample, everyone, probability),
        top_observed_over_expected=_ratio(sample, top, probability),
        slope=_slope(sample, log_odds),
    )


def _ratio(sample: InspectedSample, membership: Floats, probability: Floats) -> Estimate:
    expected = max(float(membership @ probability), 1e-9)
    observed = confirmed_among(sample, membership, is_this_traffic=False)
    return UNKNOWN if observed is None else observed.scaled(1 / expected).estimate


def _slope(sample: InspectedSample, log_odds: Floats) -> Estimate:
    """The slope of the weighted line of greatest likelihood, with the design's own variance."""
    values = np.clip(log_odds[sample.rows], -FARTHEST_LOG_ODDS, FARTHEST_LOG_ODDS)
    confirmed = float(sample.labels.sum())
    if confirmed < 2 or confirmed == len(values) or np.ptp(values) < 1e-9:
        return UNKNOWN
    design = np.column_stack([values, np.ones(len(values))])
    line = _fitted(design, sample.labels, sample.weights)
    if line is None:
        return UNKNOWN
    probability = expit(design @ line)
    information = design.T @ (design * (sample.weights * probability * (1 - probability))[:, None])
    scores = design * (sample.weights * (sample.labels - probability))[:, None]
    inverse = np.linalg.pinv(information)
    error = float(np.sqrt((inverse @ (scores.T @ scores) @ inverse)[0, 0]))
    # As few as weigh: what was confirmed says how sure the spread itself is.
    weights = sample.weights[sample.labels == 1]
    freedom = max(float(weights.sum() ** 2 / (weights @ weights)) - 1, 1.0)
    half = float(stats.t.ppf(0.975, freedom)) * error
    return Estimate(float(line[0]), float(line[0]) - half, float(line[0]) + half)


def _fitted(design: Floats, labels: Floats, weights: Floats) -> Floats | None:
    """Newton's steps on the weighted log-likelihood; None where they lead nowhere."""
    line = np.array([1.0, 0.0])
    for _ in range(STEPS):
        probability = expit(design @ line)
        gradient = design.T @ (weights * (labels - probability))
        bent = weights * probability * (1 - probability)
        information = design.T @ (design * bent[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(information, gradient)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        line = line + step
        if not np.isfinite(line).all():
            return None
        if float(np.abs(step).max()) < 1e-8:
            return np.asarray(line)
    return None
