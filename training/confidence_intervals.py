"""Estimates with 95 % confidence intervals: Wilson for shares, bootstrap for others.

Needs numpy only, since the service imports it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.ranking import Floats, Ints, ScoreRanking

# The quantile of the normal distribution with 2.5 % above it.
NORMAL_975 = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; None where too little is known to say.

    What is not a finite number is no figure either, so that none is ever shown as `nan`.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            figure = getattr(self, name)
            if figure is not None and not math.isfinite(figure):
                object.__setattr__(self, name, None)


Figures = Callable[[ScoreRanking], dict[str, float]]


def with_intervals(
    ranking: ScoreRanking, figures: Figures, *, rounds: int, seed: int
) -> dict[str, Estimate]:
    """Every figure with its 95 % percentile interval over `rounds` redraws of the rows."""
    values = figures(ranking)
    rng = np.random.default_rng(seed)
    redraws = [figures(ranking.redrawn(_counts(len(ranking.labels), rng))) for _ in range(rounds)]
    return {
        name: _estimate(value, np.array([redraw[name] for redraw in redraws]))
        for name, value in values.items()
    }


def difference(
    first: ScoreRanking, second: ScoreRanking, figures: Figures, *, rounds: int, seed: int
) -> dict[str, Estimate]:
    """The first minus the second on the same subjects in one original order, redrawn in pairs."""
    rng = np.random.default_rng(seed)
    whole = _minus(figures(first), figures(second))
    redraws = []
    for _ in range(rounds):
        counts = _counts(len(first.labels), rng)
        redraws.append(_minus(figures(first.redrawn(counts)), figures(second.redrawn(counts))))
    return {
        name: _estimate(value, np.array([redraw[name] for redraw in redraws]))
        for name, value in whole.items()
    }


def proportion(successes: float, trials: float) -> Estimate:
    """A share with its 95 % Wilson interval; nothing is said about no trials.

    >>> proportion(0, 0)
    Estimate(value=None, low=None, high=None)
    """
    if trials <= 0:
        return Estimate(None)
    z = NORMAL_975
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    half = float(spread / (1 + z * z / trials))
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))


def _counts(rows: int, rng: np.random.Generator) -> Ints:
    return np.bincount(rng.integers(0, rows, rows), minlength=rows)


def _minus(first: dict[str, float], second: dict[str, float]) -> dict[str, float]:
    return {name: first[name] - second[name] for name in first}


def _estimate(value: float, redraws: Floats) -> Estimate:
    if not np.isfinite(value):
        return Estimate(None)
    finite = redraws[np.isfinite(redraws)]
    if not len(finite):
        return Estimate(value)
    low, high = np.quantile(finite, [0.025, 0.975])
    return Estimate(value, float(low), float(high))
