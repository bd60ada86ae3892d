"""Compiled gather and scatter by index; numpy passes over the indexes more than once."""

import numpy as np

from features.engine.columns import Column, Columns
from features.engine.numba_cache import compiled

# Column of an event with the row of the subject it belongs to.
SUBJECT_ROW = "row_of_subject"


@compiled(nogil=True)
def is_every_row(which: Column, rows: int) -> bool:
    """Return whether the indexes are those of all rows, in order."""
    # No early exit, so that the compiler can vectorise the loop.
    is_other = len(which) != rows
    for at in range(len(which)):
        is_other |= which[at] != at
    return not is_other


def gather_rows(columns: Columns, which: Column) -> Columns:
    """Return the rows at these indexes, which must not be negative."""
    return {name: gather(column, which) for name, column in columns.items()}


@compiled(nogil=True)
def gather(column: Column, which: Column) -> Column:
    """Return the values at these indexes, which must not be negative."""
    values = np.empty(len(which), column.dtype)
    for at in range(len(which)):
        values[at] = column[which[at]]
    return values


@compiled(nogil=True)
def scatter(numbers: Column, where: Column, size: int) -> Column:
    """Return a float64 column of `size` rows with each number at its index; NaN elsewhere."""
    column = np.full(size, np.nan)
    for at in range(len(where)):
        column[where[at]] = numbers[at]
    return column
