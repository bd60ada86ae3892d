"""Labelled subjects ranked by score, and what the ranking is worth.

Rows carry weights: how many subjects each stands for. Subjects with equal scores are one group and
count in expectation, as if the order inside the group were drawn at random.
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
    """Labelled subjects from the highest score down; arrays are parallel.

    `labels` are 1 (confirmed) or 0; `values` what a confirmed subject is worth (0 where unknown);
    `order` leads back to the rows the ranking was made of; `starts` where each group of equal
    scores begins.
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
        """Sort the subjects once; every figure is then one pass."""
        scored = np.asarray(scores, dtype=np.float64)
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
        """The same subjects, each taken as often as `counts` (in the original order) says."""
        return replace(self, weights=self.weights * counts[self.order])

    def grouped(self, per_row: Floats) -> Floats:
        """Weighted sum of `per_row` in each group of equal scores."""
        return np.add.reduceat(self.weights * per_row, self.starts)

    @cached_property
    def group_weight(self) -> Floats:
        """Return how many subjects each group of equal scores stands for."""
        return np.add.reduceat(self.weights, self.starts)

    @cached_property
    def group_confirmed(self) -> Floats:
        """Return how many of them are confirmed."""
        return self.grouped(self.labels)

    @property
    def size(self) -> float:
        """Return how many subjects the rows stand for."""
        return float(self.group_weight.sum())

    @property
    def prevalence(self) -> float:
        """Share of confirmed subjects: the precision of drawing at random."""
        return float(self.group_confirmed.sum() / self.size)


def inspected_share(ranking: ScoreRanking, share: float) -> Floats:
    """Per group of equal scores, the part inspected when `share` of all subjects can be.

    Capacity is rounded down to whole subjects and is at least one.

    >>> inspected_share(ScoreRanking.from_scores([1, 0, 0, 1], [0.9, 0.5, 0.5, 0.1]), 0.5).tolist()
    [1.0, 0.5, 0.0]
    """
    capacity = max(1.0, np.floor(ranking.size * share + 1e-9))
    above = np.cumsum(ranking.group_weight) - ranking.group_weight
    room = np.clip(capacity - above, 0.0, ranking.group_weight)
    return np.divide(
        room, ranking.group_weight, out=np.zeros_like(room), where=ranking.group_weight > 0
    )


def inspected_rows(ranking: ScoreRanking, share: float) -> Floats:
    """As `inspected_share`, per row and in the order the ranking was made of."""
    per_group = inspected_share(ranking, share)
    sizes = np.diff(np.r_[ranking.starts, len(ranking.labels)])
    rows = np.empty(len(ranking.labels))
    rows[ranking.order] = np.repeat(per_group, sizes)
    return rows


def at_capacity(ranking: ScoreRanking, share: float) -> dict[str, float]:
    """Precision, recall, lift and share of value captured where `share` is inspected."""
    inspected = inspected_share(ranking, share)
    hits = float((inspected * ranking.group_confirmed).sum())
    precision = hits / float((inspected * ranking.group_weight).sum())
    value = ranking.grouped(ranking.labels * ranking.values)
    return {
        "precision": precision,
        "recall": _ratio(hits, float(ranking.group_confirmed.sum())),
        "lift": _ratio(precision, ranking.prevalence),
        "value_captured": _ratio(float((inspected * value).sum()), float(value.sum())),
    }


def roc_auc(ranking: ScoreRanking) -> float:
    """Chance that a confirmed subject ranks above a not confirmed one; a tie counts one half."""
    confirmed = ranking.group_confirmed
    clean = ranking.group_weight - confirmed
    clean_below = clean.sum() - np.cumsum(clean)
    wins = float((confirmed * (clean_below + clean / 2)).sum())
    return _ratio(wins, float(confirmed.sum() * clean.sum()))


def pr_auc(ranking: ScoreRanking) -> float:
    """Average precision; a group of equal scores is one step."""
    inspected = np.cumsum(ranking.group_weight)
    found = np.cumsum(ranking.group_confirmed)
    precision = np.divide(found, inspected, out=np.zeros_like(found), where=inspected > 0)
    return _ratio(
        float((precision * ranking.group_confirmed).sum()), float(ranking.group_confirmed.sum())
    )


def brier_score(ranking: ScoreRanking) -> float:
    """Mean squared distance of probability and label."""
    return float((ranking.weights * (ranking.scores - ranking.labels) ** 2).sum() / ranking.size)


def log_loss(ranking: ScoreRanking) -> float:
    """Mean negative log-likelihood in nats, probabilities held within [1e-6, 1 − 1e-6]."""
    p = np.clip(ranking.scores, 1e-6, 1 - 1e-6)
    losses = -(ranking.labels * np.log(p) + (1 - ranking.labels) * np.log1p(-p))
    return float((ranking.weights * losses).sum() / ranking.size)


def reliability(ranking: ScoreRanking, bins: int = CALIBRATION_BINS) -> Floats:
    """Per bin of equally many rows, from low to high: mean probability, share confirmed, weight.

    Rows with equal scores carry the group's mean label, so the file's order cannot matter.
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
    """Expected calibration error over bins of equally many rows."""
    curve = reliability(ranking, bins)
    return float((curve[:, 2] * np.abs(curve[:, 0] - curve[:, 1])).sum() / curve[:, 2].sum())


def _in_order(values: npt.ArrayLike | None, order: Ints, *, otherwise: float) -> Floats:
    if values is None:
        return np.full(len(order), otherwise)
    return np.asarray(values, dtype=np.float64)[order]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _parts(rows: int, bins: int) -> list[slice]:
    larger = rows % bins
    ends = np.cumsum([rows // bins + (place < larger) for place in range(bins)])
    return [slice(int(begin), int(end)) for begin, end in pairwise(np.r_[0, ends])]


def _mean_row(columns: Floats, weights: Floats) -> Floats:
    weight = weights.sum()
    if weight == 0:
        return np.zeros(3)
    return np.r_[weights @ columns / weight, weight]
