"""The one definition of each reducer: what it gathers of a window's events, and its number.

Three engines gather, each in its own way: the batch sweep carries sums along for many subjects, the
online feature store takes the difference of two running sums, and a request's own windows read a
few rows. What they gather becomes a number here, so that all of them give the same bits.
"""

from enum import IntEnum

import numpy as np

from features.engine.columns import DAY_US, HOUR_US, Column
from features.engine.numba_cache import inner

MISSING = -(2**63)  # a value that an event does not have
NEVER = -(2**63)  # before every instant


class Reducer(IntEnum):
    """The reduction of a window's events to one number. All but LATEST leave missing values out."""

    COUNT = 0  # how many events; 0 without any
    TOTAL = 1  # the exact int64 sum of values; 0 without any
    MEAN = 2  # that sum over the number of values; missing without any
    LARGEST = 3  # the largest value; missing without any
    SMALLEST = 4  # the smallest value; missing without any
    LATEST = 5  # the value of the newest event; missing where that has none
    DISTINCT = 6  # how many different values
    HOURS_SINCE_LATEST = 7  # from the newest event to the scoring instant; missing without any
    DAYS_SINCE_FIRST = 8  # from the oldest event to the scoring instant; missing without any

    def __str__(self) -> str:
        return self.name.lower()

    @property
    def needs_value(self) -> bool:
        """Return whether it reduces a column of the events, not just their instants."""
        return Reducer.TOTAL <= self <= Reducer.DISTINCT


# The words that are gathered of a window's events.
EVENTS = 0
FIRST = 1  # the instant of the oldest event
LAST = 2  # the instant of the newest
PRESENT = 3  # how many values are present
SUM = 4
EXTREME = 5  # the largest or the smallest value
NEWEST = 6  # the value of the newest event, or MISSING
DIFFERENT = 7
GATHERED_WORDS = 8


@inner
def window_begin(at: int, span: int) -> int:
    """The first instant of a window; later than NEVER where it has none (`span` below 0)."""
    return NEVER + 1 if span < 0 else at - span


@inner
def reduced_number(reducer: int, gathered: Column, at: int) -> float:
    """The number of a window as of the instant `at`, of what was gathered; NaN for missing."""
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
    """The mean of `present` values that sum to `total`; NaN of none."""
    return total / present if present else np.nan


@inner
def elapsed(reducer: int, instant: int, at: int) -> float:
    """The time from an event to the scoring instant, in the reducer's unit."""
    return (at - instant) / (HOUR_US if reducer == Reducer.HOURS_SINCE_LATEST else DAY_US)


@inner
def is_as_extreme(reducer: int, value: float, other: float) -> bool:
    """Return whether a value is at least as large as another, or for SMALLEST as small."""
    return value >= other if reducer == Reducer.LARGEST else value <= other


def decisive_events(reducer: Reducer, values: Column | None, is_present: Column) -> Column:
    """A mask of the events that a window's number rests on: all of them, or those that it took.

    `values` are those of the window's events in order of knowledge, None where none are reduced.
    """
    if values is None or reducer in (Reducer.MEAN, Reducer.DISTINCT):
        return np.ones(len(is_present), dtype=np.bool_)
    if reducer is Reducer.LATEST:
        return np.arange(len(values)) == len(values) - 1
    if reducer is Reducer.TOTAL or not is_present.any():
        return is_present & (values != 0)
    extreme = np.max if reducer is Reducer.LARGEST else np.min
    return is_present & (values == extreme(values[is_present]))
