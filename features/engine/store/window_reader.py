"""The compiled half of reading: all windows of some subjects over the ledgers of their keys.

A ledger is a slot: its open blob, and those of its closed pages where a window begins, ends or
counts different labels in them. A window is a row of five words: slot, reducer, span in
microseconds (-1 for ever), word in a row, and which it is of the layout's values or, where
different labels are counted, of its labels. Every subject has as many slots, and they are counted
through: the s-th of the i-th subject is `i * slots + s`.
"""

from typing import NamedTuple

import numpy as np

from features.engine.columns import Column
from features.engine.numba_cache import compiled, inlined, inner
from features.engine.store.page_format import (
    LABEL_AT,
    PAGE_ROWS,
    PAGES,
    WIDTH,
    first_at_or_after,
    rows_at,
    start_of,
)
from features.engine.store.page_reader import (
    NUMBERS,
    PAGE,
    FetchedBlobs,
    OpenBlobs,
    PagedLog,
    empty_prefix,
    first_of,
    has_closed,
    is_all_before,
    is_from_first,
    last_instant,
    last_instants,
    name_of,
    next_instant,
    page_of,
    paged_log,
    prefix_until,
    rows_of,
    totals,
    whole_prefix,
)
from features.engine.windows.reducers import (
    DIFFERENT,
    EVENTS,
    FIRST,
    GATHERED_WORDS,
    LAST,
    MISSING,
    PRESENT,
    SUM,
    Reducer,
    number_of,
    window_begin,
)

# In place of the open blob of a slot whose key the subject does not have: one word.
NO_KEY = bytes(8)


class OverlayRows(NamedTuple):
    """Rows beside those of the slots, in any order, those of a slot from `starts[slot]` on.

    Beside a label each tells when the slot's own rows had it last before its subject's instant.
    """

    words: Column
    starts: Column


@compiled
def logs_with_pages(laid: Column) -> Column:
    """The slots whose open blob says that there are closed pages."""
    slots, many = np.empty(start_of(laid, 0), np.int64), 0
    for slot in range(len(slots) - 1):
        start = start_of(laid, slot)
        if start < start_of(laid, slot + 1) and laid[start + PAGES] != 0:
            slots[many] = slot
            many += 1
    return slots[:many]


@compiled
def update_last_seen(
    passing: OverlayRows,
    instants: Column,
    shapes: Column,
    laid: Column,
    names: Column,
    fetched: Column,
) -> None:
    """Set beside each label that passes when its slot had it last, as far as rows at hand know.

    Where all closed pages lie before the instant, their rows were told of already.
    """
    opened, pages, many = OpenBlobs(laid, shapes), FetchedBlobs(names, fetched), len(shapes)
    for slot in range(len(passing.starts) - 1):
        if passing.starts[slot] == passing.starts[slot + 1]:
            continue
        shape, at = shapes[slot % many], instants[slot // many]
        width, rows = shape[WIDTH], _open_rows(opened, slot)
        own = passing.words[passing.starts[slot] : passing.starts[slot + 1]]
        ledger = paged_log(opened, slot, pages)
        first = first_of(names, name_of(PAGE, slot, 0))
        stop = first_of(names, name_of(PAGE, slot + 1, 0))
        if stop > first and is_all_before(ledger, at):
            stop = first
        for word in range(shape[LABEL_AT], width, 2):
            _tell_last(own, width, word, rows, at)
            for i in range(first, stop):
                _tell_last(own, width, word, rows_of(ledger, names[i] & NUMBERS), at)


@inner
def _tell_last(own: Column, width: int, word: int, rows: Column, at: int) -> None:
    """Set beside each label when rows had it last, where that is later than what is told."""
    stop = first_at_or_after(rows, width, len(rows) // width, at)
    for row in range(0, len(own), width):
        start = (stop - 1) * width
        while start >= 0 and rows[start] > own[row + word + 1]:
            if rows[start + word] == own[row + word]:
                own[row + word + 1] = rows[start]
            start -= width


@inner
def _open_rows(opened: OpenBlobs, slot: int) -> Column:
    """The words of the open rows of a slot."""
    start, stop = start_of(opened.words, slot), start_of(opened.words, slot + 1)
    if start == stop:
        return opened.words[start:stop]
    shape = opened.shapes[slot % len(opened.shapes)]
    return opened.words[start + rows_at(opened.words[start + PAGES], shape) : stop]


@compiled
def reduce_windows(
    windows: Column,
    instants: Column,
    shapes: Column,
    laid: Column,
    names: Column,
    fetched: Column,
    passing: Column,
    passing_starts: Column,
) -> Column:
    """The number of each window for each subject at its instant, a row per subject.

    What is `wanted` was fetched; the two last are of what passes. They come one by one: a tuple
    takes as long to enter compiled code as ten arrays.
    """
    opened, pages = OpenBlobs(laid, shapes), FetchedBlobs(names, fetched)
    beside = OverlayRows(passing, passing_starts)
    numbers = np.empty((len(instants), len(windows)))
    gathered = np.empty(GATHERED_WORDS, np.int64)
    for subject in range(len(instants)):
        at = instants[subject]
        for i in range(len(windows)):
            slot = subject * len(shapes) + windows[i, 0]
            if start_of(laid, slot + 1) - start_of(laid, slot) == 1:
                numbers[subject, i] = np.nan
            else:
                _gather(gathered, windows[i], slot, at, opened, pages, beside)
                numbers[subject, i] = number_of(windows[i, 1], gathered, at)
    return numbers


@inlined
def _gather(
    gathered: Column,
    window: Column,
    slot: int,
    at: int,
    opened: OpenBlobs,
    pages: FetchedBlobs,
    passing: OverlayRows,
) -> None:
    """Gather what a slot's closed pages, its open rows and what passes have of a window."""
    reducer, word, begin = window[1], window[3], window_begin(at, window[2])
    width = opened.shapes[window[0], WIDTH]
    gathered[:] = 0
    if has_closed(opened, slot, begin, at):
        _take_closed(gathered, window, paged_log(opened, slot, pages), begin, at)
    rows = _open_rows(opened, slot)
    if len(rows):
        _take_rows(gathered, rows, width, word, reducer, begin, at)
    start, stop = passing.starts[slot], passing.starts[slot + 1]
    if stop > start:
        beside = passing.words[start:stop]
        _take_all_passing(gathered, beside, width, word, reducer, begin, at)


@inlined
def _take_closed(gathered: Column, window: Column, ledger: PagedLog, begin: int, at: int) -> None:
    """Take what closed pages have of a window, before anything else is taken.

    But for different labels it is what they have until its end, less what they have until it
    begins.
    """
    _, reducer, _, word, number = window
    width = ledger.shape[WIDTH]
    if reducer == Reducer.DISTINCT:
        gathered[DIFFERENT] = _different(ledger, word, number, begin, at)
        return
    lower = empty_prefix(ledger) if is_from_first(ledger, begin) else prefix_until(ledger, begin)
    upper = whole_prefix(ledger) if is_all_before(ledger, at) else prefix_until(ledger, at)
    if upper.events == lower.events:
        return
    gathered[EVENTS] = upper.events - lower.events
    gathered[FIRST], gathered[LAST] = next_instant(lower, width), last_instant(upper, width)
    if word > 0:
        total, present = totals(upper, width, word, number)
        total_before, present_before = totals(lower, width, word, number)
        gathered[SUM], gathered[PRESENT] = total - total_before, present - present_before


@inner
def _different(ledger: PagedLog, word: int, label: int, begin: int, at: int) -> int:
    """How many labels closed pages have in a window."""
    if is_all_before(ledger, at):
        lasts = last_instants(ledger, label)
        return len(lasts) - first_of(lasts, begin)
    many, width = 0, ledger.shape[WIDTH]
    page = 0 if is_from_first(ledger, begin) else page_of(ledger, begin)
    while page <= page_of(ledger, at):
        rows = rows_of(ledger, page)
        first = first_at_or_after(rows, width, ledger.shape[PAGE_ROWS], begin)
        stop = first_at_or_after(rows, width, ledger.shape[PAGE_ROWS], at)
        many += _returning(rows, width, word + 1, first, stop, begin)
        page += 1
    return many


@inlined
def _take_rows(
    gathered: Column, rows: Column, width: int, word: int, reducer: int, begin: int, at: int
) -> None:
    size = len(rows) // width
    first = first_at_or_after(rows, width, size, begin)
    stop = first_at_or_after(rows, width, size, at)
    if first >= stop:
        return
    if gathered[EVENTS] == 0:
        gathered[FIRST] = rows[first * width]
    gathered[EVENTS] += stop - first
    gathered[LAST] = rows[(stop - 1) * width]
    if reducer == Reducer.DISTINCT:
        gathered[DIFFERENT] += _returning(rows, width, word + 1, first, stop, begin)
    elif word > 0:
        total, present = _total(rows, width, word, first, stop)
        gathered[SUM] += total
        gathered[PRESENT] += present


@inner
def _returning(rows: Column, width: int, word: int, first: int, stop: int, begin: int) -> int:
    """How many labels of these rows none before them has in the window; `word` tells of that."""
    many = 0
    for row in range(first, stop):
        many += rows[row * width + word] < begin
    return many


@inner
def _total(rows: Column, width: int, word: int, first: int, stop: int) -> tuple[int, int]:
    """The sum of what is present, and how many that are."""
    total = present = 0
    for row in range(first, stop):
        value = rows[row * width + word]
        if value != MISSING:
            total += value
            present += 1
    return total, present


@inlined
def _take_all_passing(
    gathered: Column, beside: Column, width: int, word: int, reducer: int, begin: int, at: int
) -> None:
    for row in range(0, len(beside), width):
        if begin <= beside[row] < at:
            _take_passing(gathered, beside, row, width, word, reducer, begin)


@inner
def _take_passing(
    gathered: Column, beside: Column, row: int, width: int, word: int, reducer: int, begin: int
) -> None:
    """Take one of the rows that pass."""
    instant, value = beside[row], beside[row + word]
    gathered[FIRST] = min(gathered[FIRST], instant) if gathered[EVENTS] else instant
    gathered[LAST] = max(gathered[LAST], instant) if gathered[EVENTS] else instant
    gathered[EVENTS] += 1
    if reducer == Reducer.DISTINCT:
        is_new = beside[row + word + 1] < begin and _is_first(beside, row, width, word, begin)
        gathered[DIFFERENT] += is_new
    elif word > 0 and value != MISSING:
        gathered[SUM] += value
        gathered[PRESENT] += 1


@inner
def _is_first(beside: Column, row: int, width: int, word: int, begin: int) -> bool:
    """Whether no row before has the same label in a window; all lie before its end."""
    for before in range(0, row, width):
        if beside[before + word] == beside[row + word] and beside[before] >= begin:
            return False
    return True
