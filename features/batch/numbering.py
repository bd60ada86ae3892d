"""Dense numbers for the keys of rows that are all in memory."""

import numpy as np

from features.asof.keys import NO_KEY, mixed
from features.columns import NO_INSTANT, Column, Columns, is_text, length
from features.compiled import compiled
from features.vocabulary import VOCABULARY

Numbered = tuple[Column, int]
"""A number below a size for each row; NO_KEY where a column of its key is missing."""

_FREE = -1
_AHEAD = 256
# Beyond so many possible keys the next column would not fit into the same int64.
_MOST_KEYS = 1 << 62


class Numbering:
    """Keys of the rows of columns; a column is numbered once for all keys that it is a part of."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._numbered: dict[str, Numbered] = {}

    def of(self, names: tuple[str, ...]) -> Numbered:
        """The keys that the named columns form; without a column, one key for all."""
        if not names:
            return np.zeros(length(self._columns), np.int32), 1
        (keys, size), *others = map(self._column, names)
        for codes, many in others:
            if size * many >= _MOST_KEYS:
                keys, size = _numbered(keys, NO_KEY)
            keys, size = _beside(keys, codes, many), size * many
        return _numbered(keys, NO_KEY) if others else (keys, size)

    def _column(self, name: str) -> Numbered:
        if name not in self._numbered:
            self._numbered[name] = _of_column(self._columns[name])
        return self._numbered[name]


def _of_column(column: Column) -> Numbered:
    if is_text(column):
        distinct, codes = VOCABULARY.distinct(column)
        return codes, len(distinct)
    if column.dtype == np.float64:  # equal numbers have equal bits: a zero has no sign
        bits = (column + 0.0).view(np.int64)
        return _numbered(np.where(np.isnan(column), NO_INSTANT, bits), NO_INSTANT)
    return _numbered(column, NO_INSTANT)


@compiled(nogil=True)
def _beside(keys: Column, codes: Column, many: int) -> Column:
    """One number for two, the second of which is below `many`."""
    both = np.full(len(keys), NO_KEY, np.int64)
    for row in range(len(keys)):
        if keys[row] >= 0 and codes[row] >= 0:
            both[row] = np.int64(keys[row]) * many + codes[row]
    return both


@compiled(nogil=True)
def _numbered(keys: Column, none: int) -> Numbered:
    """Keys by order of occurrence; a table that grows stays near for keys that are few."""
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
    return codes, size


@compiled(nogil=True)
def _slot(table: Column, key: int) -> np.int64:
    """The slot of a table of keys and numbers that holds a key, or the free one it would take."""
    slot = _first_slot(table, key)
    while table[slot, 1] != _FREE and table[slot, 0] != key:
        slot = (slot + 1) & (len(table) - 1)
    return slot


@compiled(nogil=True)
def _first_slot(table: Column, key: int) -> np.int64:
    return np.int64(mixed(np.uint64(0), key) & np.uint64(len(table) - 1))


@compiled(nogil=True)
def _touch(table: Column, keys: Column) -> int:
    """Read where the next keys will be looked up, side by side, for memory answers slowly."""
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
