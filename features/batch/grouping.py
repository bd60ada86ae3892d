"""Rows grouped by a dense key, and inside a group in the order of an instant."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from features.batch.moving import picked
from features.columns import Column
from features.compiled import compiled


@dataclass(frozen=True)
class Groups:
    """Rows of which those of key k stand, in order of time, at `order[starts[k]:starts[k + 1]]`.

    `instants` are those of the ordered rows. Rows of one key and instant keep the order they had.
    """

    order: Column
    starts: Column
    instants: Column

    @classmethod
    def of(cls, keys: Column, instants: Column, size: int) -> Self:
        """Rows grouped by keys below `size`; a row whose key is negative stands nowhere."""
        starts, order = by_number(keys, size)
        ordered = picked(instants, order)
        if not _are_sorted(starts, ordered):
            _sort_groups(starts, order, ordered)
        return cls(order, starts, ordered)

    @classmethod
    def alone(cls, instants: Column) -> Self:
        """Rows each of which is a group of its own."""
        every = np.arange(len(instants) + 1)
        return cls(every[:-1], every, instants)

    def ties(self, keys: Column) -> Column:
        """The places in `order` of rows that share key and instant with the row beside them."""
        of = picked(keys, self.order)
        is_same = np.zeros(len(of) + 1, dtype=bool)
        is_same[1:-1] = (of[1:] == of[:-1]) & (self.instants[1:] == self.instants[:-1])
        return np.flatnonzero(is_same[1:] | is_same[:-1])


@compiled(nogil=True)
def by_number(keys: Column, size: int) -> tuple[Column, Column]:
    """Where the rows of each key start, and the rows one key after the other: a counting sort."""
    starts = np.zeros(size + 1, np.int64)
    for key in keys:
        if key >= 0:
            starts[key + 1] += 1
    for key in range(size):
        starts[key + 1] += starts[key]
    order = np.empty(starts[size], np.int32)
    free = starts[:-1].copy()
    for row in range(len(keys)):
        key = keys[row]
        if key >= 0:
            order[free[key]] = row
            free[key] += 1
    return starts, order


@compiled(nogil=True)
def _are_sorted(starts: Column, instants: Column) -> bool:
    for key in range(len(starts) - 1):
        for at in range(starts[key] + 1, starts[key + 1]):
            if instants[at] < instants[at - 1]:
                return False
    return True


@compiled(nogil=True)
def _sort_groups(starts: Column, order: Column, instants: Column) -> None:
    """Sort each group by instant in place, keeping the order of ties."""
    for key in range(len(starts) - 1):
        begin, end = starts[key], starts[key + 1]
        if end - begin > 32:
            by_time = np.argsort(instants[begin:end], kind="mergesort")
            order[begin:end] = order[begin:end][by_time]
            instants[begin:end] = instants[begin:end][by_time]
            continue
        for at in range(begin + 1, end):
            row, instant = order[at], instants[at]
            to = at
            while to > begin and instants[to - 1] > instant:
                order[to], instants[to] = order[to - 1], instants[to - 1]
                to -= 1
            order[to], instants[to] = row, instant
