"""Keys of one column or of several, as one dense code per distinct key."""

import numpy as np

from features.columns import Column, Columns, is_missing
from features.compiled import compiled

NO_KEY = -1  # one of the key's columns is missing
NEVER_SEEN = -2

_FREE = -1
_AHEAD = 256


def key_parts(columns: Columns, names: tuple[str, ...], size: int) -> tuple[Column, Column]:
    """The values of all named columns as a row of int64 each, and the rows where one is missing.

    Equal numbers have equal bits: a zero has no sign.
    """
    parts = np.empty((size, len(names)), np.int64)
    is_none = np.zeros(size, dtype=bool)
    for at, name in enumerate(names):
        column = columns[name]
        is_none |= is_missing(column)
        parts[:, at] = (column + 0.0).view(np.int64) if column.dtype == np.float64 else column
    return parts, is_none


class KeyTable:
    """The distinct keys among given rows, numbered in order of occurrence from 0."""

    def __init__(self, parts: Column, is_none: Column) -> None:
        slots = 1 << max(4, int(2 * len(parts)).bit_length())
        self._slots = np.full(slots, _FREE, np.int64)
        self._keys = np.empty_like(parts)
        self.codes = np.empty(len(parts), np.int32)
        self._size = _numbered(parts, is_none, self._slots, self._keys, self.codes)
        self._keys = self._keys[: self._size].copy()

    def __len__(self) -> int:
        return self._size

    def codes_of(self, parts: Column, is_none: Column) -> Column:
        """The number of each key; NO_KEY where it is missing, NEVER_SEEN where it is not here."""
        codes = np.empty(len(parts), np.int32)
        _looked_up(parts, is_none, self._slots, self._keys, codes)
        return codes


@compiled(nogil=True)
def hashes_of_parts(parts: Column) -> Column:
    """A hash of 63 bits for each row."""
    hashes = np.empty(len(parts), np.int64)
    for row in range(len(parts)):
        hashes[row] = _hash(parts, row)
    return hashes


@compiled(nogil=True)
def _hash(parts: Column, row: int) -> np.int64:
    hashed = np.uint64(0)
    for at in range(parts.shape[1]):
        hashed = mixed(hashed, parts[row, at])
    return np.int64(hashed & np.uint64(0x7FFFFFFFFFFFFFFF))


@compiled(nogil=True)
def mixed(hashed: np.uint64, word: int) -> np.uint64:
    """A hash with one word more in it.

    The word's upper half is folded down, for of a round float all else is 0, and a product has no
    bit below the lowest of its factors.
    """
    folded = np.uint64(word) ^ (np.uint64(word) >> np.uint64(32))
    product = (hashed ^ folded) * np.uint64(0xD6E8FEB86659FD93)
    return product ^ (product >> np.uint64(32))


@compiled(nogil=True)
def _is_same(one: Column, row: int, other: Column, at: int) -> bool:
    same = 0
    while same < one.shape[1] and one[row, same] == other[at, same]:
        same += 1
    return same == one.shape[1]


@compiled(nogil=True)
def _place(parts: Column, row: int, slots: Column, keys: Column) -> np.int64:
    """The slot that holds the key of this row, or the free one where it would be."""
    last = len(slots) - 1
    slot = _hash(parts, row) & last
    while slots[slot] != _FREE and not _is_same(parts, row, keys, slots[slot]):
        slot = (slot + 1) & last
    return slot


@compiled(nogil=True)
def _touch(parts: Column, slots: Column, keys: Column) -> int:
    """Read where the next keys will be looked up, side by side, for memory answers slowly."""
    last = len(slots) - 1
    places = np.empty(len(parts), np.int64)
    for row in range(len(parts)):
        places[row] = max(slots[_hash(parts, row) & last], 0)
    read = 0
    if keys.size:
        for place in places:
            read += keys[place, 0]
    return read


@compiled(nogil=True)
def _numbered(parts: Column, is_none: Column, slots: Column, keys: Column, codes: Column) -> int:
    size = 0
    for row in range(len(parts)):
        if row % _AHEAD == 0:
            _touch(parts[row : row + _AHEAD], slots, keys)
        if is_none[row]:
            codes[row] = NO_KEY
            continue
        slot = _place(parts, row, slots, keys)
        if slots[slot] == _FREE:
            slots[slot] = size
            keys[size] = parts[row]
            size += 1
        codes[row] = slots[slot]
    return size


@compiled(nogil=True)
def _looked_up(parts: Column, is_none: Column, slots: Column, keys: Column, codes: Column) -> None:
    for row in range(len(parts)):
        if row % _AHEAD == 0:
            _touch(parts[row : row + _AHEAD], slots, keys)
        if is_none[row]:
            codes[row] = NO_KEY
            continue
        held = slots[_place(parts, row, slots, keys)]
        codes[row] = NEVER_SEEN if held == _FREE else held
