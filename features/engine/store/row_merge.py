"""The compiled half of writing: new rows among those of their keys.

All arrays are int64 and hold what `page_format` describes; blobs of many keys lie one after
the other, the k-th ending at word `ends[k]`.
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

# Labels are numbers in a row or the bits of a float; products with this differ in middle bits.
_MIXING = 0x1E3779B97F4A7C15
NOT_COUNTED = 2**63 - 1  # the return of a missing label: later than every window's begin


@compiled
def merge_rows(
    old: Column,
    new: Column,
    starts: Column,
    new_ends: Column,
    shapes: Column,
) -> tuple[Column, Column]:
    """The open blobs with the new rows in them; of one instant, a key's old rows come first.

    `starts` has the word of `new` at which each new row starts: those of a key in order, up to the
    k-th's `new_ends[k]`. `shapes` has for each key that of its layout. The word after a
    new row's label is when the key had the label last in closed pages.
    """
    out = np.empty(len(old) + len(new) + len(shapes), np.int64)
    ends = np.empty(len(shapes), np.int64)
    at = first_new = 0
    for key in range(len(shapes)):
        shape, begin, end = shapes[key], start_of(old, key), start_of(old, key + 1)
        head = rows_at(old[begin] if end > begin else 0, shape)
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
    """Put old and new rows in order from a word of `out` on; returns the word after them."""
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
    """Set after every label the instant of the row before with the same label.

    For the first of a label it is the earliest that its rows had until now: an old first row has
    it of the pages before, and so does a new one.
    """
    lasts = _no_lasts(len(rows) // width)
    for row in range(0, len(rows), width):
        at = _place_of(lasts, rows, row, word)
        first = row if lasts[at] < 0 else lasts[at]
        rows[first + word + 1] = min(rows[first + word + 1], rows[row + word + 1])
        lasts[at] = first
    for row in range(0, len(rows), width):
        at = _place_of(lasts, rows, row, word)
        if rows[row + word] == MISSING:
            rows[row + word + 1] = NOT_COUNTED
        elif lasts[at] != row:
            rows[row + word + 1] = rows[lasts[at]]
        lasts[at] = row


@inlined
def _no_lasts(rows: int) -> Column:
    """Room for a row of each label, at least half of which stays free; -1 for none."""
    size = 2
    while size < 2 * rows:
        size *= 2
    lasts = np.empty(size, np.int64)
    lasts[:] = -1
    return lasts


@inner
def _place_of(lasts: Column, rows: Column, row: int, word: int) -> int:
    """Return where the row of a row's label is, or would be."""
    label = rows[row + word]
    at = ((label ^ label >> 32) * _MIXING >> 32) & (len(lasts) - 1)
    while lasts[at] >= 0 and rows[lasts[at] + word] != label:
        at = (at + 1) & (len(lasts) - 1)
    return at
