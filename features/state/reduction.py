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


@njit(cache=True)
def needed(
    windows: Column, at: int, summaries: Column, bases: Column, summary_starts: Column
) -> Column:
    """Which pages must be fetched, of pages told as in `Pages`."""
    is_needed = np.zeros(len(summary_starts), np.bool_)
    for window in windows:
        slot, reducer, span, _, told = window
        begin = window_begin(at, span)
        for page in range(bases[slot], bases[slot + 1]):
            summary = summaries[summary_starts[page] :]
            if summary[1] < begin or summary[0] >= at:
                continue
            is_whole = summary[0] >= begin and summary[1] < at
            is_told = reducer != DISTINCT or _tells_different(summary[told:], begin)
            is_needed[page] |= not (is_whole and is_told)
    return is_needed


class Opened(NamedTuple):
    """The open blobs of all slots, one after the other, and the words of a row of each."""

    words: Column
    starts: Column
    widths: Column


class Pages(NamedTuple):
    """The closed pages of all slots, counted through.

    `bases` tells per slot where its pages begin, `summary_starts` per page where its summary lies,
    `starts` where the page itself does; -1 where it was not fetched.
    """

    summaries: Column
    bases: Column
    summary_starts: Column
    words: Column
    starts: Column


@njit(cache=True)
def reduced(windows: Column, at: int, opened: Opened, pages: Pages) -> Column:
    """The number of each window at an instant."""
    numbers = np.empty(len(windows))
    gathered = np.empty(9, np.int64)
    for i in range(len(windows)):
        slot, reducer, span, word, told = windows[i]
        begin, width = window_begin(at, span), opened.widths[slot]
        gathered[:] = 0
        gathered[NEWEST] = MISSING
        for page in range(pages.bases[slot], pages.bases[slot + 1]):
            summary = pages.summaries[pages.summary_starts[page] :]
            if summary[1] < begin or summary[0] >= at:
                continue
            is_whole = summary[0] >= begin and summary[1] < at
            if is_whole and (reducer != DISTINCT or _tells_different(summary[told:], begin)):
                _take_summary(gathered, summary, told, reducer, begin)
            else:
                first = pages.starts[page]
                rows = pages.words[first : first + summary[2] * width]
                _take_rows(gathered, rows, width, word, reducer, begin, at)
        start, stop = opened.starts[slot], opened.starts[slot + 1]
        if stop > start:
            rows = opened.words[start + HEADER_WORDS : stop]
            _take_rows(gathered, rows, width, word, reducer, begin, at)
        numbers[i] = number_gathered(gathered, reducer, at)
    return numbers


@njit(cache=True)
def window_begin(at: int, span: int) -> int:
    """The first instant of a window; a negative span is unbounded."""
    return NEVER + 1 if span < 0 else at - span


@njit(cache=True)
def _tells_different(label: Column, begin: int) -> bool:
    """Whether a summary alone tells how many labels of its page are new to a window."""
    return label[3] < begin or label[2] >= begin


@njit(cache=True)
def _take_summary(gathered: Column, summary: Column, told: int, reducer: int, begin: int) -> None:
    if gathered[EVENTS] == 0:
        gathered[FIRST] = summary[0]
    gathered[EVENTS] += summary[2]
    gathered[LAST] = summary[1]
    if reducer == DISTINCT:
        gathered[DIFFERENT] += summary[told] if summary[told + 3] < begin else summary[told + 1]
    elif told > 0:
        if summary[told + 1] > 0:
            take_extremes(gathered, summary[told + 2], summary[told + 3])
        gathered[SUM] += summary[told]
        gathered[PRESENT] += summary[told + 1]
        gathered[NEWEST] = summary[told + 4]


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
