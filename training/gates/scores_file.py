"""Scores of a window's subjects from any model: one log-odds for each."""

from pathlib import Path

import numpy as np
import pandas as pd

from training.errors import TrainingError
from training.ranking import Floats

ID, SCORE = "subject_id", "log_odds"
A_FRAME = Path("the table of scores")


def read_scores(given: Path | pd.DataFrame, known: pd.Index, rows: slice) -> Floats:
    """Read `log_odds` of CSV, Parquet or a frame for the `known` ids in the window's `rows`.

    Raises TrainingError if a subject is unknown, outside the window, duplicated, missing, or
    without a finite score.
    """
    window, file = known[rows], given if isinstance(given, Path) else A_FRAME
    table = _table(file) if isinstance(given, Path) else given
    if absent := [name for name in (ID, SCORE) if name not in table.columns]:
        raise TrainingError(
            f"{file}: the column {absent[0]!r} is missing; want {ID} and {SCORE} "
            "(Parquet where the name ends in .parquet, CSV otherwise)"
        )
    table = table.astype({ID: "string"})
    ids, numbers = table[ID], pd.to_numeric(table[SCORE], errors="coerce")
    scores = numbers.to_numpy(dtype=np.float64)
    _refuse(file, ids[ids.isna()], "a row names no subject")
    _refuse(file, ids[~np.isfinite(scores)], "has no finite number as log_odds")
    _refuse(file, ids[ids.duplicated()], "appears twice")
    strange = ids[~ids.isin(window)]
    _refuse(file, strange[~strange.isin(known)], "is not in the training set")
    _refuse(file, strange, "was not declared in the evaluation window, but before or after it")
    _refuse(file, window[~window.isin(ids)].to_series(), "of the evaluation window is missing")
    by_id = pd.Series(scores, index=ids)
    return by_id.reindex(window).to_numpy(dtype=np.float64)


def _table(file: Path) -> pd.DataFrame:
    try:
        if file.suffix == ".parquet":
            table = pd.read_parquet(file)
        else:
            # Ids as text: pandas would turn 007 into 7, and the id "NA" into a missing value.
            table = pd.read_csv(file, dtype="string", keep_default_na=False).replace("", pd.NA)
    except FileNotFoundError:
        raise TrainingError(f"{file}: no such file") from None
    except (OSError, ValueError) as error:
        raise TrainingError(f"{file}: neither CSV nor Parquet ({error})") from None
    return table


def _refuse(file: Path, ids: "pd.Series[str]", why: str) -> None:
    if len(ids) == 0:
        return
    more = f" ({len(ids):,} such subjects)" if len(ids) > 1 else ""
    name = "" if pd.isna(ids.iloc[0]) else f"the subject {ids.iloc[0]!r} "
    raise TrainingError(f"{file}, {ID}: {name}{why}{more}")
