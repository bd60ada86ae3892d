"""The compiled computation: events of a key between two instants, reduced to a number.

`starts` and `known_at` hold events sorted by key and instant, those of key k from `starts[k]` to
`starts[k + 1]`. `first` and `stop` bound, for each subject, the events that its window holds.
Everything is integer until the last step, so that the order of events cannot change a bit.
"""

import numpy as np
from numba import njit

from features.columns import Column


@njit(cache=True)
def first_at_or_after(known_at: Column, start: int, stop: int, instant: int) -> int:
    """The first event from `start` that became known at the instant or later, or `stop`."""
    while start < stop:
        middle = (start + stop) // 2
        if known_at[middle] < instant:
            start = middle + 1
        else:
            stop = middle
    return start


@njit(cache=True)
def window_bounds(
    starts: Column, known_at: Column, keys: Column, at: Column, span: int
) -> tuple[Column, Column]:
    """The bounds of `[at - span, at)` among the events of each subject's key.

    A negative key has no events; a negative span is unbounded.
    """
    first = np.zeros(len(keys), np.int64)
    stop = np.zeros(len(keys), np.int64)
    for i in range(len(keys)):
        key = keys[i]
        if key < 0:
            continue
        begin, end = starts[key], starts[key + 1]
        stop[i] = first_at_or_after(known_at, begin, end, at[i])
        first[i] = begin
        if span >= 0:
            first[i] = first_at_or_after(known_at, begin, stop[i], at[i] - span)
    return first, stop


@njit(cache=True)
def extreme(values: Column, present: Column, first: Column, stop: Column, sign: int) -> Column:
    """The largest (sign 1) or smallest (sign -1) present value; NaN where there is none."""
    found = np.full(len(first), np.nan)
    for i in range(len(first)):
        best = 0
        is_any = False
        for event in range(first[i], stop[i]):
            if present[event] and (not is_any or sign * values[event] > sign * best):
                best = values[event]
                is_any = True
        if is_any:
            found[i] = best
    return found


@njit(cache=True)
def distinct(earlier: Column, first: Column, stop: Column) -> Column:
    """How many different values: events whose value occurs no earlier inside the window.

    `earlier[e]` is the last event of the same key and value before e, -1 without one, and the
    largest int64 where the value is missing, so that it is never counted.
    """
    different = np.zeros(len(first), np.float64)
    for i in range(len(first)):
        for event in range(first[i], stop[i]):
            if earlier[event] < first[i]:
                different[i] += 1
    return different
