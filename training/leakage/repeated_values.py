"""Subjects that repeat the values of an earlier declaration, with or without an outcome.

A history feature knows every earlier declaration, inside and outside of the fit windows, and its
outcome once that is known. So only subjects with values that nobody declared before show what a
model is worth without memory.
"""

import numpy as np
import pandas as pd

from training.outcomes import Bools, Instants
from training.ranking import Ints

# Values equal to this many digits count as equal: rounding must not hide a repetition.
SIGNIFICANT_DIGITS = 4


def repeats_earlier(values: pd.DataFrame, declared_at: Instants, rows: Ints) -> Bools:
    """Return a mask of `rows` with an earlier row of equal `values` in every column.

    All rows count, labelled or not, in order of `declared_at`. Subjects declared at the same
    instant do not know each other. A missing value counts as a value.
    """
    cells = np.zeros(len(values), dtype=np.int64)
    for name in values.columns:
        of_column = value_cells(values[name])
        # Renumbered after each column, so that the product cannot overflow.
        cells = pd.factorize(cells * (of_column.max() + 1) + of_column)[0]
    first = np.unique(cells, return_index=True)[1][cells[rows]]
    return np.asarray(declared_at[first] < declared_at[rows])


def value_cells(values: "pd.Series[float]") -> Ints:
    """Return a number per value, equal for values with the same leading digits."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return pd.factorize(values, use_na_sentinel=False)[0]
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.floor(np.log10(np.abs(numbers))) - (SIGNIFICANT_DIGITS - 1)
        rounded = np.round(numbers / 10.0**place) * 10.0**place
    return pd.factorize(np.where(numbers == 0, 0.0, rounded), use_na_sentinel=False)[0]
