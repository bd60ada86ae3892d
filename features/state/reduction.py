"""The compiled half of reading: all windows of some subjects over the ledgers of their keys.

A ledger is a slot: its open blob, the summaries of its closed pages, and those pages themselves
where a window begins, ends or counts different labels in them. A window is a row of five words:
slot, reducer, span in microseconds (-1 for ever), word in a row, and word in a summary or, where
different labels are counted, which of the labels they are. Every subject has as many slots, and
they are counted through: the s-th of the i-th subject is `i * slots + s`, and so for labels.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from features.columns import Column
from features.state.closed import Pages, Told, page_rows, pages_of, told_by_lasts
from features.state.layout import MISSING
from features.state.merging import HEADER_WORDS
from features.state.reducers import (
    DIFFERENT,
    DISTINCT,
    EVENTS,
    FIRST,
    LARGEST,
    LAST,
    NEWEST,
    PRESENT,
    SMALLEST,
    SUM,
    number_gathered,
    take_extremes,
    window_begin,
)

# In place of the open blob of a slot whose key the subject does not have: one word.
NO_KEY = bytes(8)


class Opened(NamedTuple):
    """The open blobs of all slots, one after the other; the words of a row of each of a subject."""

    words: Column
    starts: Column
    widths: Column


class Passing(NamedTuple):
    """Rows beside those of the slots, in any order, those of a slot from `starts[slot]` on.

    Beside a label each tells when the slot's own rows had it last before its subject's instant.
    """

    words: Column
    starts: Column


@njit(cache=True)
def slots_with_pages(opened: Opened) -> Column:
    """The slots whose open blob says that there are closed pages."""
    starts = opened.starts
    has_pages = np.zeros(len(starts) - 1, np.bool_)
    for slot in range(len(has_pages)):
        has_pages[slot] = starts[slot] < starts[slot + 1] and opened.words[starts[slot]] != 0
    return np.flatnonzero(has_pages)


@njit(cache=True)
def tell_last(
    passing: Passing, label_ats: Column, instants: Column, opened: Opened, told: Told, pages: Pages
) -> None:
    """Set beside each label that passes when its slot had it last, as far as rows at hand know."""
    many = len(label_ats)
    for slot in range(len(passing.starts) - 1):
        if passing.starts[slot] == passing.starts[slot + 1]:
            continue
        width, at = opened.widths[slot % many], instants[slot // many]
        own = passing.words[passing.starts[slot] : passing.starts[slot + 1]].reshape(-1, width)
        for word in range(label_ats[slot % many], width, 2):
            rows = opened.words[opened.starts[slot] + HEADER_WORDS : opened.starts[slot + 1]]
            _tell_last(own, word, rows, at)
            for page in range(told.bases[slot], told.bases[slot + 1]):
                if pages.starts[page] >= 0:
                    _tell_last(own, word, page_rows(pages, page, width), at)


@njit(cache=True)
def _tell_last(own: Column, word: int, rows: Column, at: int) -> None:
    width = own.shape[1]
    for start in range(0, len(rows), width):
        if rows[start] < at:
            for row in own:
                if row[word] == rows[start + word]:
                    row[word + 1] = max(row[word + 1], rows[start])


@njit(cache=True)
def reduced(
    windows: Column, instants: Column, opened: Opened, told: Told, pages: Pages, passing: Passing
) -> Column:
    """The number of each window for each subject at its instant, a row per subject."""
    numbers = np.empty((len(instants), len(windows)))
    for subject in range(len(instants)):
        at = instants[subject]
        _reduce(numbers[subject], windows, subject, at, opened, told, pages, passing)
    return numbers


@njit(cache=True)
def _reduce(
    numbers: Column,
    windows: Column,
    subject: int,
    at: int,
    opened: Opened,
    told: Told,
    pages: Pages,
    passing: Passing,
) -> None:
    first_slot, first_label = subject * len(opened.widths), subject * pages.labels
    gathered = np.empty(9, np.int64)
    for i in range(len(windows)):
        reducer, word = windows[i, 1], windows[i, 3]
        begin, width = window_begin(at, windows[i, 2]), opened.widths[windows[i, 0]]
        slot = first_slot + windows[i, 0]
        start, stop = opened.starts[slot], opened.starts[slot + 1]
        if stop - start == 1:
            numbers[i] = np.nan
            continue
        gathered[:] = 0
        gathered[NEWEST] = MISSING
        if told.bases[slot + 1] > told.bases[slot]:
            if reducer == DISTINCT and told_by_lasts(told, slot, at):
                gathered[DIFFERENT] += _different(pages, first_label + windows[i, 4], begin)
            else:
                _take_pages(gathered, told, pages, windows[i], slot, width, begin, at)
        if stop > start:
            rows = opened.words[start + HEADER_WORDS : stop]
            _take_rows(gathered, rows, width, word, reducer, begin, at)
        start, stop = passing.starts[slot], passing.starts[slot + 1]
        if stop > start:
            beside = passing.words[start:stop].reshape(-1, width)
            _take_all_passing(gathered, beside, word, reducer, begin, at)
        numbers[i] = number_gathered(gathered, reducer, at)


@njit(cache=True)
def _different(pages: Pages, label: int, begin: int) -> int:
    """How many labels closed pages had in a window that ends after all of them."""
    lasts = pages.lasts[pages.last_ends[label] : pages.last_ends[label + 1]]
    return len(lasts) - int(np.searchsorted(lasts, begin))


@njit(cache=True)
def _take_pages(
    gathered: Column,
    told: Told,
    pages: Pages,
    window: Column,
    slot: int,
    width: int,
    begin: int,
    at: int,
) -> None:
    _, reducer, _, word, told_at = window
    first, stop, whole, whole_stop = pages_of(told, slot, begin, at)
    if reducer == DISTINCT:
        whole = whole_stop = stop
    for page in range(first, whole):
        _take_rows(gathered, page_rows(pages, page, width), width, word, reducer, begin, at)
    if whole < whole_stop:
        _take_summaries(gathered, told, slot, whole, whole_stop, told_at, reducer)
    for page in range(whole_stop, stop):
        _take_rows(gathered, page_rows(pages, page, width), width, word, reducer, begin, at)


@njit(cache=True)
def _take_summaries(
    gathered: Column, told: Told, slot: int, first: int, stop: int, of_value: int, reducer: int
) -> None:
    """Take whole pages, by what adds up until the last one and until the one before the first."""
    summaries, last = told.summaries, told.starts[stop - 1]
    if gathered[EVENTS] == 0:
        gathered[FIRST] = summaries[told.starts[first]]
    gathered[EVENTS] += _added(told, slot, first, stop, 2)
    gathered[LAST] = summaries[last + 1]
    if of_value == 0:
        return
    if reducer in (LARGEST, SMALLEST):
        for page in range(first, stop):
            value = told.starts[page] + of_value
            if summaries[value + 2] != MISSING:
                take_extremes(gathered, summaries[value + 2], summaries[value + 3])
                gathered[PRESENT] += 1
    else:
        gathered[SUM] += _added(told, slot, first, stop, of_value)
        gathered[PRESENT] += _added(told, slot, first, stop, of_value + 1)
        gathered[NEWEST] = summaries[last + of_value + 4]


@njit(cache=True)
def _added(told: Told, slot: int, first: int, stop: int, word: int) -> int:
    """By how much a running word of the summaries grows over these pages."""
    grown = told.summaries[told.starts[stop - 1] + word]
    if first > told.bases[slot]:
        grown -= told.summaries[told.starts[first - 1] + word]
    return grown


@njit(cache=True)
def _take_rows(
    gathered: Column, rows: Column, width: int, word: int, reducer: int, begin: int, at: int
) -> None:
    size = len(rows) // width
    first = _first_at_or_after(rows, width, size, begin)
    stop = _first_at_or_after(rows, width, size, at)
    if first >= stop:
        return
    if gathered[EVENTS] == 0:
        gathered[FIRST] = rows[first * width]
    gathered[EVENTS] += stop - first
    gathered[LAST] = rows[(stop - 1) * width]
    if reducer == DISTINCT:
        gathered[DIFFERENT] += _returning(rows[word + 1 :: width], first, stop, begin)
    elif reducer in (LARGEST, SMALLEST):
        for row in range(first, stop):
            value = rows[row * width + word]
            if value != MISSING:
                take_extremes(gathered, value, value)
                gathered[PRESENT] += 1
    elif word > 0:
        total, present = _total(rows[word::width], first, stop)
        gathered[SUM] += total
        gathered[PRESENT] += present
        gathered[NEWEST] = rows[(stop - 1) * width + word]


@njit(cache=True)
def _returning(returns: Column, first: int, stop: int, begin: int) -> int:
    """How many labels of these rows none before them has in the window."""
    many = 0
    for row in range(first, stop):
        many += returns[row] < begin
    return many


@njit(cache=True)
def _total(values: Column, first: int, stop: int) -> tuple[int, int]:
    """The sum of what is present, and how many that are."""
    total = present = 0
    for row in range(first, stop):
        if values[row] != MISSING:
            total += values[row]
            present += 1
    return total, present


@njit(cache=True)
def _take_all_passing(
    gathered: Column, beside: Column, word: int, reducer: int, begin: int, at: int
) -> None:
    for row in range(len(beside)):
        if begin <= beside[row, 0] < at:
            _take_passing(gathered, beside, row, word, reducer, begin)


@njit(cache=True)
def _take_passing(
    gathered: Column, beside: Column, row: int, word: int, reducer: int, begin: int
) -> None:
    """Take one of the rows that pass; whatever asks for the newest value is not told of any."""
    instant = beside[row, 0]
    gathered[FIRST] = min(gathered[FIRST], instant) if gathered[EVENTS] else instant
    gathered[LAST] = max(gathered[LAST], instant) if gathered[EVENTS] else instant
    gathered[EVENTS] += 1
    if reducer == DISTINCT:
        gathered[DIFFERENT] += beside[row, word + 1] < begin and _is_first(beside, row, word, begin)
    elif word > 0 and beside[row, word] != MISSING:
        take_extremes(gathered, beside[row, word], beside[row, word])
        gathered[SUM] += beside[row, word]
        gathered[PRESENT] += 1


@njit(cache=True)
def _is_first(beside: Column, row: int, word: int, begin: int) -> bool:
    """Whether no row before has the same label in a window; all lie before its end."""
    for before in range(row):
        if beside[before, word] == beside[row, word] and beside[before, 0] >= begin:
            return False
    return True


@njit(cache=True)
def _first_at_or_after(rows: Column, width: int, size: int, instant: int) -> int:
    start, stop = 0, size
    while start < stop:
        middle = (start + stop) // 2
        if rows[middle * width] < instant:
            start = middle + 1
        else:
            stop = middle
    return start
