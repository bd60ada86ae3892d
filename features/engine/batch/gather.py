"""Gather and scatter by index, compiled: numpy looks at every index more than once."""

import numpy as np

from features.engine.columns import Column, Columns
from features.engine.numba_cache import compiled

# The column of an event that says which row of the subjects it stands beside.
SUBJECT_ROW = "row_of_subject"


@compiled(nogil=True)
def is_every_row(which: Column, rows: int) -> bool:
    """Return whether these places are those of all so many rows, in their order."""
    is_other = len(which) != rows
    for at in range(len(which)):
        is_other |= which[at] != at
    return not is_other


def gather_rows(columns: Columns, which: Column) -> Columns:
    """The rows at these places, none of which is negative."""
    return {name: gather(column, which) for name, column in columns.items()}


@compiled(nogil=True)
def gather(column: Column, which: Column) -> Column:
    """The values at these places, none of which is negative."""
    values = np.empty(len(which), column.dtype)
    for at in range(len(which)):
        values[at] = column[which[at]]
    return values


@compiled(nogil=True)
def scatter(numbers: Column, where: Column, size: int) -> Column:
    """A float64 column of so many rows with each number at its place; NaN where none is."""
    column = np.full(size, np.nan)
    for at in range(len(where)):
        column[where[at]] = numbers[at]
    return column
