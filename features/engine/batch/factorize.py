"""Dense numbers for keys: of rows, or of events and subjects that are matched."""

from collections.abc import Sequence

import numpy as np

from features.engine.columns import NO_INSTANT, Column, Columns, is_text, length
from features.engine.numba_cache import compiled
from features.engine.string_table import STRING_TABLE

NO_KEY = -1  # a column of the key is missing

# A number below the size for each row, NO_KEY if a column of its key is missing; and the size.
KeyCodes = tuple[Column, int]

_FREE = -1
_AHEAD = 256
# With more texts per row than this, numbering those that occur is cheaper than a slot for all.
_MAX_TEXTS = 2
# The product of sizes must stay below this, so that combined keys fit in an int64.
_MAX_KEYS = 1 << 62


class KeyFactorizer:
    """Keys of the rows of columns; each column is numbered once for all keys it is part of."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._numbered: dict[str, KeyCodes] = {}

    def codes(self, names: tuple[str, ...]) -> KeyCodes:
        """Return the keys that the named columns form; without columns, all rows share one key."""
        if not names:
            return np.zeros(length(self._columns), np.int32), 1
        (keys, size), *others = map(self._column, names)
        for codes, count in others:
            if size * count >= _MAX_KEYS:
                keys, size = _dense(keys)
            keys, size = _combine_keys(keys, codes, count), size * count
        return _dense(keys) if others else (keys, size)

    def _column(self, name: str) -> KeyCodes:
        if name not in self._numbered:
            self._numbered[name] = _of_column(self._columns[name])
        return self._numbered[name]


def factorize_together(
    ours: Sequence[Column], theirs: Sequence[Column]
) -> tuple[Column, Column, int]:
    """Return one number per key of some columns, the same for keys of others, and their size.

    A number is negative if a column of the key is missing, and for keys that only the others have.
    """
    (own, other, size), *more = map(_of_columns, ours, theirs)
    for codes, codes_of_others, count in more:
        if size * count >= _MAX_KEYS:
            own, other, size = _dense_alike(own, other)
        own, other = _combine_keys(own, codes, count), _combine_keys(other, codes_of_others, count)
        size *= count
    return _dense_alike(own, other) if more else (own, other, size)


def distinct_codes(codes: Column) -> tuple[Column, Column]:
    """Return the codes that occur, in order of occurrence, and each row's index among them.

    The index is -1 for missing texts.
    """
    places, size, table = _numbered(codes.astype(np.int64), NO_KEY)
    distinct = np.empty(size, np.int32)
    taken = table[table[:, 1] != _FREE]
    distinct[taken[:, 1]] = taken[:, 0]
    return distinct, places


def hash_column(column: Column) -> Column:
    """Return a 63-bit hash of each number or instant; negative for missing ones."""
    return _hashes(_words(column), NO_INSTANT)


def _of_column(column: Column) -> KeyCodes:
    if is_text(column):
        distinct, codes = STRING_TABLE.distinct(column)
        return codes, len(distinct)
    codes, size, _ = _numbered(_words(column), NO_INSTANT)
    return codes, size


def _of_columns(own: Column, other: Column) -> tuple[Column, Column, int]:
    if is_text(own) and is_text(other):
        if len(STRING_TABLE) <= _MAX_TEXTS * (len(own) + len(other)):
            return own, other, len(STRING_TABLE)
        return _dense_alike(own.astype(np.int64), other.astype(np.int64))
    codes, size, table = _numbered(_words(own), NO_INSTANT)
    return codes, _looked_up(_words(other), NO_INSTANT, table), size


def _words(column: Column) -> Column:
    """Return numbers or instants as int64, with NO_INSTANT for missing ones.

    Equal numbers give equal words, since adding 0.0 turns -0.0 into 0.0.
    """
    if column.dtype == np.float64:
        return np.where(np.isnan(column), NO_INSTANT, (column + 0.0).view(np.int64))
    return column


def _dense(keys: Column) -> KeyCodes:
    codes, size, _ = _numbered(keys, NO_KEY)
    return codes, size


def _dense_alike(own: Column, other: Column) -> tuple[Column, Column, int]:
    codes, size, table = _numbered(own, NO_KEY)
    return codes, _looked_up(other, NO_KEY, table), size


@compiled(nogil=True)
def _combine_keys(keys: Column, codes: Column, count: int) -> Column:
    """Combine two numbers, of which the second is below `count`, into one."""
    both = np.full(len(keys), NO_KEY, np.int64)
    for row in range(len(keys)):
        if keys[row] >= 0 and codes[row] >= 0:
            both[row] = np.int64(keys[row]) * count + codes[row]
    return both


@compiled(nogil=True)
def _numbered(keys: Column, none: int) -> tuple[Column, int, Column]:
    """Return numbers of keys in order of occurrence, their count and the hash table.

    The table grows to stay at most half full, which keeps probe sequences short.
    """
    codes = np.empty(len(keys), np.int32)
    table = np.full((1 << 10, 2), _FREE, np.int64)
    size = 0
    for row in range(len(keys)):
        if row % _AHEAD == 0:
            _touch(table, keys[row : row + _AHEAD])
        if keys[row] == none:
            codes[row] = NO_KEY
            continue
        slot = _slot(table, keys[row])
        if table[slot, 1] == _FREE:
            table[slot] = keys[row], size
            size += 1
        codes[row] = table[slot, 1]
        if 2 * size > len(table):
            table = _wider(table)
    return codes, size, table


@compiled(nogil=True)
def _looked_up(keys: Column, none: int, table: Column) -> Column:
    """Return the number of each key in a table; NO_KEY if absent."""
    codes = np.empty(len(keys), np.int32)
    for row in range(len(keys)):
        if row % _AHEAD == 0:
            _touch(table, keys[row : row + _AHEAD])
        codes[row] = NO_KEY if keys[row] == none else table[_slot(table, keys[row]), 1]
    return codes


@compiled(nogil=True)
def _slot(table: Column, key: int) -> np.int64:
    """Return the slot that holds a key, or the free slot where it belongs."""
    slot = _first_slot(table, key)
    while table[slot, 1] != _FREE and table[slot, 0] != key:
        slot = (slot + 1) & (len(table) - 1)
    return slot


@compiled(nogil=True)
def _first_slot(table: Column, key: int) -> np.int64:
    return _hash(key) & (len(table) - 1)


@compiled(nogil=True)
def _hash(key: int) -> np.int64:
    """Return 63 bits of a hash of a key.

    The upper half is folded into the lower before the multiplication, because round floats have
    only zeros below, and a product has no set bit below the lowest of its factors.
    """
    folded = np.uint64(key) ^ (np.uint64(key) >> np.uint64(32))
    product = folded * np.uint64(0xD6E8FEB86659FD93)
    return np.int64((product ^ (product >> np.uint64(32))) & np.uint64(0x7FFFFFFFFFFFFFFF))


@compiled(nogil=True)
def _hashes(keys: Column, none: int) -> Column:
    hashes = np.empty(len(keys), np.int64)
    for row in range(len(keys)):
        hashes[row] = NO_KEY if keys[row] == none else _hash(keys[row])
    return hashes


@compiled(nogil=True)
def _touch(table: Column, keys: Column) -> int:
    """Read the slots of the next keys in advance.

    Independent reads overlap, which hides the latency of memory. The sum is returned so that the
    compiler keeps the reads.
    """
    read = 0
    for key in keys:
        read += table[_first_slot(table, key), 1]
    return read


@compiled(nogil=True)
def _wider(table: Column) -> Column:
    wide = np.full((4 * len(table), 2), _FREE, np.int64)
    for slot in range(len(table)):
        if table[slot, 1] != _FREE:
            wide[_slot(wide, table[slot, 0])] = table[slot]
    return wide
