"""Encode rows as bin numbers: the position of each value among the thresholds of its column.

Nodes that test the same feature and treat missing values alike share a column. A value's code is
the number of that column's thresholds below it, so that the test `value <= threshold` becomes `code
<= rank`. A missing value is coded 0 or past the end, which sends it left or right at every node of
the column. Column `~c` means category feature c, whose code is the category.
"""

from typing import NamedTuple

import numpy as np

from features.engine.numba_cache import inner
from serving.models.forest import (
    IS_CATEGORICAL,
    IS_DEFAULT_LEFT,
    MISSING_NONE,
    MISSING_SHIFT,
    MISSING_ZERO,
    Bytes,
    Floats,
    Forest,
    Ints,
    Words,
)

# LightGBM treats anything this small as zero (kZeroThreshold).
ZERO = float(np.float32(1e-35))

# LightGBM casts categories to 32-bit integers.
PAST_CATEGORIES = float(1 << 31)


class Columns(NamedTuple):
    """The numerical columns of a forest, and its category features.

    The thresholds of column c are `cuts[cut_start[c]:cut_start[c+1]]`.
    """

    feature: Ints
    missing: Bytes
    is_default_left: Bytes
    cut_start: Ints
    cuts: Floats
    category_feature: Ints


def columns_of(forest: Forest) -> tuple[Columns, Ints, Ints]:
    """Return the columns, and each node's column and rank (rank 0 for a categorical node)."""
    is_category = (forest.decision & IS_CATEGORICAL).astype(bool)
    category_feature, category = np.unique(forest.feature[is_category], return_inverse=True)
    numeric = np.flatnonzero(~is_category)
    kind = _kinds(forest)[numeric]
    kinds, places = np.unique(kind, return_inverse=True)
    column = np.empty(len(forest.feature), np.int32)
    column[is_category] = ~category
    column[numeric] = places
    cuts = [np.unique(forest.threshold[numeric[places == c]]) for c in range(len(kinds))]
    rank = np.zeros(len(forest.feature), np.int32)
    for c, thresholds in enumerate(cuts):
        nodes = numeric[places == c]
        rank[nodes] = np.searchsorted(thresholds, forest.threshold[nodes])
    columns = Columns(
        feature=(kinds >> 3).astype(np.int32),
        missing=(kinds >> 1 & 3).astype(np.uint8),
        is_default_left=(kinds & 1).astype(np.uint8),
        cut_start=np.cumsum([0, *map(len, cuts)]).astype(np.int32),
        cuts=np.concatenate([*cuts, np.zeros(0)]),
        category_feature=category_feature.astype(np.int32),
    )
    return columns, column, rank


def _kinds(forest: Forest) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    missing = forest.decision.astype(np.int64) >> MISSING_SHIFT
    # Where nothing is missing, the default direction is never taken.
    is_left = ((forest.decision & IS_DEFAULT_LEFT) > 0) & (missing != MISSING_NONE)
    return forest.feature.astype(np.int64) << 3 | missing << 1 | is_left


@inner
def code_of(columns: Columns, c: int, value: float) -> int:
    """Return how many thresholds of column c are below the value."""
    start, stop = columns.cut_start[c], columns.cut_start[c + 1]
    missing = columns.missing[c]
    if np.isnan(value):
        is_missing = missing != MISSING_NONE
        value = 0.0
    elif abs(value) <= ZERO:
        is_missing = missing == MISSING_ZERO
        value = 0.0
    else:
        is_missing = False
    if is_missing:
        return 0 if columns.is_default_left[c] else stop - start
    low, high = start, stop
    while low < high:
        middle = (low + high) // 2
        if columns.cuts[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low - start


@inner
def category_of(value: float) -> int:
    """Return the category that LightGBM reads in a number, its integer part; -1 for none."""
    if value > -1.0 and value < PAST_CATEGORIES:
        return int(value)
    return -1


@inner
def is_in(words: Words, first: int, length: int, category: int) -> int:
    """Return 1 if a category's bit is set in `length` words from `first` on, which a 0 follows.

    Category -1 (none) is past all words once it is unsigned.
    """
    word = np.int64(first) + min(np.int64(category) >> 5, np.int64(length))
    return int(words[word] >> (category & 31)) & 1
