"""The compiled half of writing: new rows among those of their keys, and summaries of pages.

An open blob is a header (how many pages are closed, the last instant in them) and rows in order.
All arrays are int64; blobs of many keys lie one after the other, the k-th ending at word `ends[k]`.
"""

import numpy as np
from numba import njit

from features.columns import Column
from features.state.layout import MISSING, NEVER, SUMMARY_WORDS, VALUE_WORDS

HEADER_WORDS = 2
NOT_COUNTED = 2**63 - 1  # the return of a missing label: later than every window's begin


@njit(cache=True)
def merged(
    old: Column, old_ends: Column, new: Column, starts: Column, new_ends: Column, shapes: Column
) -> tuple[Column, Column]:
    """The open blobs with the new rows in them, a key's old rows before new ones of equal order.

    `starts` has the word of `new` at which each new row starts: those of a key in order, up to the
    k-th's `new_ends[k]`. `shapes` has for each key the width of its rows, how many leading words
    order them and the word of the first label. A new row's word beside its label tells when the key
    had the label last in closed pages.
    """
    out = np.empty(len(old) + len(new) + HEADER_WORDS * len(old_ends), np.int64)
    ends = np.empty(len(old_ends), np.int64)
    at = 0
    for key in range(len(old_ends)):
        width, order_words, label_at = shapes[key]
        begin, end = old_ends[key - 1] if key else 0, old_ends[key]
        first = at + HEADER_WORDS
        out[at:first] = old[begin : begin + HEADER_WORDS] if end > begin else _NO_PAGES
        at = _rows_merged(
            out,
            first,
            old[min(begin + HEADER_WORDS, end) : end],
            new,
            starts[(new_ends[key - 1] if key else 0) : new_ends[key]],
            width,
            order_words,
        )
        rows = out[first:at].reshape(-1, width)
        for word in range(label_at, width, 2):
            _tell_returns(rows, word)
        ends[key] = at
    return out[:at], ends


_NO_PAGES = np.array([0, NEVER], np.int64)


@njit(cache=True)
def _rows_merged(
    out: Column,
    at: int,
    old: Column,
    new: Column,
    starts: Column,
    width: int,
    order_words: int,
) -> int:
    i = j = 0
    while i < len(old) or j < len(starts):
        if j == len(starts) or (
            i < len(old) and not _is_after(old[i:], new[starts[j] :], order_words)
        ):
            out[at : at + width] = old[i : i + width]
            i += width
        else:
            out[at : at + width] = new[starts[j] : starts[j] + width]
            j += 1
        at += width
    return at


@njit(cache=True)
def _is_after(one: Column, other: Column, order_words: int) -> bool:
    for word in range(order_words):
        if one[word] != other[word]:
            return one[word] > other[word]
    return False


@njit(cache=True)
def _tell_returns(rows: Column, word: int) -> None:
    """Set beside every label the instant of the row before with the same label.

    For the first of a label it is the earliest that its rows told until now: an old first row knew
    the pages before it, a new one was told them.
    """
    order = np.argsort(rows[:, word], kind="mergesort")
    start = 0
    while start < len(order):
        label = rows[order[start], word]
        stop = start
        before = NOT_COUNTED
        while stop < len(order) and rows[order[stop], word] == label:
            before = min(before, rows[order[stop], word + 1])
            stop += 1
        for place in range(start, stop):
            rows[order[place], word + 1] = NOT_COUNTED if label == MISSING else before
            before = rows[order[place], 0]
        start = stop


@njit(cache=True)
def summarised(rows: Column, size: int, values_at: int, before: Column) -> Column:
    """The summary of each page of `size` rows, after the summary of the page before."""
    pages = len(rows) // size
    told = np.empty((pages, len(before)), np.int64)
    for page in range(pages):
        part = rows[page * size : (page + 1) * size]
        told[page, 0], told[page, 1], told[page, 2] = part[0, 0], part[-1, 0], before[2] + size
        for i in range((len(before) - SUMMARY_WORDS) // VALUE_WORDS):
            word = SUMMARY_WORDS + VALUE_WORDS * i
            told[page, word : word + 2] = before[word : word + 2]
            _summarise(part[:, values_at + i], told[page, word : word + VALUE_WORDS])
        before = told[page]
    return told


@njit(cache=True)
def _summarise(values: Column, told: Column) -> None:
    told[2], told[3], told[4] = MISSING, MISSING, values[-1]
    for value in values:
        if value != MISSING:
            told[0] += value
            told[1] += 1
            told[2] = value if told[2] == MISSING else max(told[2], value)
            told[3] = value if told[3] == MISSING else min(told[3], value)
