"""Estimates with 95 % confidence intervals: mid-P for shares, bootstrap for others.

Needs numpy and scipy.special only, because the service imports it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from training.ranking import Floats, Ints, ScoreRanking

# Places of equally plausible values in the distribution of a figure.
GRID = (np.arange(250) + 0.5) / 250


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
    """Return a share with its 95 % mid-P interval; unknown without trials.

    It is that of `weighted_mean` for equal weights, so a share is the same on every page.

    >>> proportion(0, 0)
    Estimate(value=None, low=None, high=None)
    """
    if trials <= 0:
        return Estimate(None)
    halves = [plausible_shares((successes + more) / (trials + 1), trials + 1) for more in (0, 1)]
    low, high = np.quantile(halves, [0.025, 0.975])
    return Estimate(successes / trials, float(low), float(high))


def plausible_shares(mean: float, units: float) -> Floats:
    """Return equally plausible values of a share, in order: a beta distribution."""
    if units <= 0 or not 0 < mean < 1:
        return np.full(len(GRID), mean)
    points = special.betaincinv(mean * units, (1 - mean) * units, GRID)
    return np.asarray(points, dtype=np.float64)


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
