"""Calibration of margins to log-odds by a straight line, so that contributions still add up.

The line is Platt's, fitted on margins of trees that never saw the labels. It is monotone, keeps
every order, and multiplies every contribution by one slope. A few confirmed labels decide the slope
badly, so it is shrunk towards the slope that is usual (`experiments/calibration`).
"""

from typing import Literal

import numpy as np
from scipy import optimize
from scipy.special import expit

from training.errors import TrainingError
from training.model.manifest import Calibration
from training.ranking import Floats

# Mean of the true slope by `selection.fit` in invented worlds. It differs from 1: inspectors look
# more often at risky subjects, so margins that separate confirmed ones from all traffic rise faster
# than the risk; margins of trees that few inspected subjects were fitted to rise more slowly.
USUAL_SLOPES: dict[Literal["equal", "inverse_probability", "traffic"], float] = {
    "equal": 1.2,
    "inverse_probability": 0.8,
    "traffic": 0.75,
}
# The standard deviation was .1 in invented worlds; other agencies select in other ways.
SLOPE_SPREAD = 0.25


def calibrate(
    margins: Floats, labels: Floats, weights: Floats | None = None, usual_slope: float = 1.0
) -> Calibration:
    """Return the likeliest line, its slope shrunk towards `usual_slope` by its standard error.

    The mean probability of the labels, by their weights, stays the same. Raises TrainingError as
    `likeliest_line` does.
    """
    line = likeliest_line(margins, labels, weights)
    assert line.standard_error is not None
    trust = SLOPE_SPREAD**2 / (SLOPE_SPREAD**2 + line.standard_error**2)
    slope = usual_slope + trust * (line.slope - usual_slope)
    weight, mean = _weight(labels, weights), expit(line.slope * margins + line.intercept)

    def excess(intercept: float) -> float:
        return float(weight @ (expit(slope * margins + intercept) - mean))

    # Each log-odds moves by at most this, so the intercept lies within it.
    farthest = float(np.abs((slope - line.slope) * margins).max()) + 1e-9
    intercept = optimize.brentq(excess, line.intercept - farthest, line.intercept + farthest)
    return line.model_copy(update={"slope": slope, "intercept": float(intercept)})


def likeliest_line(margins: Floats, labels: Floats, weights: Floats | None = None) -> Calibration:
    """Return the maximum-likelihood line, with Platt's targets against overfitting few labels.

    If all weights are 0, because no inspection had a known probability, all labels weigh 1: the
    line then describes inspected subjects only. Raises TrainingError if the slope is not positive:
    such margins rank the window no better than in reverse.
    """
    weight = _weight(labels, weights)
    confirmed, cleared = float(weight @ labels), float(weight @ (1 - labels))
    targets = np.where(labels == 1, (confirmed + 1) / (confirmed + 2), 1 / (cleared + 2))

    def loss(line: Floats) -> tuple[float, Floats]:
        log_odds = line[0] * margins + line[1]
        error = weight * (expit(log_odds) - targets)
        losses = weight * (np.logaddexp(0, log_odds) - targets * log_odds)
        slope_and_intercept = np.array([error @ margins, error.sum()])
        return float(losses.sum() / weight.sum()), slope_and_intercept / weight.sum()

    optimum = optimize.minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", tol=1e-9)
    slope, intercept = (float(number) for number in optimum.x)
    if not (np.isfinite(slope) and np.isfinite(intercept) and slope > 0):
        raise TrainingError(
            f"the calibration window gives the slope {slope:.3g}; want one above 0. "
            "The margins do not rise with the risk there: look for drift, or widen the window"
        )
    error = _standard_error(margins, weight, expit(slope * margins + intercept))
    return Calibration(
        slope=slope, intercept=intercept, slope_of_labels=slope, standard_error=error
    )


def log_odds_of(margins: Floats, calibration: Calibration) -> Floats:
    """Return the calibrated log-odds of raw margins."""
    return calibration.slope * margins + calibration.intercept


def calibrated_probability(log_odds: Floats) -> Floats:
    """Return 1 / (1 + e^−log_odds)."""
    return np.asarray(expit(log_odds), dtype=np.float64)


def _weight(labels: Floats, weights: Floats | None) -> Floats:
    return np.ones(len(labels)) if weights is None or not weights.any() else weights


def _standard_error(margins: Floats, weight: Floats, probability: Floats) -> float:
    """Return the standard error of the slope if each label is one result, whatever it weighs.

    A sandwich with expected instead of actual squared errors: if no confirmed label happened to
    weigh much, actual ones would make the slope look certain.
    """
    design = np.column_stack([margins, np.ones(len(margins))])
    variance = weight * probability * (1 - probability)
    inverse = np.linalg.pinv(design.T @ (design * variance[:, None]))
    scores = design.T @ (design * (weight * variance)[:, None])
    return float(np.sqrt((inverse @ scores @ inverse)[0, 0]))
