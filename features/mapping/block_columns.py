"""The columns of one block of rows: as texts, split, and joined from other tables."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.engine.numba_cache import compiled
from features.engine.string_table import contents_of_texts
from features.errors import TidegateError
from features.mapping.mapping import (
    Scalar,
    Selection,
    TableMapping,
    cell_text,
)
from features.mapping.source_tables import SourceTable

# Separator between the parts of a key; printed texts do not contain it.
_BETWEEN = "\x1f"

_BLANK, _NOT_ASCII = 32, 128


class BlockColumns:
    """The columns of a block by name, including those that the mapping splits off."""

    def __init__(self, rows: pa.RecordBatch, mapping: TableMapping):
        self._rows = rows
        self._mapping = mapping
        self._made: dict[str, pa.Array] = {}
        self._split_from = mapping.split_from

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, name: str) -> pa.Array:
        """Return a column with texts trimmed; empty texts become missing."""
        if name not in self._made:
            self._made[name] = self._made_now(name)
        return self._made[name]

    def text(self, name: str) -> pa.Array:
        """Return a column as texts."""
        return as_texts(self.column(name))

    def split_broken(self, name: str) -> pa.Array | None:
        """Return flags of the rows with a value that the splitting pattern does not match.

        None if the column is not split off or all values match.
        """
        if name in self._rows.schema.names or name not in self._split_from:
            return None
        whole = self.text(self._split_from[name])
        does_match = pc.match_substring_regex(whole, self._pattern_of(name))
        return None if pc.all(does_match).as_py() else pc.invert(does_match)

    def stood(self, name: str) -> pa.Array:
        """Return the text in the table for a column, or for the column that it is split from."""
        is_own = name in self._rows.schema.names
        return self.text(name if is_own else self._split_from[name])

    def filtered(self, mask: pa.Array) -> "BlockColumns":
        """Return the columns of the rows that a mask selects."""
        return BlockColumns(self._rows.filter(mask), self._mapping)

    def selected(self, where: Selection, unless: Selection) -> pa.Array | None:
        """Return a mask of the selected rows; None for all of them."""
        masks = [self._holds(*each) for each in where.items()]
        masks += [pc.invert(self._holds(*each)) for each in unless.items()]
        if not masks:
            return None
        mask = masks[0]
        for other in masks[1:]:
            mask = pc.and_(mask, other)
        return None if pc.all(mask).as_py() else mask

    def _holds(self, name: str, wanted: Scalar | list[Scalar]) -> pa.Array:
        values = [cell_text(each) for each in (wanted if isinstance(wanted, list) else [wanted])]
        texts = self.text(name)
        is_one = pc.is_in(texts, pa.array([value for value in values if value], pa.string()))
        return pc.or_(is_one, pc.is_null(texts)) if "" in values else is_one

    def _made_now(self, name: str) -> pa.Array:
        if name in self._rows.schema.names:
            return _tidy(self._rows[name], self._mapping.empty)
        whole = self.text(self._split_from[name])
        parts = pc.extract_regex(whole, self._pattern_of(name))
        return _tidy(pc.struct_field(parts, name), [])

    def _pattern_of(self, name: str) -> str:
        return f"^(?:{self._mapping.split[self._split_from[name]]})$"


class JoinedTable:
    """A table with one row per key, held in memory: from large tables, join few columns."""

    def __init__(self, source: SourceTable, mapping: TableMapping, keys: Iterable[str],
                 columns: Iterable[str]):  # fmt: skip
        names = [*dict.fromkeys([*keys, *columns])]
        split_from = mapping.split_from
        own = [*dict.fromkeys(name if name in source.schema.names else split_from[name]
                              for name in names)]  # fmt: skip
        parts: dict[str, list[pa.Array]] = {name: [] for name in names}
        found = []
        for block in source.blocks(own):
            read = BlockColumns(block.rows, mapping)
            found.append(_key([read.text(name) for name in keys]))
            for name in names:
                parts[name].append(read.column(name))
        self._keys = pa.chunked_array(found, pa.string()).combine_chunks()
        self._columns = {name: _together(arrays) for name, arrays in parts.items()}
        if len(pc.unique(self._keys.drop_null())) < len(self._keys.drop_null()):
            raise TidegateError(
                f"{source.place}: {' with '.join(keys)} has a value twice; a join needs one row "
                "for each"
            )

    def places_of(self, keys: list[pa.Array]) -> pa.Array:
        """Return the row numbers of keys; null for unknown keys."""
        key = _key(keys)
        at = pc.index_in(key, self._keys)
        # A null key must not match a null in the joined table.
        return pc.if_else(pc.is_valid(key), at, pa.scalar(None, at.type))

    def column(self, name: str, places: pa.Array) -> pa.Array:
        """Return a column of the rows with these numbers."""
        return self._columns[name].take(places)


class JoinedColumns:
    """The columns of a block together with those of the tables joined to it."""

    def __init__(self, own: BlockColumns, joined: Mapping[str, tuple[JoinedTable, pa.Array]],
                 names: Iterable[str]):  # fmt: skip
        self._own = own
        self._joined = joined
        self._names = frozenset(names)

    def __len__(self) -> int:
        return len(self._own)

    def column(self, name: str) -> pa.Array:
        """Return a column of the block or of a joined table."""
        if name not in self._names:
            return self._own.column(name)
        table, _, inside = name.partition(".")
        found, places = self._joined[table]
        return found.column(inside, places)

    def text(self, name: str) -> pa.Array:
        """Return a column as texts."""
        return as_texts(self.column(name))

    def stood(self, name: str) -> pa.Array:
        """Return the text in the table for a column."""
        return self.text(name) if name in self._names else self._own.stood(name)

    def split_broken(self, name: str) -> pa.Array | None:
        """Return flags of the rows with a value that the splitting pattern does not match."""
        return None if name in self._names else self._own.split_broken(name)


def as_texts(column: pa.Array) -> pa.Array:
    """Return a column as texts, with whole numbers as a CSV file would have them."""
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


# Sources differ in their text types: dictionaries and large strings become plain strings.
def _tidy(column: pa.Array, empty: list[str]) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_null(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.string())
    if not pa.types.is_string(column.type):
        return column
    if _may_have_blanks(*contents_of_texts(column), column.null_count):
        column = pc.utf8_trim_whitespace(column)
        column = _missing_where(pc.equal(pc.binary_length(column), 0), column)
    return _missing_where(pc.is_in(column, pa.array(empty)), column) if empty else column


def _missing_where(is_empty: pa.Array, text: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(is_empty, False), pa.scalar(None, pa.string()), text)


@compiled(nogil=True)
def _may_have_blanks(content: Any, ends: Any, missing: int) -> bool:
    """Return whether any text is empty or begins or ends with a blank; a fast check, as few do."""
    empty = 0
    for row in range(len(ends) - 1):
        begin, end = ends[row], ends[row + 1]
        if begin == end:
            empty += 1
            continue
        # Bytes beyond ASCII may belong to a Unicode blank, so they count as possible blanks.
        first, last = content[begin], content[end - 1]
        if first <= _BLANK or last <= _BLANK or first >= _NOT_ASCII or last >= _NOT_ASCII:
            return True
    return empty > missing


def _key(parts: list[pa.Array]) -> pa.Array:
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, _BETWEEN)


def _together(arrays: list[pa.Array]) -> pa.Array:
    """Return one column of its parts, as texts if they have different types."""
    if len({array.type for array in arrays}) > 1:
        arrays = [as_texts(array) for array in arrays]
    return pa.chunked_array(arrays, None if arrays else pa.string()).combine_chunks()
