"""The compiled half of writing: new rows among those of their keys, and pages that are closed.

All arrays are int64 and hold what `features.state.blobs` tells of; blobs of many keys lie one after
the other, the k-th ending at word `ends[k]`.
"""

import numpy as np

from features.columns import Column
from features.compiled import compiled, inner
from features.state.blobs import (
    BEFORE,
    CHAPTER_PAGES,
    EXTREME_WORDS,
    EXTREMES,
    FIRST,
    LABEL_AT,
    NEWEST,
    ORDER_WORDS,
    PAGE_ROWS,
    PAGES,
    PRESENT,
    SUM,
    VALUE_WORDS,
    WIDTH,
    entries,
    entry_words,
    index_at,
    nothing_before,
    rows_at,
    starts_of,
)
from features.state.layout import MISSING

NOT_COUNTED = 2**63 - 1  # the return of a missing label: later than every window's begin


@compiled
def merged(
    old: Column,
    new: Column,
    starts: Column,
    new_ends: Column,
    shapes: Column,
) -> tuple[Column, Column]:
    """The open blobs with the new rows in them, a key's old rows before new ones of equal order.

    `starts` has the word of `new` at which each new row starts: those of a key in order, up to the
    k-th's `new_ends[k]`. `shapes` has for each key that of its layout. A new row's word beside its
    label tells when the key had the label last in closed pages.
    """
    out = np.empty(len(old) + len(new) + len(shapes), np.int64)
    ends, olds = np.empty(len(shapes), np.int64), starts_of(old)
    at = 0
    for key in range(len(shapes)):
        shape = shapes[key]
        width, label_at = shape[WIDTH], shape[LABEL_AT]
        begin, end = olds[key], olds[key + 1]
        pages = old[begin] if end > begin else 0
        head = rows_at(pages, shape)
        first = at + head
        out[at] = 0
        if end > begin:
            out[at:first] = old[begin : begin + head]
        at = _rows_merged(
            out,
            first,
            old[min(begin + head, end) : end],
            new,
            starts[(new_ends[key - 1] if key else 0) : new_ends[key]],
            width,
            shape[ORDER_WORDS],
        )
        rows = out[first:at].reshape(-1, width)
        for word in range(label_at, width, 2):
            _tell_returns(rows, word)
        ends[key] = at
    return out[:at], ends


@inner
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


@inner
def _is_after(one: Column, other: Column, order_words: int) -> bool:
    for word in range(order_words):
        if one[word] != other[word]:
            return one[word] > other[word]
    return False


@inner
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


@compiled
def closed(blob: Column, shape: Column) -> tuple[Column, Column, Column]:
    """What remains open of a blob of two pages or more; the pages that close; chapters they end.

    Pages and chapters are a row each.
    """
    width, page_rows, chapter_pages = shape[WIDTH], shape[PAGE_ROWS], shape[CHAPTER_PAGES]
    pages = blob[PAGES]
    rows = blob[rows_at(pages, shape) :].reshape(-1, width)
    more = len(rows) // page_rows - 1
    first, before = rows[0, 0], nothing_before(shape)
    index = np.empty((entries(pages, shape) + more, entry_words(shape)), np.int64)
    size = 0
    if pages:
        first, before = blob[FIRST], blob[BEFORE : index_at(shape)].copy()
        size = entries(pages, shape)
        index.ravel()[: size * index.shape[1]] = blob[index_at(shape) : len(blob) - rows.size]
    into = np.empty((more, len(before) + page_rows * width), np.int64)
    chapters = np.empty((more // chapter_pages + 1, chapter_pages, index.shape[1]), np.int64)
    ended = 0
    for page in range(more):
        part = rows[page * page_rows : (page + 1) * page_rows]
        into[page, : len(before)] = before
        into[page, len(before) :] = part.ravel()
        _add(before, part, shape)
        index[size] = _entry(part, shape)
        size += 1
        pages += 1
        if pages % chapter_pages == 0:
            size -= chapter_pages
            chapters[ended] = index[size : size + chapter_pages]
            index[size] = _entry_of_all(chapters[ended])
            size += 1
            ended += 1
    head = np.array([pages, first], np.int64)
    remain = rows[more * page_rows :].ravel()
    left = np.concatenate((head, before, index[:size].ravel(), remain))
    return left, into, chapters[:ended].reshape(ended, -1)


@inner
def _add(before: Column, rows: Column, shape: Column) -> None:
    """Let what came before be told of these rows as well."""
    before[0] = rows[-1, 0]
    for i in range(shape[LABEL_AT] - shape[ORDER_WORDS]):
        word, of_value = shape[ORDER_WORDS] + i, VALUE_WORDS * i
        for row in range(len(rows)):
            if rows[row, word] != MISSING:
                before[of_value + SUM] += rows[row, word]
                before[of_value + PRESENT] += 1
        before[of_value + NEWEST] = rows[-1, word]


@inner
def _entry(rows: Column, shape: Column) -> Column:
    """The entry of a page in an index."""
    entry = np.full(entry_words(shape), MISSING, np.int64)
    entry[0] = rows[-1, 0]
    for i in range(shape[EXTREMES]):
        for row in range(len(rows)):
            value = rows[row, shape[ORDER_WORDS] + i]
            _widen(entry, 1 + EXTREME_WORDS * i, value, value)
    return entry


@inner
def _entry_of_all(pages: Column) -> Column:
    """The entry of a chapter, of those of its pages."""
    entry = np.full(pages.shape[1], MISSING, np.int64)
    entry[0] = pages[-1, 0]
    for page in range(len(pages)):
        for word in range(1, len(entry), EXTREME_WORDS):
            _widen(entry, word, pages[page, word], pages[page, word + 1])
    return entry


@inner
def _widen(entry: Column, word: int, largest: int, smallest: int) -> None:
    """Let an entry's largest and smallest value be of these as well, unless they are missing."""
    if largest != MISSING:
        entry[word] = max(entry[word], largest)  # MISSING is less than every value
        is_first = entry[word + 1] == MISSING
        entry[word + 1] = smallest if is_first else min(entry[word + 1], smallest)
