"""Rows grouped by a dense key and ordered by instant within each group."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from features.engine.batch.gather import gather, scatter
from features.engine.columns import NO_INSTANT, Column
from features.engine.numba_cache import compiled

# Rows are presorted by two digits of this many bits of their instant, above the row number.
_DIGIT_BITS = 11
_DIGIT = (1 << _DIGIT_BITS) - 1
_ROW = (1 << 32) - 1
_LATEST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class KeyGroups:
    """Grouping of rows: those of key k, in order of time, are `order[starts[k]:starts[k + 1]]`.

    `instants` are those of the ordered rows. Rows of one key and instant keep their order. If
    `is_as_given`, the rows were in this order already.
    """

    order: Column
    starts: Column
    instants: Column
    is_as_given: bool = False

    @classmethod
    def sort(cls, keys: Column, instants: Column, size: int) -> Self:
        """Group rows by keys below `size`; rows with a negative key are left out."""
        starts, is_sorted, is_as_given = _starts(keys, instants, size)
        # Rows that are in order already need no sort.
        if is_as_given:
            return cls(np.arange(len(keys), dtype=np.int32), starts, instants, is_as_given)
        order = _order(keys, starts) if is_sorted else _order_by_time(keys, instants, starts)
        ordered = gather(instants, order)
        if not is_sorted:
            _sort_groups(starts, order, ordered)
        return cls(order, starts, ordered)

    @classmethod
    def singletons(cls, instants: Column) -> Self:
        """Return groups of one row each."""
        places = np.arange(len(instants) + 1)
        return cls(places[:-1], places, instants, is_as_given=True)

    def in_key_order(self, values: Column) -> Column:
        """Return values of the given rows in the order of the groups."""
        return values if self.is_as_given else gather(values, self.order)

    def in_row_order(self, numbers: Column, size: int) -> Column:
        """Return values of the ordered rows for the rows as given; NaN for rows without a key."""
        return numbers if self.is_as_given else scatter(numbers, self.order, size)

    def ties(self, keys: Column) -> Column:
        """Return the positions in `order` of rows that share key and instant with a neighbour."""
        ordered = self.in_key_order(keys)
        is_same = np.zeros(len(ordered) + 1, dtype=bool)
        is_same[1:-1] = (ordered[1:] == ordered[:-1]) & (self.instants[1:] == self.instants[:-1])
        return np.flatnonzero(is_same[1:] | is_same[:-1])


@compiled(nogil=True)
def by_number(keys: Column, size: int) -> tuple[Column, Column]:
    """Return the start of each key's rows, and the rows in key order, by a counting sort."""
    starts = np.zeros(size + 1, np.int64)
    for key in keys:
        if key >= 0:
            starts[key + 1] += 1
    for key in range(size):
        starts[key + 1] += starts[key]
    return starts, _order(keys, starts)


@compiled(nogil=True)
def _starts(keys: Column, instants: Column, size: int) -> tuple[Column, bool, bool]:
    """Return the start of each key's rows, and two flags about the order of rows.

    The first flag tells that rows of each key are in order of time; the second that in addition all
    have a key and the keys are in order.
    """
    starts = np.zeros(size + 1, np.int64)
    latest = np.full(size, NO_INSTANT)
    is_sorted, is_as_given, before = True, True, 0
    for row in range(len(keys)):
        key = keys[row]
        is_as_given &= key >= before
        before = key
        if key >= 0:
            starts[key + 1] += 1
            is_sorted &= instants[row] >= latest[key]
            latest[key] = instants[row]
    for key in range(size):
        starts[key + 1] += starts[key]
    return starts, is_sorted, is_sorted and is_as_given


@compiled(nogil=True)
def _order(keys: Column, starts: Column) -> Column:
    """Return the rows in key order; those of a key keep their order."""
    order = np.empty(starts[-1], np.int32)
    free = starts[:-1].copy()
    for row in range(len(keys)):
        key = keys[row]
        if key >= 0:
            order[free[key]] = row
            free[key] += 1
    return order


@compiled(nogil=True)
def _order_by_time(keys: Column, instants: Column, starts: Column) -> Column:
    """Return the rows in key order, those of a key almost in order of time.

    Rows are spread by two digits of their instant, the lower first, and then by key. Rows that are
    still out of order differ by less than a four-millionth of the total time span.
    """
    words = _instants_and_rows(keys, instants, starts[-1])
    # Radix sort: the lower digit first, since each pass is stable.
    words = _by_digit(_by_digit(words, 32), 32 + _DIGIT_BITS)
    order = np.empty(len(words), np.int32)
    free = starts[:-1].copy()
    for word in words:
        row = word & _ROW
        order[free[keys[row]]] = row
        free[keys[row]] += 1
    return order


@compiled(nogil=True)
def _instants_and_rows(keys: Column, instants: Column, count: int) -> Column:
    """Return for each row with a key two digits of its instant, above its row number."""
    first, last = _LATEST, NO_INSTANT
    for row in range(len(keys)):
        if keys[row] >= 0:
            first, last = min(first, instants[row]), max(last, instants[row])
    # Dropped low bits leave the two most significant digits of the time span.
    shift = 0
    while (last - first) >> shift >= 1 << 2 * _DIGIT_BITS:
        shift += 1
    words = np.empty(count, np.int64)
    at = 0
    for row in range(len(keys)):
        if keys[row] >= 0:
            words[at] = (instants[row] - first) >> shift << 32 | row
            at += 1
    return words


@compiled(nogil=True)
def _by_digit(words: Column, bit: int) -> Column:
    """Return words ordered by the digit that begins at a bit."""
    free = np.zeros(2 + _DIGIT, np.int64)
    for word in words:
        free[1 + (word >> bit & _DIGIT)] += 1
    for digit in range(_DIGIT):
        free[1 + digit] += free[digit]
    ordered = np.empty(len(words), np.int64)
    for word in words:
        digit = word >> bit & _DIGIT
        ordered[free[digit]] = word
        free[digit] += 1
    return ordered


@compiled(nogil=True)
def _sort_groups(starts: Column, order: Column, instants: Column) -> None:
    """Sort each group by instant in place, keeping the order of ties.

    Insertion sort suits groups that are almost sorted; a merge sort takes over if it moves too
    much.
    """
    for key in range(len(starts) - 1):
        begin, end = starts[key], starts[key + 1]
        moved = 0
        for at in range(begin + 1, end):
            # Insertion sort is quadratic on groups that are not almost sorted.
            if moved > 32 * (end - begin):
                by_time = np.argsort(instants[begin:end], kind="mergesort")
                order[begin:end] = order[begin:end][by_time]
                instants[begin:end] = instants[begin:end][by_time]
                break
            row, instant = order[at], instants[at]
            to = at
            while to > begin and instants[to - 1] > instant:
                order[to], instants[to] = order[to - 1], instants[to - 1]
                to -= 1
            order[to], instants[to] = row, instant
            moved += at - to
