"""Columns of numbers, in memory or on disk, read back by ranges of rows."""

from collections.abc import Hashable
from pathlib import Path

import numpy as np

from features.engine.columns import Column
from features.engine.numba_cache import compiled

# What counts are kept as; the largest of each stands for a missing number.
NARROW = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.uint32))
_LOOKED_AT = 1024  # numbers, before one that is no count ends it
# So many bytes of columns stay in memory; those that come after them go to disk.
MEMORY_BYTES = 1 << 28


class SpillableColumns:
    """Columns of float64, all of one length, by name; counts take up to four bytes.

    The first columns are held in memory, all others are files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._bytes_left = MEMORY_BYTES
        self._in_memory: dict[Hashable, Column] = {}
        self._files: dict[Hashable, tuple[Path, np.dtype[np.generic]]] = {}

    def put(self, name: Hashable, column: Column) -> None:
        """Keep a column, which nobody changes any more, under a name of its own."""
        kept = as_small_counts(column.astype(np.float64, copy=False))
        self._bytes_left -= kept.nbytes
        if self._bytes_left >= 0:
            self._in_memory[name] = kept
        else:
            self._files[name] = file, _ = self._folder / str(len(self._files)), kept.dtype
            kept.tofile(file)

    def rows(self, name: Hashable, start: int, stop: int) -> Column:
        """The rows of a column from `start` to `stop`, not included."""
        kept = self._kept(name, start, stop)
        return kept if kept.dtype == np.float64 else widened(kept)

    def _kept(self, name: Hashable, start: int, stop: int) -> Column:
        if name in self._in_memory:
            return self._in_memory[name][start:stop]
        file, kind = self._files[name]
        return np.fromfile(file, kind, stop - start, offset=start * kind.itemsize)


def as_small_counts(column: Column) -> Column:
    """The column as small counts, where it holds nothing else."""
    largest = _largest_count(column)
    for kind in NARROW:
        if largest < _none(kind):
            return _counts(column, np.empty(len(column), kind), _none(kind))
    return column


def widened(counts: Column) -> Column:
    """Counts as the numbers that they were."""
    return _widened(counts, _none(counts.dtype))


def _none(kind: np.dtype[np.generic]) -> int:
    return 256**kind.itemsize - 1


@compiled(nogil=True)
def _largest_count(column: Column) -> float:
    """The largest number; infinity where one is no count, as a zero with a sign is none."""
    largest = 0.0
    for begin in range(0, len(column), _LOOKED_AT):
        is_other = 0
        for number in column[begin : begin + _LOOKED_AT]:
            given = 0.0 if np.isnan(number) else number  # no branch: many at a time
            is_other |= (given != np.floor(given)) | np.signbit(given)
            largest = max(largest, given)
        if is_other:
            return np.inf
    return largest


@compiled(nogil=True)
def _counts(column: Column, counts: Column, none: int) -> Column:
    for row in range(len(column)):
        counts[row] = none if np.isnan(column[row]) else column[row]
    return counts


@compiled(nogil=True)
def _widened(counts: Column, none: int) -> Column:
    column = np.empty(len(counts), np.float64)
    for row in range(len(counts)):
        column[row] = np.nan if counts[row] == none else counts[row]
    return column
