"""Compiled part of writing: merge new rows into those of their keys.

All arrays are int64 and hold what `page_format` describes. Blobs of many keys are concatenated; the
k-th ends at word `ends[k]`.
"""

import numpy as np

from features.engine.columns import Column
from features.engine.numba_cache import compiled, inlined, inner
from features.engine.store.page_format import (
    LABEL_AT,
    WIDTH,
    copy_words,
    rows_at,
    start_of,
)
from features.engine.windows.reducers import MISSING

# Multiplier of a hash: labels are small integers or bits of floats, and it spreads both.
_MIXING = 0x1E3779B97F4A7C15
NOT_COUNTED = 2**63 - 1  # later than the begin of every window, so never counted


@compiled
def merge_rows(
    old: Column,
    new: Column,
    starts: Column,
    new_ends: Column,
    shapes: Column,
) -> tuple[Column, Column]:
    """Return the open blobs with the new rows; at equal instants a key's old rows come first.

    `starts` holds the word of `new` at which each new row starts: the rows of the k-th key, in
    order, end at `new_ends[k]`. `shapes` holds the layout's shape for each key. The word after a
    label of a new row is the last instant at which closed pages had it.
    """
    out = np.empty(len(old) + len(new) + len(shapes), np.int64)
    ends = np.empty(len(shapes), np.int64)
    at = first_new = 0
    for key in range(len(shapes)):
        shape, begin, end = shapes[key], start_of(old, key), start_of(old, key + 1)
        head = rows_at(old[begin] if end > begin else 0, shape)
        # A new key has no pages, and this word is then its whole head.
        out[at] = 0
        copy_words(old, begin, min(begin + head, end), out, at)
        rows = old[min(begin + head, end) : end]
        first = at + head
        at = _rows_merged(out, first, rows, new, starts[first_new : new_ends[key]], shape)
        for word in range(shape[LABEL_AT], shape[WIDTH], 2):
            _set_previous_instants(out[first:at], shape[WIDTH], word)
        ends[key], first_new = at, new_ends[key]
    return out[:at], ends


@inlined
def _rows_merged(
    out: Column, at: int, old: Column, new: Column, starts: Column, shape: Column
) -> int:
    """Merge old and new rows into `out` from word `at` on, and return the word after them."""
    width, i, j = shape[WIDTH], 0, 0
    while i < len(old) or j < len(starts):
        if j == len(starts) or (i < len(old) and old[i] <= new[starts[j]]):
            copy_words(old, i, i + width, out, at)
            i += width
        else:
            copy_words(new, starts[j], starts[j] + width, out, at)
            j += 1
        at += width
    return at


@inlined
def _set_previous_instants(rows: Column, width: int, word: int) -> None:
    """Set after every label the instant of the previous row with the same label.

    The first row of a label gets the earliest instant among its rows: that is the last instant in
    closed pages, which an old first row or a new row has.
    """
    lasts = _no_lasts(len(rows) // width)
    for row in range(0, len(rows), width):
        at = _place_of(lasts, rows, row, word)
        # First pass: find the first row of each label and the earliest instant among its rows.
        first = row if lasts[at] < 0 else lasts[at]
        rows[first + word + 1] = min(rows[first + word + 1], rows[row + word + 1])
        lasts[at] = first
    for row in range(0, len(rows), width):
        at = _place_of(lasts, rows, row, word)
        # Second pass: every other row gets the instant of the row before with its label.
        if rows[row + word] == MISSING:
            rows[row + word + 1] = NOT_COUNTED
        elif lasts[at] != row:
            rows[row + word + 1] = rows[lasts[at]]
        lasts[at] = row


@inlined
def _no_lasts(rows: int) -> Column:
    """Return an empty hash table for one row per label, at most half full; -1 marks free slots."""
    # A power of two, so that a mask replaces the division.
    size = 2
    while size < 2 * rows:
        size *= 2
    lasts = np.empty(size, np.int64)
    lasts[:] = -1
    return lasts


@inner
def _place_of(lasts: Column, rows: Column, row: int, word: int) -> int:
    """Return the slot of a row's label in the hash table, or the free slot for it."""
    label = rows[row + word]
    at = ((label ^ label >> 32) * _MIXING >> 32) & (len(lasts) - 1)
    while lasts[at] >= 0 and rows[lasts[at] + word] != label:
        at = (at + 1) & (len(lasts) - 1)
    return at
