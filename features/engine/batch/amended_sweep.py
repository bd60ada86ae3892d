"""The sweep over events some of which begin to count late or cease to count.

As `features.engine.batch.sweep`, with one thing more that happens as a key's instants rise: an
event inside the window that begins to count is added then, and one that ceases to is taken off. So
the cost is that of the sweep, whatever was amended, but for the oldest and the newest event of a
window, which are looked for past those that do not count.
"""

from typing import NamedTuple

import numpy as np

from features.engine.batch.sort_by_key import KeyGroups
from features.engine.columns import Column, Columns
from features.engine.numba_cache import compiled, inlined, inner
from features.engine.windows.lifetimes import COUNTS_FROM, COUNTS_UNTIL, FOREVER
from features.engine.windows.reducers import (
    DIFFERENT,
    EVENTS,
    FIRST,
    GATHERED_WORDS,
    LAST,
    PRESENT,
    SUM,
    Reducer,
    reduced_number,
)


class Turns(NamedTuple):
    """When events begin or cease to count, by key and in order of time; which, and whether begin.

    Those of key k stand from `starts[k]` to `starts[k + 1]`; events are identified by their places
    in the order of keys.
    """

    starts: Column
    instants: Column
    rows: Column
    begins: Column


class SweptEvents(NamedTuple):
    """Events in the order of keys; `counts` says which of them count when they are known."""

    starts: Column
    known_at: Column
    counts: Column
    values: Column


class SweptSubjects(NamedTuple):
    """Subjects in the order of keys, and the instants at which they ask."""

    starts: Column
    at: Column


def turns_of(groups: KeyGroups, events: Columns) -> tuple[Column, Turns]:
    """Return which grouped events count as soon as they are known, and what changes about that
    when.
    """
    known_at, until = groups.instants, groups.in_key_order(events[COUNTS_UNTIL])
    since = groups.in_key_order(events[COUNTS_FROM]) if COUNTS_FROM in events else known_at
    late, ended = np.flatnonzero(since > known_at), np.flatnonzero(until != FOREVER)
    rows = np.concatenate([late, ended])
    instants, begins = np.concatenate([since[late], until[ended]]), np.arange(len(rows)) < len(late)
    keys = np.searchsorted(groups.starts, rows, side="right") - 1
    order = np.lexsort((instants, keys))
    starts = np.searchsorted(keys[order], np.arange(len(groups.starts)))
    return since <= known_at, Turns(starts, instants[order], rows[order], begins[order])


@compiled(nogil=True)
def reduce_amended(
    reducer: int, labels: int, span: int, events: SweptEvents, turns: Turns, asking: SweptSubjects
) -> Column:
    """The number of one window for each subject, as `features.engine.windows.reducers` defines it.

    Where different values are counted they are codes below `labels`. What `events` says of which
    count is changed meanwhile.
    """
    numbers = np.empty(len(asking.at))
    gathered, inside = np.zeros(GATHERED_WORDS, np.int64), np.zeros(labels + 1, np.int32)
    for key in range(len(asking.starts) - 1):
        oldest, newest, turn = events.starts[key], events.starts[key], turns.starts[key]
        for subject in range(asking.starts[key], asking.starts[key + 1]):
            at = asking.at[subject]
            while turn < turns.starts[key + 1] and turns.instants[turn] < at:
                row = turns.rows[turn]
                events.counts[row] = turns.begins[turn]
                if oldest <= row < newest:
                    _take(gathered, inside, reducer, events, row, 2 * turns.begins[turn] - 1)
                turn += 1
            while newest < events.starts[key + 1] and events.known_at[newest] < at:
                _take(gathered, inside, reducer, events, newest, int(events.counts[newest]))
                newest += 1
            while span >= 0 and oldest < newest and events.known_at[oldest] < at - span:
                _take(gathered, inside, reducer, events, oldest, -int(events.counts[oldest]))
                oldest += 1
            _set_ends(gathered, events, oldest, newest)
            numbers[subject] = reduced_number(reducer, gathered, at)
        while oldest < newest:
            _take(gathered, inside, reducer, events, oldest, -int(events.counts[oldest]))
            oldest += 1
    return numbers


@inner
def _take(
    gathered: Column, inside: Column, reducer: int, events: SweptEvents, row: int, sign: int
) -> None:
    """Add an event to what is gathered (1), or take it off (-1), or neither (0)."""
    gathered[EVENTS] += sign
    if reducer == Reducer.DISTINCT:
        place = int(events.values[row]) + 1
        was_inside = inside[place] > 0
        inside[place] += sign
        gathered[DIFFERENT] += ((inside[place] > 0) - was_inside) * (place > 0)
    elif len(events.values) and not np.isnan(events.values[row]):
        gathered[SUM] += sign * int(events.values[row])
        gathered[PRESENT] += sign


@inlined
def _set_ends(gathered: Column, events: SweptEvents, first: int, stop: int) -> None:
    """Set when the oldest and the newest event that counts were known, of a window that has any."""
    if gathered[EVENTS]:
        while not events.counts[first]:
            first += 1
        while not events.counts[stop - 1]:
            stop -= 1
        gathered[FIRST], gathered[LAST] = events.known_at[first], events.known_at[stop - 1]
