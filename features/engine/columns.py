"""Records as numpy columns, the form in which features read them from files and requests alike.

Text is int32: a code of the string table, or NO_TEXT. Numbers and flags are float64 with NaN for
missing ones; a flag is 0 or 1. An instant is int64 microseconds of UTC, or NO_INSTANT.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.arrow_schema import INSTANT, arrow_schema
from features.engine.numba_cache import compiled
from features.engine.string_table import NO_TEXT, STRING_TABLE, cells_of

if TYPE_CHECKING:
    from features.records import Record

Column = npt.NDArray[Any]
Columns = dict[str, Column]

# The columns of each record type, by the name of its file.
Records = dict[str, Columns]

NO_INSTANT = np.iinfo(np.int64).min
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Kind(Enum):
    """Type of content of a column; the value is its dtype, except for conditions in programs."""

    NUMBER = np.dtype(np.float64)
    WHOLE = np.dtype(np.int64)
    TEXT = np.dtype(np.int32)
    CONDITION = np.dtype(np.bool_)

    @property
    def is_float(self) -> bool:
        """True if its cells are float64 rather than int64."""
        return self is Kind.NUMBER


def columns_of_table(table: pa.Table) -> Columns:
    """Return the columns of a checked table of records."""
    return {name: column_of_array(table[name]) for name in table.column_names}


def table_of_columns(columns: Columns) -> pa.Table:
    """Return columns as an Arrow table of texts, instants and numbers; flags become numbers."""
    return pa.table({name: _array_of_column(column) for name, column in columns.items()})


def columns_of_records(records: "Sequence[Record]", record: "type[Record]") -> Columns:
    """Return the columns of records from a request; empty columns if there are no records."""
    return {
        field.name: _column_of_values([getattr(r, field.name) for r in records], field.type)
        for field in arrow_schema(record)
    }


def kinds_of(record: "type[Record]") -> dict[str, Kind]:
    """Return the content type of each column of a record type."""
    return {field.name: _kind(field.type) for field in arrow_schema(record)}


def instant_us(instant: datetime) -> int:
    """Return an instant as microseconds of UTC, without rounding."""
    # Integer division: `timestamp()` is a float and would round.
    return (instant - _EPOCH) // _MICROSECOND


def instant_at(us: int) -> datetime:
    """Return the instant at `us` microseconds of UTC."""
    return _EPOCH + us * _MICROSECOND


def length(columns: Columns) -> int:
    """Return the number of rows."""
    return len(next(iter(columns.values())))


def rows(columns: Columns, which: Column) -> Columns:
    """Return the rows that an index array or a mask selects."""
    return {name: column[which] for name, column in columns.items()}


def matched(columns: Columns, of: Column, among: Column, *, prefix: str = "") -> Columns:
    """Return, for every text of `of`, the row of `columns` whose `among` equals it.

    The row is missing if there is none. `among` holds each text once. A missing `of` matches
    nothing.
    """
    where = places(of, among)
    return {f"{prefix}{name}": take_or_missing(column, where) for name, column in columns.items()}


def is_before(instants: Column, limit: Column) -> Column:
    """Return a mask of instants that are known and strictly before the limit."""
    return (instants != NO_INSTANT) & (instants < limit)


def hours_between(earlier: Column, later: Column) -> Column:
    """Return the hours from one instant to another; NaN if either is missing."""
    known = (earlier != NO_INSTANT) & (later != NO_INSTANT)
    # Missing instants are replaced first: subtracting the smallest int64 would overflow.
    difference = np.where(known, later, 0) - np.where(known, earlier, 0)
    return np.where(known, difference / HOUR_US, np.nan)


def is_text(column: Column) -> bool:
    """Return whether a column holds text."""
    return column.dtype == np.int32


def is_missing(column: Column) -> Column:
    """Return a mask of missing values, for any kind of column."""
    if column.dtype == np.float64:
        return np.isnan(column)
    return column == (NO_TEXT if is_text(column) else NO_INSTANT)


def missing_values(kind: Kind, count: int) -> Column:
    """Return a column of one kind with only missing values."""
    absent = {Kind.TEXT: NO_TEXT, Kind.WHOLE: NO_INSTANT, Kind.NUMBER: np.nan}
    return np.full(count, absent[kind], kind.value)


def missing_value(column: Column) -> Any:
    """Return the value that marks a missing cell in a column of this kind."""
    if is_text(column):
        return NO_TEXT
    return NO_INSTANT if column.dtype == np.int64 else np.nan


class Places:
    """Index of each text in a column that holds each text once."""

    def __init__(self, among: Column) -> None:
        self._place_of, self._first = _place_of(among)

    def of(self, texts: Column) -> Column:
        """Return the index of each text; -1 if it is missing or absent."""
        return _places_of(texts, self._place_of, self._first)


def places(of: Column, among: Column) -> Column:
    """Return the index of each text in `among`, which holds each once; -1 if missing or absent."""
    if len(among) <= 64:  # one submission: building a table would cost more
        place = {code: at for at, code in enumerate(among.tolist()) if code != NO_TEXT}
        return np.array([place.get(code, -1) for code in of.tolist()], dtype=np.int32)
    return Places(among).of(of)


def take_or_missing(column: Column, where: Column) -> Column:
    """Return the values at these indexes, missing at a negative one."""
    return _taken(column, where, column.dtype.type(missing_value(column)))


@compiled(nogil=True)
def _place_of(among: Column) -> tuple[Column, int]:
    """Return the index of each code, in a table that starts at the smallest code.

    The codes of one column are often close together, so the table is short.
    """
    first, last = 1 << 31, -1
    for code in among:
        if code >= 0:
            first, last = min(first, code), max(last, code)
    place_of = np.full(max(last - first + 1, 0), -1, np.int32)
    for at in range(len(among)):
        if among[at] >= 0:
            place_of[among[at] - first] = at
    return place_of, first


@compiled(nogil=True)
def _places_of(texts: Column, place_of: Column, first: int) -> Column:
    places = np.full(len(texts), -1, np.int32)
    for row in range(len(texts)):
        at = texts[row] - first
        if 0 <= at < len(place_of):
            places[row] = place_of[at]
    return places


@compiled(nogil=True)
def _taken(column: Column, where: Column, missing: float) -> Column:
    values = np.empty(len(where), column.dtype)
    for row in range(len(where)):
        values[row] = column[where[row]] if where[row] >= 0 else missing
    return values


def _kind(kind: pa.DataType) -> Kind:
    if kind == INSTANT:
        return Kind.WHOLE
    return Kind.TEXT if pa.types.is_string(kind) else Kind.NUMBER


def column_of_array(array: pa.Array | pa.ChunkedArray) -> Column:
    """Return a checked Arrow array as a column."""
    if pa.types.is_timestamp(array.type):
        return _cells(array.cast(INSTANT).cast(pa.int64()), np.int64, NO_INSTANT)
    if pa.types.is_string(array.type) or pa.types.is_dictionary(array.type):
        return STRING_TABLE.codes_of_array(array)
    return _cells(array.cast(pa.float64()), np.float64, np.nan)


def array_of_numbers(numbers: Column) -> pa.Array:
    """Return numbers as an Arrow array with null for NaN, sharing their memory."""
    are_valid, missing = _validity(numbers)
    buffers = [pa.py_buffer(are_valid) if missing else None, pa.py_buffer(numbers)]
    return pa.Array.from_buffers(pa.float64(), len(numbers), buffers, missing)


def array_of_instants(instants: Column) -> pa.Array:
    """Return instants as an Arrow array with null for missing ones."""
    return pa.array(instants, mask=instants == NO_INSTANT).cast(pa.timestamp("us")).cast(INSTANT)


@compiled(nogil=True)
def _validity(numbers: Column) -> tuple[Column, int]:
    """Return a validity bitmap of numbers and the number of missing ones."""
    are_valid = np.zeros((len(numbers) + 7) // 8, np.uint8)
    missing = 0
    for row in range(len(numbers)):
        is_missing = np.isnan(numbers[row])
        missing += is_missing
        are_valid[row >> 3] |= (1 - is_missing) << (row & 7)
    return are_valid, missing


def _array_of_column(column: Column) -> pa.Array:
    if is_text(column):
        return STRING_TABLE.texts(column)
    return array_of_numbers(column) if column.dtype == np.float64 else array_of_instants(column)


def _cells(array: pa.Array | pa.ChunkedArray, kind: npt.DTypeLike, missing: float) -> Column:
    # One chunk is returned without a copy.
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    cells = [cells_of(chunk, kind, missing) for chunk in chunks]
    return cells[0] if len(cells) == 1 else np.concatenate([np.zeros(0, kind), *cells])


def _column_of_values(values: list[Any], kind: pa.DataType) -> Column:
    if kind == INSTANT:
        known = [NO_INSTANT if value is None else instant_us(value) for value in values]
        return np.array(known, dtype=np.int64)
    if pa.types.is_string(kind):
        return STRING_TABLE.codes(values)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
