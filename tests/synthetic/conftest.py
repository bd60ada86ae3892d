from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.records import RECORD_FILES
from synthetic.scenario import Scenario
from synthetic.world import invent


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """The files of a world; instants without their zone, which is UTC, so that they compare."""
    names = [*RECORD_FILES, "oracle"]
    tables = {name: pq.read_table(folder / f"{name}.parquet").to_pandas() for name in names}
    for table in tables.values():
        for column in table.select_dtypes("datetimetz"):
            table[column] = table[column].dt.tz_convert(None)
    return tables


def invented(folder: Path, seed: int) -> None:
    # A short history, so that most of these few journeys are in the world itself.
    invent(folder, scenario=Scenario(history_days=60), journeys=20_000, days=365, seed=seed)


@pytest.fixture(scope="session")
def folder(made_once):
    return made_once("invented-7", partial(invented, seed=7))


@pytest.fixture(scope="session")
def world(folder):
    return read(folder)


@pytest.fixture(scope="session")
def other_world(made_once):
    return read(made_once("invented-8", partial(invented, seed=8)))
