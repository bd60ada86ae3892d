"""Columns of numbers, in memory or on disk, read back by ranges of rows."""

from collections.abc import Hashable
from pathlib import Path

import numpy as np

from features.engine.columns import Column
from features.engine.numba_cache import compiled

# Types that hold counts; the largest value of each stands for a missing number.
NARROW = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.uint32))
_LOOKED_AT = 1024  # numbers checked between early exits
# Bytes of columns held in memory; later columns go to disk.
MEMORY_BYTES = 1 << 28


class SpillableColumns:
    """Columns of float64 of one length, by name; counts are stored in one to four bytes.

    The first columns are held in memory, later ones in files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._bytes_left = MEMORY_BYTES
        self._in_memory: dict[Hashable, Column] = {}
        self._files: dict[Hashable, tuple[Path, np.dtype[np.generic]]] = {}

    def put(self, name: Hashable, column: Column) -> None:
        """Store a column under a unique name; the caller must not change it any more."""
        kept = as_small_counts(column.astype(np.float64, copy=False))
        self._bytes_left -= kept.nbytes
        if self._bytes_left >= 0:
            self._in_memory[name] = kept
        else:
            self._files[name] = file, _ = self._folder / str(len(self._files)), kept.dtype
            kept.tofile(file)

    def rows(self, name: Hashable, start: int, stop: int) -> Column:
        """Return the rows of a column from `start` up to, but not including, `stop`."""
        kept = self._kept(name, start, stop)
        return kept if kept.dtype == np.float64 else widened(kept)

    def _kept(self, name: Hashable, start: int, stop: int) -> Column:
        if name in self._in_memory:
            return self._in_memory[name][start:stop]
        file, kind = self._files[name]
        return np.fromfile(file, kind, stop - start, offset=start * kind.itemsize)


def as_small_counts(column: Column) -> Column:
    """Return the column in a small integer type if it holds only counts, else unchanged."""
    largest = _largest_count(column)
    for kind in NARROW:
        if largest < _none(kind):
            return _counts(column, np.empty(len(column), kind), _none(kind))
    return column


def widened(counts: Column) -> Column:
    """Return counts as the original numbers."""
    return _widened(counts, _none(counts.dtype))


def _none(kind: np.dtype[np.generic]) -> int:
    return 256**kind.itemsize - 1


@compiled(nogil=True)
def _largest_count(column: Column) -> float:
    """Return the largest number, or infinity if any is not a count.

    A negative zero is not a count: as an integer it would lose its sign.
    """
    largest = 0.0
    for begin in range(0, len(column), _LOOKED_AT):
        is_other = 0
        for number in column[begin : begin + _LOOKED_AT]:
            given = 0.0 if np.isnan(number) else number  # without a branch, so that it vectorises
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
