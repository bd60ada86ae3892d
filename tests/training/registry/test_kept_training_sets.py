"""A run leads to the very set that it was made of, or to nothing."""

import json
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import mlflow.data
import pytest
from mlflow.exceptions import MlflowException

from tests.training.planted import INPUTS, QUICK, planted_world, write_training_set
from training.data.training_set import TrainingSet
from training.model.model_home import ModelHome
from training.model.model_pointer import Alias, ModelPointer
from training.model.model_registration import Registration
from training.parameters import TrainingParameters
from training.parameters import TreeParameters as Trees
from training.registry.kept_training_sets import kept
from training.registry.mlflow.store import TrackingStore
from training.registry.registration import register_version
from training.registry.training_origin import TrainingOrigin
from training.train import Candidate, train_model

NAME = "tidegate-shipment"
ORIGIN = TrainingOrigin("ada", datetime(2026, 1, 2, tzinfo=UTC), revision=None)
HURRIED = TrainingParameters(**QUICK, trees=Trees(trees=3, leaves=4))


@pytest.fixture
def home(tmp_path: Path) -> ModelHome:
    return ModelHome(tmp_path / "home")


def built(folder: Path, seed: int) -> TrainingSet:
    """Another set in the same folder, as a later build lays it there."""
    shutil.rmtree(folder, ignore_errors=True)
    return TrainingSet.read(
        write_training_set(folder, *planted_world(1_500, seed=seed)), "shipment", INPUTS
    )


def registered(data: TrainingSet, home: ModelHome) -> Registration:
    candidate: Candidate = train_model(data, HURRIED)
    return register_version(candidate, data, home, TrackingStore.open(home.home), ORIGIN)


def source_of(registration: Registration, home: ModelHome) -> Path:
    run = TrackingStore.open(home.home).client.get_run(registration.run_id)
    return Path(mlflow.data.get_source(run.inputs.dataset_inputs[0]).load())


def in_use(alias: Alias, data: TrainingSet, home: ModelHome) -> Path:
    """A version by that name whose manifest says that it is from a set; its manifest."""
    _ = home.signing_key  # made before anything hangs on it
    version = str(1_000 + get_args(Alias).index(alias))
    folder = home.folder_of(NAME, version)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"training_set_digest": data.digest}))
    home.point(alias, ModelPointer(name=NAME, version=version, digest="-", set_at=ORIGIN.at))
    return folder / "manifest.json"


def test_a_source_loads_the_set_that_its_run_was_made_of_or_nothing(
    home: ModelHome, tmp_path: Path
) -> None:
    former = registered(built(tmp_path / "set", seed=1), home)
    data = built(tmp_path / "set", seed=2)
    challenger = registered(data, home)
    assert built(tmp_path / "set", seed=3).digest != data.digest

    again = TrainingSet.read(source_of(challenger, home), "shipment", INPUTS)

    assert again.digest == data.digest
    assert again.frame.equals(data.frame)
    with pytest.raises(MlflowException, match="No such artifact"):
        source_of(former, home)


def test_sets_of_versions_in_use_stay_and_others_go(home: ModelHome, tmp_path: Path) -> None:
    aliases = get_args(Alias)
    for seed, alias in enumerate((*aliases, None)):
        data = built(tmp_path / "set", seed=seed)
        with kept(data, home):
            if alias is not None:
                in_use(alias, data, home)

    sets = [TrainingSet.read(folder, "shipment", INPUTS).digest for folder in folders(home)]
    assert len(sets) == len(aliases)
    assert data.digest not in sets


def test_nobody_drops_a_set_whose_version_is_being_registered(
    home: ModelHome, tmp_path: Path
) -> None:
    first, second = (built(tmp_path / name, seed) for seed, name in enumerate("ab"))
    is_kept = threading.Event()

    def other() -> None:
        with kept(second, home):
            is_kept.set()

    with kept(first, home) as folder:
        beside = threading.Thread(target=other)
        beside.start()
        assert not is_kept.wait(0.2)
        in_use("challenger", first, home)
    beside.join()

    assert is_kept.is_set()
    assert folders(home) == [folder]


def test_a_champion_that_does_not_say_its_set_loses_none(home: ModelHome, tmp_path: Path) -> None:
    data = built(tmp_path / "set", seed=1)
    with kept(data, home):
        in_use("champion", data, home).write_text("{")

    with kept(built(tmp_path / "set", seed=2), home):
        pass

    assert len(folders(home)) == 2


def test_a_set_of_what_could_not_be_registered_is_not_kept(home: ModelHome, tmp_path: Path) -> None:
    data = built(tmp_path / "set", seed=1)

    with pytest.raises(RuntimeError), kept(data, home):
        raise RuntimeError

    assert folders(home) == []


def test_a_set_is_kept_where_nothing_can_be_linked(
    home: ModelHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    data = built(tmp_path / "set", seed=1)
    monkeypatch.setattr("os.link", refused)

    with kept(data, home) as folder:
        assert TrainingSet.read(folder, "shipment", INPUTS).digest == data.digest
        assert not (folder / "features.parquet").samefile(data.folder / "features.parquet")


def folders(home: ModelHome) -> list[Path]:
    return list((home.home / "training_sets" / "by_digest").iterdir())
