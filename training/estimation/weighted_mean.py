"""Means of values in [0, 1] from units of unequal weight, with intervals that hold for few of them.

With equal weights the interval is the mid-P version of Clopper and Pearson's. That one adds a
unit without a finding for its lower end, one with a finding for its upper end, and lies halfway
between the two answers. Here the added unit weighs as much as a subject of the traffic would on
average if it were the next to be found, and the beta distributions have the variance that the
weights give: where what counts most was never seen, the interval says so.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from training.confidence_intervals import Estimate
from training.ranking import Floats

_POINTS = 250
_GRID = (np.arange(_POINTS) + 0.5) / _POINTS
# Units whose weights are within it are of one class.
_CLASS_RATIO = 4.0


@dataclass(frozen=True, eq=False)
class ConfidenceDistribution:
    """The confidence distribution of one figure from a sample: `points` are equally plausible
    values of it.

    `value` is the figure itself, without the units that were added for its interval.
    """

    value: float
    points: Floats

    @property
    def estimate(self) -> Estimate:
        """The figure with its 95 % interval."""
        low, high = np.quantile(self.points, [0.025, 0.975])
        return Estimate(self.value, float(low), float(high))

    def scaled(self, size: float, known: float = 0.0) -> "ConfidenceDistribution":
        """`size` times the figure, on top of a count that is `known`."""
        return ConfidenceDistribution(known + size * self.value, known + size * self.points)


def weighted_mean(
    values: Floats, weights: Floats, *, is_this_traffic: bool = True
) -> ConfidenceDistribution:
    """The mean of `values` in [0, 1], each of which stands for `weights` >= 1 units.

    With `is_this_traffic` the figure is that of the units that the sample was drawn from, so that a
    unit of weight 1 leaves no doubt; otherwise that of all traffic of their kind. Wants one value
    or more.
    """
    total = float(weights.sum())
    classes = np.floor(np.log(weights / weights.min()) / np.log(_CLASS_RATIO) + 1e-9)
    points = np.zeros(1)
    for each in np.unique(classes):
        mine = classes == each
        share = float(weights[mine].sum()) / total
        points = _sums(points, share * _points(values[mine], weights[mine], is_this_traffic))
    # The shares of the classes may add up to a little more than 1.
    return ConfidenceDistribution(float(weights @ values) / total, np.minimum(points, 1.0))


def part_of_both(
    one: ConfidenceDistribution, other: ConfidenceDistribution
) -> ConfidenceDistribution:
    """one / (one + other), where both are counts of independent samples.

    Its value makes good what the plain ratio of small counts is too large or too small on average,
    to second order. NaN where nothing was found in either.
    """
    both = one.value + other.value
    first, second = _thinned(one.points)[:, None], _thinned(other.points)[None, :]
    sums = first + second
    value = float("nan")
    if both > 0:
        spread_one, spread_other = float(one.points.var()), float(other.points.var())
        value = (one.value + spread_one / both) / (both + (spread_one + spread_other) / both)
    return ConfidenceDistribution(
        value, np.divide(first, sums, out=np.zeros_like(sums), where=sums > 0).ravel()
    )


def difference_of(
    one: ConfidenceDistribution, other: ConfidenceDistribution
) -> ConfidenceDistribution:
    """one - other, where both are figures of independent samples."""
    points = np.subtract.outer(_thinned(one.points), _thinned(other.points)).ravel()
    return ConfidenceDistribution(one.value - other.value, points)


def _points(values: Floats, weights: Floats, is_this_traffic: bool) -> Floats:
    """Plausible means of units of like weight."""
    spread = np.sqrt(weights * (weights - 1)) if is_this_traffic else weights
    total, found = float(weights.sum()), float(weights @ values)
    added = float(weights @ spread) / total
    halves = [
        _half(found + added * extra, total + added, values, spread, added, extra)
        for extra in (0.0, 1.0)
    ]
    return np.concatenate(halves)


def _sums(ones: Floats, others: Floats) -> Floats:
    """Plausible sums of two independent figures."""
    if len(ones) == 1:
        return ones + others
    sums = np.sort(np.add.outer(_thinned(ones), _thinned(others)), axis=None)
    step = len(sums) // (2 * _POINTS)
    return np.asarray(sums[step // 2 :: step])


def _thinned(points: Floats) -> Floats:
    return points[2::5] if len(points) > 2 else points


def _half(
    found: float, total: float, values: Floats, spread: Floats, added: float, extra: float
) -> Floats:
    """Points of the beta distribution with the mean and the variance of the enlarged sample."""
    mean = found / total
    squares = spread**2 @ (values - mean) ** 2 + added**2 * (extra - mean) ** 2
    variance = float(squares) / total**2
    if variance <= 0 or not 0 < mean < 1:
        return np.full(_POINTS, mean)
    units = mean * (1 - mean) / variance
    points = special.betaincinv(mean * units, (1 - mean) * units, _GRID)
    return np.asarray(points, dtype=np.float64)
