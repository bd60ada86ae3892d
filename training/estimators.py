"""Figures from labelled subjects with their 95 % intervals. Needs numpy only."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.ranking import Floats, Ints, Ranking

NORMAL_975 = 1.959963984540054
"""The quantile of the normal distribution with 2.5 % above it."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; None where too little is known to say."""

    value: float | None
    low: float | None = None
    high: float | None = None


Figures = Callable[[Ranking], dict[str, float]]


def with_intervals(
    ranking: Ranking, figures: Figures, *, rounds: int, seed: int
) -> dict[str, Estimate]:
    """Every figure with its 95 % percentile interval over `rounds` redraws of the rows."""
    values = figures(ranking)
    lots = np.random.default_rng(seed)
    redraws = [figures(ranking.redrawn(_counts(len(ranking.labels), lots))) for _ in range(rounds)]
    return {
        name: _estimate(value, np.array([redraw[name] for redraw in redraws]))
        for name, value in values.items()
    }


def difference(
    ours: Ranking, theirs: Ranking, figures: Figures, *, rounds: int, seed: int
) -> dict[str, Estimate]:
    """Ours minus theirs on the same subjects in the same original order, redrawn in pairs."""
    lots = np.random.default_rng(seed)
    whole = _minus(figures(ours), figures(theirs))
    redraws = []
    for _ in range(rounds):
        counts = _counts(len(ours.labels), lots)
        redraws.append(_minus(figures(ours.redrawn(counts)), figures(theirs.redrawn(counts))))
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


def _counts(rows: int, lots: np.random.Generator) -> Ints:
    return np.bincount(lots.integers(0, rows, rows), minlength=rows)


def _minus(ours: dict[str, float], theirs: dict[str, float]) -> dict[str, float]:
    return {name: ours[name] - theirs[name] for name in ours}


def _estimate(value: float, redraws: Floats) -> Estimate:
    if not np.isfinite(value):
        return Estimate(None)
    known = redraws[np.isfinite(redraws)]
    if not len(known):
        return Estimate(value)
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(value, float(low), float(high))
