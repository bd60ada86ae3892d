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


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("world")
    invent(out, scenario=Scenario(), journeys=20_000, days=365, seed=7)
    return out


@pytest.fixture(scope="session")
def world(folder):
    return read(folder)


@pytest.fixture(scope="session")
def other_world(tmp_path_factory):
    out = tmp_path_factory.mktemp("other")
    invent(out, scenario=Scenario(), journeys=20_000, days=365, seed=8)
    return read(out)
