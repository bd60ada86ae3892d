"""Records as columns of numpy: the one form in which features see them, from files or a request.

Text is an object array with None, numbers and flags are float64 with NaN (a flag is 0 or 1), and an
instant is int64 microseconds of UTC with NO_INSTANT.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.records import Record
from features.schema import INSTANT, arrow_schema

Column = npt.NDArray[Any]
Columns = dict[str, Column]

NO_INSTANT = np.iinfo(np.int64).min
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def columns_of_table(table: pa.Table) -> Columns:
    """The columns of a checked table of records."""
    return {name: _column_of_array(table[name]) for name in table.column_names}


def columns_of_records(records: Sequence[Record], record: type[Record]) -> Columns:
    """The columns of records as a request brings them; empty columns for no records."""
    return {
        field.name: _column_of_values([getattr(r, field.name) for r in records], field.type)
        for field in arrow_schema(record)
    }


def instant_us(instant: datetime) -> int:
    """An instant as microseconds of UTC, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def length(columns: Columns) -> int:
    """How many rows the columns hold."""
    return len(next(iter(columns.values())))


def rows(columns: Columns, which: Column) -> Columns:
    """The rows that an index array or a mask selects, in its order."""
    return {name: column[which] for name, column in columns.items()}


def matched(columns: Columns, of: Column, among: Column, *, prefix: str = "") -> Columns:
    """For every value of `of`, the row of `columns` whose `among` equals it; missing without one.

    `among` holds each value once. A missing `of` matches nothing.
    """
    where = _places(of, among)
    return {f"{prefix}{name}": _taken(column, where) for name, column in columns.items()}


def is_before(instants: Column, limit: Column) -> Column:
    """Whether an instant is known and strictly before the limit."""
    return (instants != NO_INSTANT) & (instants < limit)


def hours_between(earlier: Column, later: Column) -> Column:
    """Hours from one instant to another; NaN where either is missing."""
    known = (earlier != NO_INSTANT) & (later != NO_INSTANT)
    difference = np.where(known, later, 0) - np.where(known, earlier, 0)
    return np.where(known, difference / HOUR_US, np.nan)


def is_text(column: Column) -> bool:
    """Whether a column holds text."""
    return column.dtype == object


def _column_of_array(array: pa.ChunkedArray) -> Column:
    if pa.types.is_timestamp(array.type):
        return pc.fill_null(array.cast(INSTANT).cast(pa.int64()), NO_INSTANT).to_numpy()
    if pa.types.is_string(array.type):
        return _texts_of_array(array.combine_chunks())
    return array.cast(pa.float64()).to_numpy()


def _texts_of_array(array: pa.Array) -> Column:
    """Text as objects, one object for all rows of the same text."""
    encoded = array.dictionary_encode()
    texts = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    return texts[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]


def _column_of_values(values: list[Any], kind: pa.DataType) -> Column:
    if kind == INSTANT:
        known = [NO_INSTANT if value is None else instant_us(value) for value in values]
        return np.array(known, dtype=np.int64)
    if pa.types.is_string(kind):
        return np.array(values, dtype=object)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _places(of: Column, among: Column) -> Column:
    """Where each value stands in `among`, -1 for one that is missing or not there."""
    if len(among) <= 64:  # one submission: building an index would cost more than looking
        place = {value: at for at, value in enumerate(among) if value is not None}
        return np.array([place.get(value, -1) for value in of], dtype=np.int64)
    places = pd.Index(among).get_indexer(pd.Index(of))
    return np.where(pd.isna(of), -1, places)


def _taken(column: Column, where: Column) -> Column:
    if len(column) == 0:
        return np.full(len(where), _missing(column), dtype=column.dtype)
    taken = column[where]
    taken[where < 0] = _missing(column)
    return taken


def _missing(column: Column) -> Any:
    if is_text(column):
        return None
    return NO_INSTANT if column.dtype == np.int64 else np.nan
