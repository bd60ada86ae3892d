"""One world of 2,000 journeys, invented once for all properties that cross rooms."""

from functools import partial
from pathlib import Path

import pytest

from features.build_training_set import feature_matrix
from features.engine.columns import Records
from features.engine.store.lmdb_store import LmdbStore
from features.history.online_store import OnlineStore
from features.history.rebuild import rebuild_store
from features.ingest.record_folder import RecordFolder, records_of_folder
from features.records import SUBJECT_KINDS
from features.replay_submissions import submissions_of
from features.vector import feature_vector, feature_vectors
from synthetic.scenario import Scenario
from synthetic.world import invent
from tests.agreement.amended_streams import DECLARED_OTHERWISE, declared_otherwise
from tests.agreement.streams import write
from tests.conftest import MadeOnce


@pytest.fixture(scope="session")
def world(made_once: MadeOnce) -> Path:
    """The record files of the world."""
    # Much is found, so that windows over results are not all empty.
    scenario = Scenario(inspection_capacity=0.5, base_rate=0.04)
    invented = partial(invent, scenario=scenario, journeys=2_000, days=180, seed=11)
    return made_once("agreement", lambda folder: invented(folder / "records")) / "records"


@pytest.fixture(scope="session")
def records(world: Path) -> Records:
    """The same as columns; not to be changed."""
    return records_of_folder(world)


@pytest.fixture(scope="session", autouse=True)
def compiled(made_once: MadeOnce, world: Path) -> None:
    """Let one process compile what all would compile at once: these tests are begun first."""
    made_once("compiled", partial(_compute_all, world))


def _compute_all(world: Path, folder: Path) -> None:
    write(declared_otherwise(DECLARED_OTHERWISE), folder / "amended")
    for records in (world, folder / "amended"):
        rebuild_store(records, folder / f"state of {records.name}")
        state = OnlineStore(LmdbStore(folder / f"state of {records.name}"))
        for kind in SUBJECT_KINDS:
            feature_matrix(kind, RecordFolder(records))
            asked = [*submissions_of(records, kind)][:2]
            feature_vectors(asked, state)
            feature_vector(asked[0], state)
        state.store.close()
