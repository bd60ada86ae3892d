"""Sweep over events of which some begin to count late or cease to count.

It adds one step to `reduce_windows`: as the instants of a key rise, an event in
the window is added when it begins to count and removed when it ceases to. The cost is that of the
sweep, however many events were amended. The exception is the oldest and newest event of a window,
for which events that do not count are skipped one by one.
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
    """Instants at which events begin or cease to count, by key and in order of time.

    Those of key k lie between `starts[k]` and `starts[k + 1]`. `rows` are indexes of events in key
    order; `begins` is true if the event begins to count.
    """

    starts: Column
    instants: Column
    rows: Column
    begins: Column


class SweptEvents(NamedTuple):
    """Events in key order; `counts` marks those that count at present."""

    starts: Column
    known_at: Column
    counts: Column
    values: Column


class SweptSubjects(NamedTuple):
    """Subjects in key order, and the instants at which their windows end."""

    starts: Column
    at: Column


def initial_state_and_changes(groups: KeyGroups, events: Columns) -> tuple[Column, Turns]:
    """Return a mask of grouped events that count once known, and all later changes to it."""
    known_at, until = groups.instants, groups.in_key_order(events[COUNTS_UNTIL])
    since = groups.in_key_order(events[COUNTS_FROM]) if COUNTS_FROM in events else known_at
    late, ended = np.flatnonzero(since > known_at), np.flatnonzero(until != FOREVER)
    rows = np.concatenate([late, ended])
    instants, begins = np.concatenate([since[late], until[ended]]), np.arange(len(rows)) < len(late)
    keys = np.searchsorted(groups.starts, rows, side="right") - 1
    # Sorted by instant within a key, as the sweep visits them.
    order = np.lexsort((instants, keys))
    starts = np.searchsorted(keys[order], np.arange(len(groups.starts)))
    return since <= known_at, Turns(starts, instants[order], rows[order], begins[order])


@compiled(nogil=True)
def reduce_amended(
    reducer: int, labels: int, span: int, events: SweptEvents, turns: Turns, asking: SweptSubjects
) -> Column:
    """Return the value of one window per subject, as `features.engine.windows.reducers` defines it.

    For distinct counts values are codes below `labels`. The call modifies `events.counts`.
    """
    numbers = np.empty(len(asking.at))
    gathered, inside = np.zeros(GATHERED_WORDS, np.int64), np.zeros(labels + 1, np.int32)
    for key in range(len(asking.starts) - 1):
        oldest, newest, turn = events.starts[key], events.starts[key], turns.starts[key]
        for subject in range(asking.starts[key], asking.starts[key + 1]):
            at = asking.at[subject]
            # Changes come before the pointers move: they must see which events are inside at
            # present.
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
        # Emptying the window resets the totals in the time its events take, however many labels
        # there are.
        while oldest < newest:
            _take(gathered, inside, reducer, events, oldest, -int(events.counts[oldest]))
            oldest += 1
    return numbers


@inner
def _take(
    gathered: Column, inside: Column, reducer: int, events: SweptEvents, row: int, sign: int
) -> None:
    """Add an event to the totals (sign 1), remove it (-1) or ignore it (0)."""
    gathered[EVENTS] += sign
    if reducer == Reducer.DISTINCT:
        # Missing values have the code -1; slot 0 counts them but not as a distinct value.
        place = int(events.values[row]) + 1
        was_inside = inside[place] > 0
        inside[place] += sign
        gathered[DIFFERENT] += ((inside[place] > 0) - was_inside) * (place > 0)
    elif len(events.values) and not np.isnan(events.values[row]):
        gathered[SUM] += sign * int(events.values[row])
        gathered[PRESENT] += sign


@inlined
def _set_ends(gathered: Column, events: SweptEvents, first: int, stop: int) -> None:
    """Set the instants of the oldest and newest counting event, if the window has any."""
    if gathered[EVENTS]:
        while not events.counts[first]:
            first += 1
        while not events.counts[stop - 1]:
            stop -= 1
        gathered[FIRST], gathered[LAST] = events.known_at[first], events.known_at[stop - 1]
