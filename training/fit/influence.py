"""How much one author or one office may weigh in what a model learns.

Whoever could turn many labels could turn a model. So labels of one author, or of one office, weigh
together no more than a share of all; beyond it each of them weighs less. A label whose author is
not known, since it came with record files, is nobody's.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.data.training_set import TrainingSet
from training.model.manifest import Part
from training.outcomes import Texts
from training.parameters import SelectionParameters
from training.ranking import Floats, Ints

ROUNDS = 20
"""Taking weight from authors gives offices a larger part, and so on; it settles soon."""


class InfluenceFigures(Part):
    """The part of all weight that the heaviest author or office has in what a model learnt from.

    `largest_before` is what it would have been unbounded; `allowed` is the bound.
    """

    by: str
    groups: int
    largest: float
    largest_before: float
    allowed: float


def bounded(weights: Floats, data: TrainingSet, rows: Ints, asked: SelectionParameters) -> Floats:
    """The weights of `rows`, where no author and no office exceeds its share.

    Equal to `weights` to the bit where none did.
    """
    groups = _groups(data, rows, asked)
    for _ in range(ROUNDS):
        before = weights
        for codes, share in groups.values():
            weights = _under(weights, codes, share)
        if weights is before:
            return weights
    return weights


def influence_of(
    before: Floats, weights: Floats, data: TrainingSet, rows: Ints, asked: SelectionParameters
) -> tuple[InfluenceFigures, ...]:
    """Who weighs most in `weights`, among authors and among offices, and weighed before."""
    return tuple(_told(before, weights, data, rows, asked))


def _told(
    before: Floats, weights: Floats, data: TrainingSet, rows: Ints, asked: SelectionParameters
) -> Iterator[InfluenceFigures]:
    for by, (codes, share) in _groups(data, rows, asked).items():
        known = codes >= 0
        if not known.any():
            continue
        now, then = (np.bincount(codes[known], each[known]) for each in (weights, before))
        yield InfluenceFigures(
            by=by,
            groups=len(now),
            largest=float(now.max() / weights.sum()),
            largest_before=float(then.max() / before.sum()),
            allowed=_allowed(share, len(now)),
        )


def _groups(
    data: TrainingSet, rows: Ints, asked: SelectionParameters
) -> dict[str, tuple[Ints, float]]:
    """The number of each row's author and office, -1 where it has none, and the share allowed."""
    offices = data.subjects["office_id"].astype(object).to_numpy()[rows]
    return {
        "author": (_codes(data.outcomes.author[rows]), asked.largest_author_share),
        "office": (_codes(offices), asked.largest_office_share),
    }


def _codes(names: Texts) -> Ints:
    return np.asarray(pd.factorize(names)[0], dtype=np.int64)


def _under(weights: Floats, codes: Ints, share: float) -> Floats:
    """Weights in which no group exceeds what it is allowed."""
    known = codes >= 0
    if not known.any():
        return weights
    held = np.bincount(codes[known], weights[known]).astype(np.float64)
    allowed = _allowed(share, len(held))
    goal = _lowered(held, weights[~known].sum(), allowed)
    factors = np.divide(goal, held, out=np.ones_like(held), where=goal < held)
    if (factors == 1).all():
        return weights
    return np.where(known, weights * factors[np.maximum(codes, 0)], weights)


def _allowed(share: float, groups: int) -> float:
    """The share, or twice an even one where the groups are so few that it is more."""
    return min(max(share, 2 / groups), 1.0)


def _lowered(held: Floats, rest: float, allowed: float) -> Floats:
    """What each group may hold so that none exceeds `allowed` of the sum, `rest` included."""
    is_large = np.zeros(len(held), dtype=np.bool_)
    goal = held
    while True:
        small = held[~is_large].sum() + rest
        room = 1 - allowed * is_large.sum()
        limit = allowed * small / room if room > 0 and small > 0 else held.min()
        goal = np.where(is_large, np.minimum(held, limit), held)
        more = ~is_large & (goal > allowed * goal.sum() + allowed * rest + 1e-9 * held.sum())
        if not more.any():
            return np.asarray(goal)
        is_large |= more
