"""Columns without string codes: lists of text with None, arrays of numbers (NaN) and instants.

Stored values are kept as text, so texts that only pass through need no code.
"""

from collections.abc import Sequence

import numpy as np

from features.engine.columns import Column, missing_value
from features.engine.windows.reducers import MISSING

Texts = list[str | None]
RawColumns = dict[str, Texts | Column]


def size_of(columns: RawColumns) -> int:
    """Return the number of rows."""
    return len(next(iter(columns.values())))


def take_rows(columns: RawColumns, which: Sequence[int] | Column) -> RawColumns:
    """Return the rows at these indexes; -1 gives a row of missing values."""
    places = np.asarray(which, np.int64)
    is_none = places < 0
    return {name: _taken(column, places, is_none) for name, column in columns.items()}


def rows_where(columns: RawColumns, is_kept: Sequence[bool] | Column) -> RawColumns:
    """Return the rows where the mask is true.

    If all are, the columns are returned without a copy.
    """
    kept = np.asarray(is_kept, bool)
    return columns if kept.all() else take_rows(columns, np.flatnonzero(kept))


def text_column(columns: RawColumns, name: str) -> list[str]:
    """Return a column of texts without missing values."""
    return columns[name]  # type: ignore[return-value]  # the caller says texts


def number_column(columns: RawColumns, name: str) -> Column:
    """Return a column of numbers or instants."""
    return np.asarray(columns[name])


def as_int64(values: Column) -> Column:
    """Return whole numbers as int64, with MISSING for NaN."""
    is_present = ~np.isnan(values)
    return np.where(is_present, np.where(is_present, values, 0).astype(np.int64), MISSING)


def _taken(column: Texts | Column, places: Column, is_none: Column) -> Texts | Column:
    if isinstance(column, list):
        # The index -1 selects the value appended for missing rows.
        padded = [*column, None]
        return [padded[place] for place in places.tolist()]
    # Appending copies the column, so it is avoided if nothing is missing.
    if not is_none.any():
        return column[places]
    padded_numbers = np.append(column, missing_value(column)).astype(column.dtype)
    return padded_numbers[places]
