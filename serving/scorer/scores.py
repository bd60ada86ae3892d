"""Calibrated log-odds, and the exact part of every feature in them."""

from dataclasses import dataclass
from typing import Self

import lightgbm
import numpy as np
import numpy.typing as npt

from training.risk_model import RiskModel

Floats = npt.NDArray[np.float64]

ADDITIVITY = 1e-9
"""How far base and contributions may be from the log-odds they explain."""


@dataclass(frozen=True)
class Scores:
    """Scores of n subjects; for each, `base_log_odds` + its contributions = its log-odds."""

    log_odds: Floats
    probability: Floats
    contributions: Floats
    base_log_odds: float


@dataclass(frozen=True)
class Scorer:
    """One model, ready to score rows encoded by that model."""

    model: RiskModel
    booster: lightgbm.Booster

    @classmethod
    def of(cls, model: RiskModel) -> Self:
        """A scorer of a model that was verified when it was read."""
        return cls(model, lightgbm.Booster(model_str=model.booster_text))

    def score(self, rows: Floats) -> Scores:
        """Score rows [n, features]; one row gives the same bits alone as among others.

        Raises ArithmeticError where contributions don't add up to the score they explain.
        """
        calibration = self.model.manifest.calibration
        margins = self._predict(rows, raw_score=True)
        parts = self._predict(rows, pred_contrib=True)
        scores = Scores(
            log_odds=calibration.slope * margins + calibration.intercept,
            probability=_logistic(calibration.slope * margins + calibration.intercept),
            contributions=calibration.slope * parts[:, :-1],
            base_log_odds=float(calibration.slope * parts[0, -1] + calibration.intercept),
        )
        _refuse_unexplained(scores)
        return scores

    def _predict(self, rows: Floats, **what: bool) -> Floats:
        # One thread: requests already run side by side, and sums keep their order.
        predicted = self.booster.predict(rows, num_threads=1, validate_features=False, **what)
        return np.asarray(predicted, dtype=np.float64)


def _logistic(log_odds: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-log_odds))


def _refuse_unexplained(scores: Scores) -> None:
    explained = scores.base_log_odds + scores.contributions.sum(axis=1)
    apart = np.abs(explained - scores.log_odds)
    if not np.all(apart <= ADDITIVITY * np.maximum(1.0, np.abs(scores.log_odds))):
        raise ArithmeticError("contributions do not add up to the score")
