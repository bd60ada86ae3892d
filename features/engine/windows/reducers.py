"""Reducers: what each gathers from a window's events, and the value it gives.

Three engines gather in different ways: the batch sweep updates totals for many subjects, the online
feature store subtracts running sums, and a request's own windows read a few rows. The final value
is computed here, so that all give the same bits.
"""

from enum import IntEnum

import numpy as np

from features.engine.columns import DAY_US, HOUR_US, Column
from features.engine.numba_cache import inner

MISSING = -(2**63)  # an event without a value
NEVER = -(2**63)  # before every instant


class Reducer(IntEnum):
    """Reduction of a window's events to one value.

    All but LATEST ignore missing values.
    """

    COUNT = 0  # number of events; 0 without any
    TOTAL = 1  # exact int64 sum of values; 0 without any
    MEAN = 2  # that sum divided by the number of values; missing without any
    LARGEST = 3  # the largest value; missing without any
    SMALLEST = 4  # the smallest value; missing without any
    LATEST = 5  # the value of the newest event; missing if it has none
    DISTINCT = 6  # number of distinct values
    HOURS_SINCE_LATEST = 7  # from the newest event to the scoring instant; missing without any
    DAYS_SINCE_FIRST = 8  # from the oldest event to the scoring instant; missing without any

    def __str__(self) -> str:
        return self.name.lower()

    @property
    def needs_value(self) -> bool:
        """True if it reduces a column of the events, not just their instants."""
        return Reducer.TOTAL <= self <= Reducer.DISTINCT


# Words gathered from a window's events.
EVENTS = 0
FIRST = 1  # the instant of the oldest event
LAST = 2  # the instant of the newest
PRESENT = 3  # number of present values
SUM = 4
EXTREME = 5  # the largest or the smallest value
NEWEST = 6  # the value of the newest event, or MISSING
DIFFERENT = 7
GATHERED_WORDS = 8


@inner
def window_begin(at: int, span: int) -> int:
    """Return the first instant of a window; for an unlimited one (`span` < 0) NEVER + 1."""
    # NEVER marks labels that were never seen, and must lie before every window.
    return NEVER + 1 if span < 0 else at - span


@inner
def reduced_number(reducer: int, gathered: Column, at: int) -> float:
    """Return the value of a window at the instant `at` from its totals; NaN if missing."""
    if reducer == Reducer.COUNT:
        return float(gathered[EVENTS])
    if reducer == Reducer.DISTINCT:
        return float(gathered[DIFFERENT])
    if reducer in (Reducer.HOURS_SINCE_LATEST, Reducer.DAYS_SINCE_FIRST):
        event = LAST if reducer == Reducer.HOURS_SINCE_LATEST else FIRST
        return elapsed(reducer, gathered[event], at) if gathered[EVENTS] else np.nan
    return _number_of_values(reducer, gathered)


@inner
def _number_of_values(reducer: int, gathered: Column) -> float:
    if reducer == Reducer.TOTAL:
        return float(gathered[SUM])
    if reducer == Reducer.MEAN:
        return mean_of(gathered[SUM], gathered[PRESENT])
    if reducer == Reducer.LATEST:
        return np.nan if gathered[NEWEST] == MISSING else float(gathered[NEWEST])
    return float(gathered[EXTREME]) if gathered[PRESENT] else np.nan


@inner
def mean_of(total: int, present: int) -> float:
    """Return the mean of `present` values that sum to `total`; NaN if there are none."""
    return total / present if present else np.nan


@inner
def elapsed(reducer: int, instant: int, at: int) -> float:
    """Return the time from an event to the scoring instant, in the reducer's unit."""
    return (at - instant) / (HOUR_US if reducer == Reducer.HOURS_SINCE_LATEST else DAY_US)


@inner
def is_as_extreme(reducer: int, value: float, other: float) -> bool:
    """Return whether a value is at least as large as another, or for SMALLEST as small."""
    return value >= other if reducer == Reducer.LARGEST else value <= other


def decisive_events(reducer: Reducer, values: Column | None, is_present: Column) -> Column:
    """Return a mask of the events that determine a window's value.

    `values` are those of the window's events in the order they became known, or None if the reducer
    uses no values.
    """
    if values is None or reducer in (Reducer.MEAN, Reducer.DISTINCT):
        return np.ones(len(is_present), dtype=np.bool_)
    if reducer is Reducer.LATEST:
        return np.arange(len(values)) == len(values) - 1
    if reducer is Reducer.TOTAL or not is_present.any():
        return is_present & (values != 0)
    extreme = np.max if reducer is Reducer.LARGEST else np.min
    return is_present & (values == extreme(values[is_present]))
