"""Compiled sweep: all subjects of a key in order of time, with two pointers into its events.

Events and subjects are grouped by key and ordered by time. As the subjects' instants rise, both
ends of `[at - span, at)` move forward among the events, and each reducer is updated with the events
that enter and leave. The cost is one pass over the events, however long a window is. All totals are
integers until the last step, so the order of events cannot change a bit of the result.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from features.engine.batch.amended_sweep import (
    SweptEvents,
    SweptSubjects,
    initial_state_and_changes,
    reduce_amended,
)
from features.engine.batch.sort_by_key import KeyGroups
from features.engine.columns import DAY_US, Column, Columns
from features.engine.numba_cache import compiled
from features.engine.windows.lifetimes import COUNTS_UNTIL
from features.engine.windows.reducers import Reducer, elapsed, is_as_extreme, mean_of
from features.engine.windows.window_declaration import Window
from features.errors import TidegateError

_EVER = -1


class Sweep:
    """Sweep of the windows of one keying.

    Events and `size` subjects are grouped by the same keys.
    """

    def __init__(self, events: KeyGroups, subjects: KeyGroups, size: int) -> None:
        self._events = events
        self._subjects = subjects
        self._size = size
        self._bounds: dict[int, tuple[Column, Column]] = {}

    def _reduce(self, window: Window, values: Column | None) -> Column:
        """Return the window's value for each subject in the order of their groups.

        `values` holds what is reduced of each event, in the order before grouping: numbers with
        NaN, or codes of texts for distinct counts.
        """
        first, stop = self._ends(_EVER if window.days is None else window.days * DAY_US)
        if values is not None:
            reducer = window.reducer
            ordered = self._events.in_key_order(values)
            if reducer is Reducer.DISTINCT:
                return _distinct(ordered, first, stop, int(values.max(initial=-1)) + 1)
            if reducer is Reducer.LATEST:
                return _latest(ordered, first, stop)
            if reducer in (Reducer.TOTAL, Reducer.MEAN):
                return _total(ordered, first, stop, reducer is Reducer.MEAN)
            return _extreme(int(reducer), ordered, first, stop)
        if window.reducer is Reducer.COUNT:
            return (stop - first).astype(np.float64)
        known_at, at = self._events.instants, self._subjects.instants
        event = first if window.reducer is Reducer.DAYS_SINCE_FIRST else stop - 1
        return _elapsed(int(window.reducer), known_at, at, event, first, stop)

    def _ends(self, span: int) -> tuple[Column, Column]:
        events, subjects = self._events, self._subjects
        # Windows of one span have the same bounds, whatever they reduce.
        if span not in self._bounds:
            self._bounds[span] = _ends(
                events.starts, events.instants, subjects.starts, subjects.instants, span
            )
        return self._bounds[span]

    def reduce(self, windows: Sequence[Window], events: Columns) -> Iterator[tuple[Window, Column]]:
        """Yield each window's value for each subject; NaN for a subject without a key."""
        reduce_one = self._amended(events) if COUNTS_UNTIL in events else self._reduce
        for window in windows:
            numbers = reduce_one(window, events.get(window.value or ""))
            yield window, self._subjects.in_row_order(numbers, self._size)

    def _amended(self, events: Columns) -> Callable[[Window, Column | None], Column]:
        """Return a function like `_reduce`, for events that begin late or cease to count."""
        counts, turns = initial_state_and_changes(self._events, events)
        asking = SweptSubjects(self._subjects.starts, self._subjects.instants)

        def reduce_one(window: Window, values: Column | None) -> Column:
            if window.reducer in (Reducer.LARGEST, Reducer.SMALLEST, Reducer.LATEST):
                raise TidegateError(f"{window}: what may be amended has no such number")
            given = np.empty(0) if values is None else self._events.in_key_order(values)
            # A copy, because each sweep changes the flags.
            swept = SweptEvents(
                self._events.starts, self._events.instants, counts.copy(), given.astype(np.float64)
            )
            labels = int(given.max(initial=-1)) + 1 if window.reducer is Reducer.DISTINCT else 0
            span = _EVER if window.days is None else window.days * DAY_US
            return reduce_amended(int(window.reducer), labels, span, swept, turns, asking)

        return reduce_one


def reduce_windows(
    windows: Sequence[Window],
    events: Columns,
    keys: Column,
    subject_groups: KeyGroups,
    subjects: int,
) -> Iterator[tuple[Window, Column]]:
    """Yield each window of one keying for all subjects; NaN for a subject without a key.

    `subject_groups` are the `subjects` rows grouped by the same keys.
    """
    groups = KeyGroups.sort(keys, events["known_at"], len(subject_groups.starts) - 1)
    return Sweep(groups, subject_groups, subjects).reduce(windows, events)


@compiled(nogil=True)
def _ends(
    starts: Column, known_at: Column, subject_starts: Column, at: Column, span: int
) -> tuple[Column, Column]:
    """Return the first event of each subject's window and the one after its last."""
    first = np.empty(len(at), np.int32)
    stop = np.empty(len(at), np.int32)
    for key in range(len(subject_starts) - 1):
        begin, end = starts[key], starts[key + 1]
        oldest, newest = begin, begin
        for subject in range(subject_starts[key], subject_starts[key + 1]):
            instant = at[subject]
            while newest < end and known_at[newest] < instant:
                newest += 1
            while span >= 0 and oldest < newest and known_at[oldest] < instant - span:
                oldest += 1
            first[subject] = oldest
            stop[subject] = newest
    return first, stop


@compiled(nogil=True)
def _elapsed(
    reducer: int, known_at: Column, at: Column, event: Column, first: Column, stop: Column
) -> Column:
    since = np.full(len(at), np.nan)
    for subject in range(len(at)):
        if stop[subject] > first[subject]:
            since[subject] = elapsed(reducer, known_at[event[subject]], at[subject])
    return since


@compiled(nogil=True)
def _latest(values: Column, first: Column, stop: Column) -> Column:
    newest = np.full(len(stop), np.nan)
    for subject in range(len(stop)):
        if stop[subject] > first[subject]:
            newest[subject] = values[stop[subject] - 1]
    return newest


@compiled(nogil=True)
def _total(values: Column, first: Column, stop: Column, is_mean: bool) -> Column:
    """Return the sum or mean of present values, updated by the events that enter and leave."""
    totals = np.empty(len(stop), np.float64)
    total, present, oldest, newest = 0, 0, 0, 0
    for subject in range(len(stop)):
        if first[subject] >= newest:  # another key, or an empty window: start again
            total, present = 0, 0
            oldest = newest = first[subject]
        while newest < stop[subject]:
            if not np.isnan(values[newest]):
                total += int(values[newest])
                present += 1
            newest += 1
        while oldest < first[subject]:
            if not np.isnan(values[oldest]):
                total -= int(values[oldest])
                present -= 1
            oldest += 1
        if not is_mean:
            totals[subject] = total
        else:
            totals[subject] = mean_of(total, present)
    return totals


@compiled(nogil=True)
def _extreme(reducer: int, values: Column, first: Column, stop: Column) -> Column:
    """Return the largest or smallest value, using a monotonic queue of candidates."""
    found = np.full(len(stop), np.nan)
    queue = np.empty(len(values) + 1, np.int32)
    head, tail, newest = 0, 0, 0
    for subject in range(len(stop)):
        if first[subject] >= newest:
            head, tail, newest = 0, 0, first[subject]
        while newest < stop[subject]:
            value = values[newest]
            if not np.isnan(value):
                while tail > head and is_as_extreme(reducer, value, values[queue[tail - 1]]):
                    tail -= 1
                queue[tail] = newest
                tail += 1
            newest += 1
        while head < tail and queue[head] < first[subject]:
            head += 1
        if head < tail:
            found[subject] = values[queue[head]]
    return found


@compiled(nogil=True)
def _distinct(codes: Column, first: Column, stop: Column, many: int) -> Column:
    """Return the number of distinct codes, by a counter of the events inside for each code.

    The first counter is for missing values, which do not count.
    """
    different = np.empty(len(stop), np.float64)
    inside = np.zeros(many + 1, np.int32)
    found, oldest, newest = 0, 0, 0
    for subject in range(len(stop)):
        # Clear only the counters of events still inside: clearing all would cost their number per
        # key.
        if first[subject] >= newest:
            for event in range(oldest, newest):
                inside[codes[event] + 1] = 0
            found = 0
            oldest = newest = first[subject]
        while newest < stop[subject]:
            place = codes[newest] + 1
            found += inside[place] == 0 and place > 0
            inside[place] += 1
            newest += 1
        while oldest < first[subject]:
            place = codes[oldest] + 1
            inside[place] -= 1
            found -= inside[place] == 0 and place > 0
            oldest += 1
        different[subject] = found
    return different
