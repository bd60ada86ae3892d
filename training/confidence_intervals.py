"""Estimates with 95 % confidence intervals: Wilson for shares, bootstrap for others.

Needs numpy only, because the service imports it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.ranking import Floats, Ints, ScoreRanking

# The 97.5 % quantile of the normal distribution.
NORMAL_975 = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; None if too little is known.

    Values that are not finite become None, so that no page ever shows `nan`.
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
    """Return each figure with its 95 % percentile interval over `rounds` bootstrap samples."""
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
    """Return the first minus the second, with intervals from paired bootstrap samples.

    Both rankings must hold the same subjects in the same original order.

    Pairing cancels what both share, which makes the interval of the difference narrower.
    """
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
    """Return a share with its 95 % Wilson interval; unknown without trials.

    >>> proportion(0, 0)
    Estimate(value=None, low=None, high=None)
    """
    if trials <= 0:
        return Estimate(None)
    # Wilson stays within 0..1 and is sound for few trials, unlike the normal approximation.
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
    # A figure may be undefined in a redraw without a positive subject.
    finite = redraws[np.isfinite(redraws)]
    if not len(finite):
        return Estimate(value)
    low, high = np.quantile(finite, [0.025, 0.975])
    return Estimate(value, float(low), float(high))
