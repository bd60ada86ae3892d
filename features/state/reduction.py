"""The compiled half of reading: all windows of one subject over the ledgers of its keys.

A ledger is a slot: its open blob, the summaries of its closed pages, and those pages themselves
where a window begins, ends or counts different labels in them. A window is a row of five words:
slot, reducer, span in microseconds (-1 for ever), word in a row, word in a summary.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from features.columns import DAY_US, HOUR_US, Column
from features.state.layout import MISSING, NEVER
from features.state.merging import HEADER_WORDS

REDUCERS = (
    "count",
    "total",
    "mean",
    "largest",
    "smallest",
    "latest",
    "distinct",
    "hours_since_latest",
    "days_since_first",
)
COUNT, TOTAL, MEAN, LARGEST, SMALLEST, LATEST, DISTINCT, SINCE_LATEST, SINCE_FIRST = range(9)
# What is gathered of a window's events, in this order.
EVENTS, SUM, PRESENT, HIGHEST, LOWEST, NEWEST, DIFFERENT, FIRST, LAST = range(9)


class Opened(NamedTuple):
    """The open blobs of all slots, one after the other, and the words of a row of each."""

    words: Column
    starts: Column
    widths: Column


class Pages(NamedTuple):
    """The closed pages of all slots, counted through.

    `bases` tells per slot where its pages begin, `summary_starts` per page where its summary lies,
    `starts` where the page itself does, if it was fetched; each has `rows` rows. `lasts` tells, for
    the i-th window from `last_ends[i]` on, when closed pages had each label last, in order of time.
    """

    summaries: Column
    bases: Column
    summary_starts: Column
    words: Column
    starts: Column
    rows: int
    lasts: Column
    last_ends: Column


@njit(cache=True)
def slots_with_pages(opened: Opened) -> Column:
    """The slots whose open blob says that there are closed pages."""
    starts = opened.starts
    has_pages = np.zeros(len(starts) - 1, np.bool_)
    for slot in range(len(has_pages)):
        has_pages[slot] = starts[slot] < starts[slot + 1] and opened.words[starts[slot]] != 0
    return np.flatnonzero(has_pages)


@njit(cache=True)
def summary_places(slots: Column, starts: Column, widths: Column) -> tuple[Column, Column]:
    """Per slot where its pages begin, and per page where its summary lies.

    `starts` are of the summaries of the `slots` that have pages, `widths` those of every slot's.
    """
    bases = np.zeros(len(widths) + 1, np.int64)
    for at, slot in enumerate(slots):
        bases[slot + 1] = (starts[at + 1] - starts[at]) // widths[slot]
    bases = np.cumsum(bases)
    places = np.empty(bases[-1], np.int64)
    for at, slot in enumerate(slots):
        for page in range(bases[slot], bases[slot + 1]):
            places[page] = starts[at] + (page - bases[slot]) * widths[slot]
    return bases, places


@njit(cache=True)
def needed(windows: Column, at: int, pages: Pages) -> Column:
    """Which pages must be fetched."""
    is_needed = np.zeros(len(pages.summary_starts), np.bool_)
    for window in windows:
        slot, reducer, span = window[0], window[1], window[2]
        first, stop, whole, whole_stop = _pages_of(pages, slot, window_begin(at, span), at)
        if reducer != DISTINCT:
            is_needed[first:whole] = True
            is_needed[whole_stop:stop] = True
        elif not told_by_lasts(pages, slot, at):
            is_needed[first:stop] = True
    return is_needed


@njit(cache=True)
def reduced(windows: Column, at: int, opened: Opened, pages: Pages) -> Column:
    """The number of each window at an instant."""
    numbers = np.empty(len(windows))
    gathered = np.empty(9, np.int64)
    for i in range(len(windows)):
        slot, reducer, span, word, _ = windows[i]
        begin, width = window_begin(at, span), opened.widths[slot]
        gathered[:] = 0
        gathered[NEWEST] = MISSING
        if pages.bases[slot + 1] > pages.bases[slot]:
            _take_pages(gathered, pages, i, windows[i], width, begin, at)
        start, stop = opened.starts[slot], opened.starts[slot + 1]
        if stop > start:
            rows = opened.words[start + HEADER_WORDS : stop]
            _take_rows(gathered, rows, width, word, reducer, begin, at)
        numbers[i] = number_gathered(gathered, reducer, at)
    return numbers


@njit(cache=True)
def _take_pages(
    gathered: Column, pages: Pages, i: int, window: Column, width: int, begin: int, at: int
) -> None:
    slot, reducer, _, word, told = window
    if reducer == DISTINCT and told_by_lasts(pages, slot, at):
        lasts = pages.lasts[pages.last_ends[i] : pages.last_ends[i + 1]]
        gathered[DIFFERENT] += len(lasts) - np.searchsorted(lasts, begin)
        return
    first, stop, whole, whole_stop = _pages_of(pages, slot, begin, at)
    if reducer == DISTINCT:
        whole = whole_stop = stop
    for page in range(first, whole):
        _take_rows(gathered, _page(pages, page, width), width, word, reducer, begin, at)
    if whole < whole_stop:
        _take_summaries(gathered, pages, slot, whole, whole_stop, told, reducer)
    for page in range(whole_stop, stop):
        _take_rows(gathered, _page(pages, page, width), width, word, reducer, begin, at)


@njit(cache=True)
def _page(pages: Pages, page: int, width: int) -> Column:
    return pages.words[pages.starts[page] : pages.starts[page] + pages.rows * width]


@njit(cache=True)
def _pages_of(pages: Pages, slot: int, begin: int, at: int) -> tuple[int, int, int, int]:
    """The pages that have events of a window, from the first to the one before `stop`.

    Those from `whole` to the one before `whole_stop` have no others; first <= whole <= whole_stop.
    """
    base, end = pages.bases[slot], pages.bases[slot + 1]
    first = _first_page(pages, base, end, 1, begin)
    stop = _first_page(pages, base, end, 0, at)
    if first >= stop:
        return stop, stop, stop, stop
    whole = first + (pages.summaries[pages.summary_starts[first]] < begin)
    whole_stop = stop - (pages.summaries[pages.summary_starts[stop - 1] + 1] >= at)
    return first, stop, whole, max(whole, whole_stop)


@njit(cache=True)
def _first_page(pages: Pages, start: int, stop: int, word: int, instant: int) -> int:
    """The first page that begins (word 0) or ends (word 1) at an instant or later."""
    while start < stop:
        middle = (start + stop) // 2
        if pages.summaries[pages.summary_starts[middle] + word] < instant:
            start = middle + 1
        else:
            stop = middle
    return start


@njit(cache=True)
def told_by_lasts(pages: Pages, slot: int, at: int) -> bool:
    """Whether all closed pages became known before the instant."""
    last = pages.bases[slot + 1] - 1
    return last < pages.bases[slot] or pages.summaries[pages.summary_starts[last] + 1] < at


@njit(cache=True)
def _take_summaries(
    gathered: Column, pages: Pages, slot: int, first: int, stop: int, told: int, reducer: int
) -> None:
    """Take whole pages, by what adds up until the last one and until the one before the first."""
    summaries, last = pages.summaries, pages.summary_starts[stop - 1]
    if gathered[EVENTS] == 0:
        gathered[FIRST] = summaries[pages.summary_starts[first]]
    gathered[EVENTS] += _added(pages, slot, first, stop, 2)
    gathered[LAST] = summaries[last + 1]
    if told == 0:
        return
    if reducer in (LARGEST, SMALLEST):
        for page in range(first, stop):
            value = pages.summary_starts[page] + told
            if summaries[value + 2] != MISSING:
                take_extremes(gathered, summaries[value + 2], summaries[value + 3])
                gathered[PRESENT] += 1
    else:
        gathered[SUM] += _added(pages, slot, first, stop, told)
        gathered[PRESENT] += _added(pages, slot, first, stop, told + 1)
        gathered[NEWEST] = summaries[last + told + 4]


@njit(cache=True)
def _added(pages: Pages, slot: int, first: int, stop: int, word: int) -> int:
    """By how much a running word of the summaries grows over these pages."""
    grown = pages.summaries[pages.summary_starts[stop - 1] + word]
    if first > pages.bases[slot]:
        grown -= pages.summaries[pages.summary_starts[first - 1] + word]
    return grown


@njit(cache=True)
def window_begin(at: int, span: int) -> int:
    """The first instant of a window; later than NEVER where it has none."""
    return NEVER + 1 if span < 0 else at - span


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
        for row in range(first, stop):
            gathered[DIFFERENT] += rows[row * width + word + 1] < begin
    elif word > 0:
        for row in range(first, stop):
            value = rows[row * width + word]
            if value != MISSING:
                take_extremes(gathered, value, value)
                gathered[SUM] += value
                gathered[PRESENT] += 1
        gathered[NEWEST] = rows[(stop - 1) * width + word]


@njit(cache=True)
def take_extremes(gathered: Column, highest: int, lowest: int) -> None:
    """Gather a largest and a smallest value; before what is present is counted."""
    is_first = gathered[PRESENT] == 0
    gathered[HIGHEST] = highest if is_first else max(gathered[HIGHEST], highest)
    gathered[LOWEST] = lowest if is_first else min(gathered[LOWEST], lowest)


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


@njit(cache=True)
def number_gathered(gathered: Column, reducer: int, at: int) -> float:
    """The window's number, of what was gathered of its events."""
    if reducer == COUNT:
        return float(gathered[EVENTS])
    if reducer == TOTAL:
        return float(gathered[SUM])
    if reducer == DISTINCT:
        return float(gathered[DIFFERENT])
    if reducer == LATEST:
        return np.nan if gathered[NEWEST] == MISSING else float(gathered[NEWEST])
    if reducer in (SINCE_LATEST, SINCE_FIRST):
        return _elapsed(gathered, reducer, at)
    return _of_present(gathered, reducer)


@njit(cache=True)
def _elapsed(gathered: Column, reducer: int, at: int) -> float:
    if gathered[EVENTS] == 0:
        return np.nan
    if reducer == SINCE_LATEST:
        return (at - gathered[LAST]) / HOUR_US
    return (at - gathered[FIRST]) / DAY_US


@njit(cache=True)
def _of_present(gathered: Column, reducer: int) -> float:
    if gathered[PRESENT] == 0:
        return np.nan
    if reducer == MEAN:
        return gathered[SUM] / gathered[PRESENT]
    return float(gathered[HIGHEST] if reducer == LARGEST else gathered[LOWEST])
