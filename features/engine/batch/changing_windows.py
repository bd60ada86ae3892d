"""Windows whose key has more events than fit in memory, computed slice by slice of time.

An event enters a window when it begins to count, and leaves it when it ceases to or becomes too
old. A slice needs the events that enter or leave in it, and for each window a summary of earlier
slices: for a count, sum or mean one row per key; for distinct counts one row per key and value
still inside; for the oldest and newest event these events themselves. All totals are integers, so
results equal those of `reduce_windows` bit for bit.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from features.engine.batch.amended_sweep import SweptSubjects
from features.engine.batch.factorize import KeyFactorizer
from features.engine.batch.paired_windows import reduce_paired
from features.engine.batch.partitions import Partitions
from features.engine.batch.sort_by_key import KeyGroups
from features.engine.columns import DAY_US, Column, Columns, length, rows
from features.engine.numba_cache import compiled, inner
from features.engine.windows.event_order import sorted_by_known_at
from features.engine.windows.lifetimes import (
    COUNTS_FROM,
    COUNTS_UNTIL,
    FOREVER,
    LIFETIME,
    endless_lifetimes,
    join_events,
)
from features.engine.windows.reducers import (
    DIFFERENT,
    EVENTS,
    GATHERED_WORDS,
    PRESENT,
    SUM,
    Reducer,
    reduced_number,
)
from features.engine.windows.window_declaration import Window

# Reducers whose values follow from the events that entered and left.
GATHERED = frozenset({Reducer.COUNT, Reducer.TOTAL, Reducer.MEAN, Reducer.DISTINCT})

_AT, _COUNT, _SUM, _PRESENT = "changes_at", "count_change", "sum_change", "present_change"
_BEFORE = np.iinfo(np.int64).min

Span = int | None


class _Changes(NamedTuple):
    """Changes by key and in order of time; those of key k begin at `starts[k]`."""

    starts: Column
    at: Column
    counts: Column
    amounts: Column
    present: Column


class SlicedEvents:
    """Events of one source on disk, by the slices in which they enter and leave windows.

    `ends` are the ascending ends of slices; no subject's instant reaches the last. Add all events
    first, then request slices in order. `left` holds for each window the summary of earlier slices.
    The files exist as long as the stack.
    """

    def __init__(
        self, windows: Sequence[Window], ends: Column, folder: Path, stack: ExitStack, none: Columns
    ) -> None:
        self._windows = windows
        self._ends = ends
        # Other reducers need the events themselves, so nothing is stored for when they leave.
        spans: set[Span] = {w.days for w in windows if w.reducer in GATHERED}
        folder.mkdir()

        def create(name: str) -> Partitions:
            return stack.enter_context(Partitions(folder / name, len(ends), memory_bytes=0))

        self._entering = create("entering")
        self._leaving = {span: create(f"leaving-{span}") for span in spans}
        self.left: dict[Window, Columns] = {}
        self.add(none)

    def add(self, events: Columns) -> None:
        """Store events, which may have lifetimes."""
        events = endless_lifetimes(events["known_at"]) | events
        begin = _begin(events)
        self._entering.add(events, self._slices(begin, events[COUNTS_UNTIL] > begin))
        for span, leaving in self._leaving.items():
            end = _end(events, span)
            # An event that counts for ever never leaves an unlimited window.
            leaving.add(events, self._slices(end, (end > begin) & (end != FOREVER)))

    def _slices(self, instants: Column, is_meant: Column) -> Column:
        at = np.searchsorted(self._ends, instants, side="right")
        return np.where(is_meant & (at < len(self._ends)), at, -1).astype(np.int32)

    def numbers(self, at: int, subjects: Columns) -> dict[Window, Column]:
        """Return the windows of the subjects in slice `at`; earlier slices must be done."""
        entering = self._entering.read(at)
        leaving = {span: partitions.read(at) for span, partitions in self._leaving.items()}
        found = {}
        for window in self._windows:
            left = self.left.get(window)
            if window.reducer in GATHERED:
                changes = _changes(window, entering, leaving[window.days], left)
                found[window], self.left[window] = _gathered(window, changes, subjects)
            else:
                events = entering if left is None else join_events([left, entering])
                found[window] = _reduced(window, events, subjects)
                self.left[window] = _decisive(window, events, int(self._ends[at]))
        return found


def _begin(events: Columns) -> Column:
    """Return the instant each event begins to count."""
    return np.maximum(events["known_at"], events[COUNTS_FROM])


def _end(events: Columns, span: Span) -> Column:
    """Return the instant each event leaves a window because it ceases to count or is too old."""
    if span is None:
        return events[COUNTS_UNTIL]
    return np.minimum(events[COUNTS_UNTIL], events["known_at"] + span * DAY_US)


def _changes(window: Window, entering: Columns, leaving: Columns, left: Columns | None) -> Columns:
    """Return the changes of a window's totals in a slice, after the summary of earlier slices."""
    begin, end = _begin(entering), _end(entering, window.days)
    is_ever_inside = end > begin  # an event may be too old before it begins to count
    parts = [
        _change(window, rows(entering, is_ever_inside), begin[is_ever_inside], 1),
        _change(window, leaving, _end(leaving, window.days), -1),
    ]
    return join_events(parts if left is None else [left, *parts])


def _change(window: Window, events: Columns, at: Column, sign: int) -> Columns:
    kept = {name: events[name] for name in window.matching}
    changes = kept | {_AT: at, _COUNT: np.full(len(at), sign)}
    if window.value is not None and window.reducer is Reducer.DISTINCT:
        changes |= {window.value: events[window.value]}
    elif window.value is not None:
        value = events[window.value]
        is_present = ~np.isnan(value)
        changes[_SUM] = sign * np.where(is_present, value, 0).astype(np.int64)
        changes[_PRESENT] = sign * is_present.astype(np.int64)
    return changes if window.where is None else rows(changes, events[window.where] == 1)


def _gathered(window: Window, changes: Columns, subjects: Columns) -> tuple[Column, Columns]:
    """Return the values of a window for subjects, and the summary after all changes."""
    keys, asking, size = _keys(window, changes, subjects)
    groups = KeyGroups.sort(keys, changes[_AT], size)
    of_subjects = KeyGroups.sort(asking, subjects["declared_at"], size)
    amounts, present, many = changes.get(_SUM, _NONE), changes.get(_PRESENT, _NONE), 0
    if window.reducer is Reducer.DISTINCT:
        values, distinct = KeyFactorizer(changes).codes((str(window.value),))
        amounts, many = values.astype(np.int64), distinct + 1
    swept = _Changes(
        groups.starts,
        groups.instants,
        groups.in_key_order(changes[_COUNT]),
        groups.in_key_order(amounts) if len(amounts) else amounts,
        groups.in_key_order(present) if len(present) else present,
    )
    asked = SweptSubjects(of_subjects.starts, of_subjects.instants)
    numbers = _numbers(int(window.reducer), np.zeros(many, np.int64), swept, asked)
    return of_subjects.in_row_order(numbers, length(subjects)), _left(window, changes)


def _left(window: Window, changes: Columns) -> Columns:
    """Return one row per key, or per key and value, unless all its changes cancel out."""
    names = window.matching
    if window.reducer is Reducer.DISTINCT:
        names = (*names, str(window.value))
    codes, size = KeyFactorizer(changes).codes(names)
    is_known = codes >= 0
    first = np.zeros(size, np.int64)
    # Assigned backwards, so that the first row of each code wins.
    first[codes[is_known][::-1]] = np.flatnonzero(is_known)[::-1]
    left = {name: changes[name][first] for name in names} | {_AT: np.full(size, _BEFORE)}
    is_any = np.zeros(size, bool)
    for name in (_COUNT, _SUM, _PRESENT):
        if name in changes:
            left[name] = _sums(codes, changes[name], size)
            is_any |= left[name] != 0
    return rows(left, is_any)


def _keys(window: Window, changes: Columns, subjects: Columns) -> tuple[Column, Column, int]:
    both = {
        name: np.concatenate([changes[name], subjects[of_subject]])
        for name, of_subject in zip(window.matching, window.by, strict=True)
    } or {"": np.zeros(length(changes) + length(subjects))}
    keys, size = KeyFactorizer(both).codes(window.matching)
    return keys[: length(changes)], keys[length(changes) :], size


def _reduced(window: Window, events: Columns, subjects: Columns) -> Column:
    is_plain = (events[COUNTS_UNTIL] == FOREVER) & (events[COUNTS_FROM] <= events["known_at"])
    if is_plain.all():
        events = {name: column for name, column in events.items() if name not in LIFETIME}
    if "record_id" in events:
        events = sorted_by_known_at(events)
    return dict(reduce_paired([window], events, subjects))[window]


def _decisive(window: Window, events: Columns, end: int) -> Columns:
    """Return the events on which a window may still depend at the end of a slice.

    For windows over all history that need the oldest or newest event, only this event of a key is
    kept among those that count for ever.
    """
    if window.days is not None:
        return rows(events, events["known_at"] >= end - window.days * DAY_US)
    if window.reducer not in (Reducer.DAYS_SINCE_FIRST, Reducer.HOURS_SINCE_LATEST):
        return events
    is_meant = np.ones(length(events), bool) if window.where is None else events[window.where] == 1
    is_stable = is_meant & (events[COUNTS_UNTIL] == FOREVER)
    codes, size = KeyFactorizer(events).codes(window.matching)
    groups = KeyGroups.sort(
        np.where(is_stable, codes, np.int32(-1)).astype(np.int32), events["known_at"], size
    )
    begins, ends = groups.starts[:-1], groups.starts[1:]
    places = begins if window.reducer is Reducer.DAYS_SINCE_FIRST else ends - 1
    # Events with an end stay: the oldest or newest one may cease to count in a later slice.
    is_kept = is_meant & ~is_stable & (events[COUNTS_UNTIL] >= end)
    is_kept[groups.order[places[ends > begins]]] = True
    return rows(events, is_kept)


_NONE = np.zeros(0, np.int64)


@compiled(nogil=True)
def _sums(codes: Column, amounts: Column, size: int) -> Column:
    sums = np.zeros(size, np.int64)
    for row in range(len(codes)):
        if codes[row] >= 0:
            sums[codes[row]] += amounts[row]
    return sums


@compiled(nogil=True)
def _numbers(reducer: int, inside: Column, changes: _Changes, asking: SweptSubjects) -> Column:
    """Return the value of each subject from all changes of its key before its instant.

    For distinct counts `amounts` are codes of values, and `inside` has a counter for each.
    """
    numbers = np.empty(len(asking.at))
    gathered = np.zeros(GATHERED_WORDS, np.int64)
    for key in range(len(asking.starts) - 1):
        gathered[:] = 0
        change = changes.starts[key]
        for subject in range(asking.starts[key], asking.starts[key + 1]):
            at = asking.at[subject]
            while change < changes.starts[key + 1] and changes.at[change] < at:
                _take(gathered, inside, changes, change)
                change += 1
            numbers[subject] = reduced_number(reducer, gathered, at)
        # Only counters that this key used are cleared; clearing all would cost their number per
        # key.
        if len(inside):
            for done in range(changes.starts[key], change):
                inside[changes.amounts[done]] = 0
    return numbers


@inner
def _take(gathered: Column, inside: Column, changes: _Changes, at: int) -> None:
    gathered[EVENTS] += changes.counts[at]
    if len(inside):
        value = changes.amounts[at]  # -1 if missing: the last counter, not counted as a value
        was_inside = inside[value] > 0
        inside[value] += changes.counts[at]
        gathered[DIFFERENT] += ((inside[value] > 0) - was_inside) * (value >= 0)
    elif len(changes.amounts):
        gathered[SUM] += changes.amounts[at]
        gathered[PRESENT] += changes.present[at]
