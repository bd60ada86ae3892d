"""Tables as users have them: pandas or Polars frames, Arrow tables, lists of dicts."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa


def is_tabular(rows: Any) -> bool:
    """Return True if `rows` is a frame, an Arrow table or a list of dicts."""
    is_list_of_dicts = isinstance(rows, list) and bool(rows) and isinstance(rows[0], Mapping)
    return is_list_of_dicts or isinstance(rows, pd.DataFrame) or hasattr(rows, "__arrow_c_stream__")


def as_pandas(rows: Any) -> pd.DataFrame:
    """Return rows as a pandas frame: one row for each; a pandas frame is returned as it is.

    A Polars frame, and any other with the Arrow C stream interface, is converted by way of Arrow;
    of dicts, a key that one lacks is missing there. Raises TypeError for anything else.
    """
    if isinstance(rows, pd.DataFrame):
        return rows
    if not is_tabular(rows):
        raise TypeError(
            "want a pandas or Polars frame, an Arrow table or a list of dicts, "
            f"not {type(rows).__name__}"
        )
    return pd.DataFrame.from_records(rows) if isinstance(rows, list) else pa.table(rows).to_pandas()
