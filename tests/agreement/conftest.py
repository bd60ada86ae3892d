"""One world of 2,000 journeys, invented once for all properties that cross rooms."""

from pathlib import Path

import pytest

from features.engine.batch.record_blocks import records_of_folder
from features.engine.columns import Records
from synthetic.scenario import Scenario
from synthetic.world import invent


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record files of the world."""
    folder = tmp_path_factory.mktemp("world") / "records"
    invent(folder, scenario=Scenario(), journeys=2_000, days=180, seed=11)
    return folder


@pytest.fixture(scope="session")
def records(world: Path) -> Records:
    """The same as columns; not to be changed."""
    return records_of_folder(world)
