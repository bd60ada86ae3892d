"""The events of one source under one key, sorted by the instant they became known."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from features.asof import reduction
from features.asof.keys import NO_KEY, KeyTable, key_parts
from features.asof.windows import Window
from features.columns import DAY_US, HOUR_US, Column, Columns, length, rows

_NEVER_COUNTED = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Bounds:
    """For each subject, its events `first` to `stop` (not included) before the instant `at`."""

    first: Column
    stop: Column
    at: Column


class KeyedEvents:
    """Events ready for windows.

    `events` come sorted by `known_at` and then by their record's id, so that the events of one
    instant keep an order that no file or arrival decides. Events without a key are left out.
    """

    def __init__(self, events: Columns, names: tuple[str, ...]) -> None:
        self._table = KeyTable(*key_parts(events, names, length(events)))
        codes = self._table.codes
        self._order = np.argsort(codes, kind="stable")[np.count_nonzero(codes < 0) :]
        self._codes = codes[self._order]
        self._starts = np.searchsorted(self._codes, np.arange(len(self._table) + 1))
        self._events = events
        self._known_at = events["known_at"][self._order]
        self._values = lru_cache(maxsize=None)(self._integers)
        self._running = lru_cache(maxsize=None)(self._running_sums)
        self._earlier = lru_cache(maxsize=None)(self._earlier_with_same_value)

    def events_of(self, subject: Columns, by: tuple[str, ...]) -> Columns:
        """The events with the key of one subject, in order; none for a key that has none."""
        code = int(self._table.codes_of(*key_parts(subject, by, 1))[0])
        bounds = slice(self._starts[code], self._starts[code + 1]) if code >= 0 else slice(0, 0)
        return rows(self._events, self._order[bounds])

    def reduce(self, window: Window, subjects: Columns, at: Column) -> Column:
        """The window's number for subjects at these instants, as float64; NaN without a key."""
        codes = self._table.codes_of(*key_parts(subjects, window.by, len(at)))
        span = -1 if window.days is None else window.days * DAY_US
        first, stop = reduction.window_bounds(self._starts, self._known_at, codes, at, span)
        number = _REDUCED_BY[window.reducer](self, window.value or "", Bounds(first, stop, at))
        return np.where(codes == NO_KEY, np.nan, number)

    def _count(self, value: str, bounds: Bounds) -> Column:
        return (bounds.stop - bounds.first).astype(np.float64)

    def _total(self, value: str, bounds: Bounds) -> Column:
        total, _ = self._running(value)
        return (total[bounds.stop] - total[bounds.first]).astype(np.float64)

    def _mean(self, value: str, bounds: Bounds) -> Column:
        total, present = (r[bounds.stop] - r[bounds.first] for r in self._running(value))
        return np.where(present > 0, total / np.maximum(present, 1), np.nan)

    def _largest(self, value: str, bounds: Bounds) -> Column:
        return reduction.extreme(*self._values(value), bounds.first, bounds.stop, 1)

    def _smallest(self, value: str, bounds: Bounds) -> Column:
        return reduction.extreme(*self._values(value), bounds.first, bounds.stop, -1)

    def _latest(self, value: str, bounds: Bounds) -> Column:
        values, is_present = self._values(value)
        newest = np.maximum(bounds.stop - 1, 0)
        is_known = bounds.stop > bounds.first
        if len(values) == 0:
            return np.full(len(newest), np.nan)
        return np.where(is_known & is_present[newest], values[newest], np.nan)

    def _distinct(self, value: str, bounds: Bounds) -> Column:
        return reduction.distinct(self._earlier(value), bounds.first, bounds.stop)

    def _hours_since_latest(self, value: str, bounds: Bounds) -> Column:
        return self._since(bounds.stop - 1, bounds) / HOUR_US

    def _days_since_first(self, value: str, bounds: Bounds) -> Column:
        return self._since(bounds.first, bounds) / DAY_US

    def _since(self, event: Column, bounds: Bounds) -> Column:
        if len(self._known_at) == 0:
            return np.full(len(event), np.nan)
        elapsed = bounds.at - self._known_at[np.clip(event, 0, len(self._known_at) - 1)]
        return np.where(bounds.stop > bounds.first, elapsed, np.nan)

    def _integers(self, name: str) -> tuple[Column, Column]:
        values = self._events[name][self._order]
        is_present = ~np.isnan(values)
        return np.where(is_present, values, 0).astype(np.int64), is_present

    def _running_sums(self, name: str) -> tuple[Column, Column]:
        values, is_present = self._values(name)
        return _running(values), _running(is_present)

    def _earlier_with_same_value(self, name: str) -> Column:
        values = self._events[name][self._order]
        codes = KeyTable(*key_parts({name: values}, (name,), len(values))).codes
        by_value = np.lexsort((np.arange(len(values)), codes, self._codes))
        before, after = by_value[:-1], by_value[1:]
        is_same = (self._codes[before] == self._codes[after]) & (codes[before] == codes[after])
        earlier = np.full(len(values), -1, np.int64)
        earlier[after[is_same]] = before[is_same]
        earlier[codes < 0] = _NEVER_COUNTED
        return earlier


_REDUCED_BY = {
    "count": KeyedEvents._count,
    "total": KeyedEvents._total,
    "mean": KeyedEvents._mean,
    "largest": KeyedEvents._largest,
    "smallest": KeyedEvents._smallest,
    "latest": KeyedEvents._latest,
    "distinct": KeyedEvents._distinct,
    "hours_since_latest": KeyedEvents._hours_since_latest,
    "days_since_first": KeyedEvents._days_since_first,
}


def _running(values: Column) -> Column:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)])
