"""Calibration of margins to log-odds by a straight line, so that contributions still add up.

The line is Platt's, fitted on a window after the one of the trees. It is monotone, keeps every
order, and multiplies every contribution by one slope.
"""

import numpy as np
from scipy import optimize
from scipy.special import expit

from training.errors import TrainingError
from training.model.manifest import Calibration
from training.ranking import Floats


def calibrate(margins: Floats, labels: Floats, weights: Floats | None = None) -> Calibration:
    """Return the maximum-likelihood line, with Platt's targets against overfitting few labels.

    If all weights are 0, because no inspection had a known probability, all labels weigh 1: the
    line then describes inspected subjects only. Raises TrainingError if the slope is not positive:
    such margins rank the window no better than in reverse.
    """
    weight = np.ones(len(labels)) if weights is None or not weights.any() else weights
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
    return Calibration(slope=slope, intercept=intercept)


def log_odds_of(margins: Floats, calibration: Calibration) -> Floats:
    """Return the calibrated log-odds of raw margins."""
    return calibration.slope * margins + calibration.intercept


def calibrated_probability(log_odds: Floats) -> Floats:
    """Return 1 / (1 + e^−log_odds)."""
    return np.asarray(expit(log_odds), dtype=np.float64)
