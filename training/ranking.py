"""Subjects with labels ranked by score, and measures of the ranking.

Rows have weights: the number of subjects each represents. Subjects of equal score form a group and
count in expectation, as if their order were random.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class ScoreRanking:
    """Labelled subjects in order of falling score; arrays are parallel.

    `labels` are 1 (confirmed) or 0; `values` are the values of subjects (0 if unknown); `order`
    leads back to the original rows; `starts` are the starts of groups of equal scores.
    """

    labels: Floats
    scores: Floats
    weights: Floats
    values: Floats
    order: Ints
    starts: Ints

    @classmethod
    def from_scores(
        cls,
        labels: npt.ArrayLike,
        scores: npt.ArrayLike,
        *,
        weights: npt.ArrayLike | None = None,
        values: npt.ArrayLike | None = None,
    ) -> Self:
        """Sort the subjects once, so that each measure is a single pass."""
        scored = np.asarray(scores, dtype=np.float64)
        # Stable: ties keep the order of the input, which makes results reproducible.
        order = np.argsort(-scored, kind="stable")
        ranked = scored[order]
        return cls(
            labels=np.asarray(labels, dtype=np.float64)[order],
            scores=ranked,
            weights=_in_order(weights, order, otherwise=1.0),
            values=_in_order(values, order, otherwise=0.0),
            order=order,
            starts=np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]),
        )

    def redrawn(self, counts: Ints | Floats) -> Self:
        """Return the same subjects, each weighted by `counts` (in the original order)."""
        return replace(self, weights=self.weights * counts[self.order])

    def grouped(self, per_row: Floats) -> Floats:
        """Return the weighted sum of `per_row` in each group of equal scores."""
        return np.add.reduceat(self.weights * per_row, self.starts)

    @cached_property
    def group_weight(self) -> Floats:
        """Numbers of subjects represented by each group of equal scores."""
        return np.add.reduceat(self.weights, self.starts)

    @cached_property
    def group_confirmed(self) -> Floats:
        """Numbers of confirmed subjects in each group of equal scores."""
        return self.grouped(self.labels)

    @cached_property
    def group_value(self) -> Floats:
        """Values of the confirmed subjects in each group of equal scores."""
        return self.grouped(self.labels * self.values)

    @cached_property
    def size(self) -> float:
        """The number of subjects that all rows represent."""
        return float(self.group_weight.sum())

    @property
    def prevalence(self) -> float:
        """The share of confirmed subjects, which is the precision of random draws."""
        return float(self.group_confirmed.sum() / self.size)


def inspected_share(ranking: ScoreRanking, share: float) -> Floats:
    """Return the share of each group of equal scores inspected at a capacity of `share`.

    Capacity is rounded down to whole subjects and is at least one.

    >>> inspected_share(ScoreRanking.from_scores([1, 0, 0, 1], [0.9, 0.5, 0.5, 0.1]), 0.5).tolist()
    [1.0, 0.5, 0.0]
    """
    # The tolerance keeps 0.05 * 100 = 5.000000000000001 or 4.999… at five subjects.
    capacity = max(1.0, np.floor(ranking.size * share + 1e-9))
    above = np.cumsum(ranking.group_weight) - ranking.group_weight
    room = np.clip(capacity - above, 0.0, ranking.group_weight)
    return np.divide(
        room, ranking.group_weight, out=np.zeros_like(room), where=ranking.group_weight > 0
    )


def inspected_rows(ranking: ScoreRanking, share: float) -> Floats:
    """Return `inspected_share` per row, in the original order."""
    per_group = inspected_share(ranking, share)
    sizes = np.diff(np.r_[ranking.starts, len(ranking.labels)])
    rows = np.empty(len(ranking.labels))
    rows[ranking.order] = np.repeat(per_group, sizes)
    return rows


def at_capacity(ranking: ScoreRanking, share: float) -> dict[str, float]:
    """Return precision, recall, lift and share of value captured if `share` is inspected."""
    inspected = inspected_share(ranking, share)
    hits = float((inspected * ranking.group_confirmed).sum())
    precision = hits / float((inspected * ranking.group_weight).sum())
    value = ranking.group_value
    return {
        "precision": precision,
        "recall": _ratio(hits, float(ranking.group_confirmed.sum())),
        "lift": _ratio(precision, ranking.prevalence),
        "value_captured": _ratio(float((inspected * value).sum()), float(value.sum())),
    }


def roc_auc(ranking: ScoreRanking) -> float:
    """Return the chance that a confirmed subject ranks above another; a tie counts one half."""
    confirmed = ranking.group_confirmed
    clean = ranking.group_weight - confirmed
    clean_below = clean.sum() - np.cumsum(clean)
    wins = float((confirmed * (clean_below + clean / 2)).sum())
    return _ratio(wins, float(confirmed.sum() * clean.sum()))


def pr_auc(ranking: ScoreRanking) -> float:
    """Return the average precision; a group of equal scores is one step."""
    inspected = np.cumsum(ranking.group_weight)
    found = np.cumsum(ranking.group_confirmed)
    precision = np.divide(found, inspected, out=np.zeros_like(found), where=inspected > 0)
    return _ratio(
        float((precision * ranking.group_confirmed).sum()), float(ranking.group_confirmed.sum())
    )


def brier_score(ranking: ScoreRanking) -> float:
    """Return the mean squared distance of probability and label."""
    return float((ranking.weights * (ranking.scores - ranking.labels) ** 2).sum() / ranking.size)


def log_loss(ranking: ScoreRanking) -> float:
    """Return the mean negative log-likelihood in nats, with probabilities in [1e-6, 1 − 1e-6]."""
    p = np.clip(ranking.scores, 1e-6, 1 - 1e-6)
    losses = -(ranking.labels * np.log(p) + (1 - ranking.labels) * np.log1p(-p))
    return float((ranking.weights * losses).sum() / ranking.size)


def reliability(ranking: ScoreRanking, bins: int = CALIBRATION_BINS) -> Floats:
    """Return mean probability, share confirmed and weight, per bin of equally many rows.

    Rows of equal score have the group's mean label, so the order of the file has no effect.
    """
    shared = np.divide(
        ranking.group_confirmed,
        ranking.group_weight,
        out=np.zeros_like(ranking.group_weight),
        where=ranking.group_weight > 0,
    )
    sizes = np.diff(np.r_[ranking.starts, len(ranking.labels)])
    columns = np.column_stack([ranking.scores, np.repeat(shared, sizes)])[::-1]
    weights = ranking.weights[::-1]
    rows = [_mean_row(columns[part], weights[part]) for part in _parts(len(weights), bins)]
    return np.array([row for row in rows if row[2] > 0])


def calibration_error(ranking: ScoreRanking, bins: int = CALIBRATION_BINS) -> float:
    """Return the expected calibration error over bins of equally many rows."""
    curve = reliability(ranking, bins)
    return float((curve[:, 2] * np.abs(curve[:, 0] - curve[:, 1])).sum() / curve[:, 2].sum())


def _in_order(values: npt.ArrayLike | None, order: Ints, *, otherwise: float) -> Floats:
    if values is None:
        return np.full(len(order), otherwise)
    return np.asarray(values, dtype=np.float64)[order]


def _ratio(part: float, whole: float) -> float:
    # NaN becomes an unknown Estimate.
    return part / whole if whole > 0 else float("nan")


def _parts(rows: int, bins: int) -> list[slice]:
    larger = rows % bins
    ends = np.cumsum([rows // bins + (place < larger) for place in range(bins)])
    return [slice(int(begin), int(end)) for begin, end in pairwise(np.r_[0, ends])]


def _mean_row(columns: Floats, weights: Floats) -> Floats:
    row = np.zeros(3)
    weight = weights.sum()
    if weight:
        row[:2], row[2] = weights @ columns / weight, weight
    return row
