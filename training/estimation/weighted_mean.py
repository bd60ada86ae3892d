"""Weighted means of values in [0, 1], with intervals that hold in small samples.

With equal weights the interval is the mid-P version of Clopper and Pearson's: add one unit without
a finding for the lower end, one with a finding for the upper end, and average the two answers. Here
the added unit has the weight that the next finding would have on average, and the beta
distributions have the variance that the weights imply. So the interval stays wide if the units of
greatest weight showed no finding.
"""

from dataclasses import dataclass

import numpy as np

from training.confidence_intervals import Estimate, plausible_shares
from training.ranking import Floats, Ints

# Units are grouped into classes whose weights differ by at most this factor.
_CLASS_RATIO = 4.0

# The largest variance of a sum, relative to its square, at which its ratio is corrected in full.
# Of .1 to 1, it has the least bias over the designs of `experiments/estimators`.
MAX_CORRECTED_VARIANCE = 0.3


@dataclass(frozen=True, eq=False)
class ConfidenceDistribution:
    """The confidence distribution of a figure: `points` are equally plausible values.

    `value` is the estimate itself, without the units added for the interval.
    """

    value: float
    points: Floats

    @property
    def estimate(self) -> Estimate:
        """The figure with its 95 % interval."""
        low, high = np.quantile(self.points, [0.025, 0.975])
        return Estimate(self.value, float(low), float(high))

    def with_unrepresented(self, share: float) -> "ConfidenceDistribution":
        """Return a share of units, of which the lowest estimate counts none of this part.

        The figure itself takes them for like the others.
        """
        if share <= 0:
            return self
        points = np.sort(self.points)
        lower_half = np.minimum(2 * np.arange(len(points)) / len(points), 1.0)
        return ConfidenceDistribution(self.value, points * (1 - share * (1 - lower_half)))

    def scaled(self, size: float, known: float = 0.0) -> "ConfidenceDistribution":
        """Return `size` times the figure plus a `known` count."""
        return ConfidenceDistribution(known + size * self.value, known + size * self.points)


def weighted_mean(
    values: Floats,
    weights: Floats,
    together: Ints | None = None,
    *,
    is_this_traffic: bool = True,
) -> ConfidenceDistribution:
    """Return the mean of `values` in [0, 1], each of which represents `weights` >= 1 units.

    With `is_this_traffic` the figure is about the finite traffic sampled from, where a unit of
    weight 1 leaves no uncertainty; otherwise about all traffic of its kind. Values with the same
    number in `together` are one draw, however alike they are. Needs at least one value.
    """
    # The finite-population correction: w - 1 of the w units represented were not seen.
    spread = np.sqrt(weights * (weights - 1)) if is_this_traffic else weights
    found, weights, spread = (
        by_inspection(each, together) for each in (weights * values, weights, spread)
    )
    total = float(weights.sum())
    classes = np.floor(np.log(weights / weights.min()) / np.log(_CLASS_RATIO) + 1e-9)
    points = np.zeros(1)
    for each in np.unique(classes):
        mine = classes == each
        share = float(weights[mine].sum()) / total
        points = _sums(points, share * _points(found[mine], weights[mine], spread[mine]))
    # By rounding, the shares of the classes may add up to slightly more than 1.
    return ConfidenceDistribution(float(found.sum()) / total, np.minimum(points, 1.0))


def by_inspection(amounts: Floats, together: Ints | None) -> Floats:
    """Return the sum of `amounts` for each number in `together`; unchanged if all differ."""
    if together is None:
        return amounts
    distinct, places = np.unique(together, return_inverse=True)
    if len(distinct) == len(amounts):
        return amounts
    return np.bincount(places, weights=amounts).astype(np.float64)


def part_of_both(
    one: ConfidenceDistribution, other: ConfidenceDistribution
) -> ConfidenceDistribution:
    """Return one / (one + other), for counts of independent samples.

    Corrects the bias of the plain ratio to second order where the sum is certain enough, and tends
    to the mean of plausible ratios where it is not. NaN if both counts are zero.
    """
    both = one.value + other.value
    first, second = _thinned(one.points)[:, None], _thinned(other.points)[None, :]
    sums = first + second
    points = np.divide(first, sums, out=np.zeros_like(sums), where=sums > 0).ravel()
    if not both > 0:
        return ConfidenceDistribution(float("nan"), points)
    spread_one, spread_other = float(one.points.var()), float(other.points.var())
    corrected = (one.value + spread_one / both) / (both + (spread_one + spread_other) / both)
    # The correction begins a series in this variance. Where that is large, it shrinks ratios to 0.
    variance = (spread_one + spread_other) / both**2
    trust = min(1.0, MAX_CORRECTED_VARIANCE / variance) if variance else 1.0
    value = trust * corrected + (1 - trust) * float(points.mean())
    return ConfidenceDistribution(value, points)


def difference_of(
    one: ConfidenceDistribution, other: ConfidenceDistribution
) -> ConfidenceDistribution:
    """Return one - other, for figures of independent samples."""
    points = np.subtract.outer(_thinned(one.points), _thinned(other.points)).ravel()
    return ConfidenceDistribution(one.value - other.value, points)


def _points(counts: Floats, weights: Floats, spread: Floats) -> Floats:
    """Return plausible means of units of similar weight, of which `counts` were found."""
    total, found = float(weights.sum()), float(counts.sum())
    values = counts / weights
    added = float(weights @ spread) / total
    halves = [
        _half(found + added * extra, total + added, values, spread, added, extra)
        for extra in (0.0, 1.0)
    ]
    return np.concatenate(halves)


def _sums(ones: Floats, others: Floats) -> Floats:
    """Return plausible sums of two independent figures, thinned to a fixed number of points."""
    if len(ones) == 1:
        return ones + others
    sums = np.sort(np.add.outer(_thinned(ones), _thinned(others)), axis=None)
    step = len(sums) // len(ones)
    return np.asarray(sums[step // 2 :: step])


def _thinned(points: Floats) -> Floats:
    return points[2::5] if len(points) > 2 else points


def _half(
    found: float, total: float, values: Floats, spread: Floats, added: float, extra: float
) -> Floats:
    """Return points of the beta distribution with mean and variance of the enlarged sample."""
    mean = found / total
    squares = spread**2 @ (values - mean) ** 2 + added**2 * (extra - mean) ** 2
    variance = float(squares) / total**2
    units = mean * (1 - mean) / variance if variance > 0 else 0.0
    return plausible_shares(mean, units)
