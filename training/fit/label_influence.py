"""Bounds on the weight of one author, office or place of arrival in a fit.

Anyone who controls many labels could steer a model. So the labels of one author or office have at
most a share of the total weight; beyond that, each of them weighs less. A subject without an
office, such as any route, is inspected where it arrives, and labels of one place of arrival are
bounded like those of an office. Labels without a known author, from record files, are not bounded
by author.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.data.training_set import TrainingSet
from training.model.manifest import FrozenModel
from training.outcomes import Texts
from training.parameters import SelectionParameters
from training.ranking import Floats, Ints

# Lowering authors raises the share of offices and vice versa; this converges quickly.
ROUNDS = 20


class InfluenceFigures(FrozenModel):
    """The share of total weight that the heaviest author, office or place of arrival has.

    `largest_before` is the share without the bound; `allowed` is the bound.
    """

    by: str
    groups: int
    largest: float
    largest_before: float
    allowed: float


def bound_influence(
    weights: Floats, data: TrainingSet, rows: Ints, selection: SelectionParameters
) -> Floats:
    """Return the weights of `rows`, with no author, office or place above its share.

    Returns `weights` itself if none is above.
    """
    groups = _groups(data, rows, selection)
    for _ in range(ROUNDS):
        before = weights
        for codes, share in groups.values():
            weights = _limited(weights, codes, share)
        if weights is before:
            return weights
    return weights


def influence_figures(
    before: Floats, weights: Floats, data: TrainingSet, rows: Ints, selection: SelectionParameters
) -> tuple[InfluenceFigures, ...]:
    """Return the largest shares of authors, offices and places, before and after the bound."""
    return tuple(_figures(before, weights, data, rows, selection))


def _figures(
    before: Floats, weights: Floats, data: TrainingSet, rows: Ints, selection: SelectionParameters
) -> Iterator[InfluenceFigures]:
    for by, (codes, share) in _groups(data, rows, selection).items():
        known = codes >= 0
        if not known.any():
            continue
        after, unbounded = (
            np.bincount(codes[known], row_weights[known]) for row_weights in (weights, before)
        )
        yield InfluenceFigures(
            by=by,
            groups=len(after),
            largest=float(after.max() / weights.sum()),
            largest_before=float(unbounded.max() / before.sum()),
            allowed=allowed_share(share, len(after)),
        )


def _groups(
    data: TrainingSet, rows: Ints, selection: SelectionParameters
) -> dict[str, tuple[Ints, float]]:
    """Return each row's author, office and place as codes, -1 for none, with their bounds."""
    offices = data.subjects["office_id"].astype(object).iloc[rows]
    places = _places_of_arrival(data.subjects.iloc[rows]).where(offices.isna(), None)
    share = selection.largest_office_share
    return {
        "author": (_codes(data.outcomes.author[rows]), selection.largest_author_share),
        "office": (_codes(offices.to_numpy()), share),
        "place of arrival": (_codes(places.to_numpy()), share),
    }


def _places_of_arrival(subjects: pd.DataFrame) -> "pd.Series[str]":
    """Return the end of each subject's corridor; None if the training set has no corridors."""
    if "corridor" not in subjects:
        return pd.Series(None, index=subjects.index, dtype=object)
    corridors = subjects["corridor"].astype(object)
    return corridors.map(lambda corridor: corridor.rpartition(" > ")[2], na_action="ignore")


def _codes(names: Texts) -> Ints:
    return np.asarray(pd.factorize(names)[0], dtype=np.int64)


def _limited(weights: Floats, codes: Ints, share: float) -> Floats:
    """Return weights in which no group is above its bound."""
    known = codes >= 0
    if not known.any():
        return weights
    group_weights = np.bincount(codes[known], weights[known]).astype(np.float64)
    allowed = allowed_share(share, len(group_weights))
    goal = _limits(group_weights, weights[~known].sum(), allowed)
    factors = np.divide(
        goal, group_weights, out=np.ones_like(group_weights), where=goal < group_weights
    )
    # The same object, by which callers see that nothing changed.
    if (factors == 1).all():
        return weights
    return np.where(known, weights * factors[np.maximum(codes, 0)], weights)


def allowed_share(share: float, groups: int) -> float:
    """Return the bound, at least twice an even share: few groups cannot all be below it."""
    return min(max(share, 2 / groups), 1.0)


def _limits(group_weights: Floats, rest: float, allowed: float) -> Floats:
    """Return the most weight of each group so that none exceeds `allowed` of the total.

    `rest` is the weight outside of all groups.
    """
    is_large = np.zeros(len(group_weights), dtype=np.bool_)
    goal = group_weights
    # Lowering one group shrinks the total, which may put another above its share.
    while True:
        small = group_weights[~is_large].sum() + rest
        room = 1 - allowed * is_large.sum()
        limit = allowed * small / room if room > 0 and small > 0 else group_weights.min()
        goal = np.where(is_large, np.minimum(group_weights, limit), group_weights)
        is_over = ~is_large & (
            goal > allowed * goal.sum() + allowed * rest + 1e-9 * group_weights.sum()
        )
        if not is_over.any():
            return np.asarray(goal)
        is_large |= is_over
