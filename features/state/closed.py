"""Closed pages in reading: what their summaries tell, and which of them must be fetched."""

from typing import NamedTuple

import numpy as np
from numba import njit

from features.columns import Column
from features.state.reducers import DISTINCT, window_begin


class Told(NamedTuple):
    """The summaries of the closed pages of all slots, counted through.

    `bases` tells per slot where its pages begin, `starts` per page where its summary lies.
    """

    summaries: Column
    bases: Column
    starts: Column


class Pages(NamedTuple):
    """Closed pages: `starts` tells per page where it lies, if it was fetched; each has `rows` rows.

    `lasts` tells, for the i-th kind of labels from `last_ends[i]` on, when closed pages had each
    label last, in order of time; a subject has so many kinds of `labels`.
    """

    words: Column
    starts: Column
    rows: int
    lasts: Column
    last_ends: Column
    labels: int


@njit(cache=True)
def paged(
    windows: Column,
    instants: Column,
    slots: Column,
    widths: Column,
    summaries: Column,
    starts: Column,
) -> tuple[Told, Column]:
    """What is told of closed pages, and which of them must be fetched: slot, page of it, page.

    `starts` are of the summaries of the `slots` that have pages, and of more after them; `widths`
    are those of each slot of a subject.
    """
    told = _told(slots, widths, len(instants), summaries, starts)
    is_needed = _needed(windows, instants, len(widths), told)
    wanted = np.empty((is_needed.sum(), 3), np.int64)
    row = 0
    for slot in slots:
        for page in range(told.bases[slot], told.bases[slot + 1]):
            if is_needed[page]:
                wanted[row] = slot, page - told.bases[slot], page
                row += 1
    return told, wanted


@njit(cache=True)
def _told(slots: Column, widths: Column, subjects: int, summaries: Column, starts: Column) -> Told:
    bases = np.zeros(subjects * len(widths) + 1, np.int64)
    for at, slot in enumerate(slots):
        bases[slot + 1] = (starts[at + 1] - starts[at]) // widths[slot % len(widths)]
    bases = np.cumsum(bases)
    places = np.empty(bases[-1], np.int64)
    for at, slot in enumerate(slots):
        for page in range(bases[slot], bases[slot + 1]):
            places[page] = starts[at] + (page - bases[slot]) * widths[slot % len(widths)]
    return Told(summaries, bases, places)


@njit(cache=True)
def _needed(windows: Column, instants: Column, slots: int, told: Told) -> Column:
    is_needed = np.zeros(len(told.starts), np.bool_)
    for subject, at in enumerate(instants):
        for window in windows:
            slot, reducer, span = subject * slots + window[0], window[1], window[2]
            first, stop, whole, whole_stop = pages_of(told, slot, window_begin(at, span), at)
            if reducer != DISTINCT:
                is_needed[first:whole] = True
                is_needed[whole_stop:stop] = True
            elif not told_by_lasts(told, slot, at):
                is_needed[first:stop] = True
    return is_needed


@njit(cache=True)
def pages_of(told: Told, slot: int, begin: int, at: int) -> tuple[int, int, int, int]:
    """The pages that have events of a window, from the first to the one before `stop`.

    Those from `whole` to the one before `whole_stop` have no others; first <= whole <= whole_stop.
    """
    base, end = told.bases[slot], told.bases[slot + 1]
    first = _first_page(told, base, end, 1, begin)
    stop = _first_page(told, base, end, 0, at)
    if first >= stop:
        return stop, stop, stop, stop
    whole = first + (told.summaries[told.starts[first]] < begin)
    whole_stop = stop - (told.summaries[told.starts[stop - 1] + 1] >= at)
    return first, stop, whole, max(whole, whole_stop)


@njit(cache=True)
def _first_page(told: Told, start: int, stop: int, word: int, instant: int) -> int:
    """The first page that begins (word 0) or ends (word 1) at an instant or later."""
    while start < stop:
        middle = (start + stop) // 2
        if told.summaries[told.starts[middle] + word] < instant:
            start = middle + 1
        else:
            stop = middle
    return start


@njit(cache=True)
def told_by_lasts(told: Told, slot: int, at: int) -> bool:
    """Whether all closed pages became known before the instant."""
    last = told.bases[slot + 1] - 1
    return last < told.bases[slot] or told.summaries[told.starts[last] + 1] < at


@njit(cache=True)
def page_rows(pages: Pages, page: int, width: int) -> Column:
    """The words of a page that was fetched."""
    return pages.words[pages.starts[page] : pages.starts[page] + pages.rows * width]
