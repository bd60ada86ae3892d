"""A home that was copied or moved is whole where it is, and writes nothing to where it was."""

import hashlib
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import lightgbm as lgb
import mlflow
import pytest

from tests.training.planted import INPUTS, QUICK
from training.data.training_set import TrainingSet
from training.model.model_home import ModelHome
from training.parameters import TrainingParameters, TreeParameters
from training.registry.mlflow.runs import add_text
from training.registry.mlflow.store import TrackingStore
from training.registry.promotion import Approval, run_as_shadow
from training.registry.registration import register_version
from training.registry.training_origin import TrainingOrigin
from training.train import Candidate, train_model

NOON = datetime(2026, 1, 2, tzinfo=UTC)
ORIGIN = TrainingOrigin("ada", NOON, revision=None)


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


@pytest.fixture(scope="module")
def candidate(data: TrainingSet) -> Candidate:
    return train_model(data, TrainingParameters(**QUICK, trees=TreeParameters(trees=10, leaves=4)))


def trained(home: Path, candidate: Candidate, data: TrainingSet) -> str:
    """Register a version in a home; its run."""
    return register_version(
        candidate, data, ModelHome(home), TrackingStore.open(home), ORIGIN
    ).run_id


def contents(home: Path) -> dict[str, str]:
    files = (each for each in sorted(home.rglob("*")) if each.is_file())
    return {str(f.relative_to(home)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def places_in(database: Path) -> str:
    """Everything that is in a database, as text."""
    connection = sqlite3.connect(database)
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()


def test_training_in_a_copy_writes_nothing_into_the_original(
    candidate: Candidate, data: TrainingSet, tmp_path: Path
) -> None:
    original, copy = tmp_path / "original", tmp_path / "a copy, further away"
    trained(original, candidate, data)
    before = contents(original)
    shutil.copytree(original, copy)

    run_id = trained(copy, candidate, data)
    add_text(TrackingStore.open(copy), run_id, "model_card.md", "A card.")

    assert contents(original) == before
    assert (copy / "mlartifacts" / run_id / "artifacts" / "model_card.md").read_text() == "A card."


def test_a_moved_home_has_all_that_was_registered_and_names_its_former_place_nowhere(
    candidate: Candidate, data: TrainingSet, tmp_path: Path
) -> None:
    original, moved = tmp_path / "original", tmp_path / "moved"
    run_id = trained(original, candidate, data)
    original.rename(moved)

    store = TrackingStore.open(moved)
    with store.connected("no artefact"):
        artefact = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="artefact")
        loaded = mlflow.lightgbm.load_model("models:/tidegate-shipment/1")
    run_as_shadow("tidegate-shipment/1", ModelHome(moved), store, Approval("grace", NOON), INPUTS)

    assert (Path(artefact) / "manifest.json").is_file()
    assert (
        loaded.model_to_string()
        == lgb.Booster(model_str=candidate.model.booster_text).model_to_string()
    )
    datasets = store.client.get_run(run_id).inputs.dataset_inputs
    assert all(moved.as_uri() in given.dataset.source for given in datasets)
    assert str(original) not in places_in(moved / "mlflow.db")
    assert not original.exists()


def test_a_version_says_of_its_store_that_it_is_in_the_home_wherever_that_is(
    candidate: Candidate, data: TrainingSet, tmp_path: Path
) -> None:
    trained(tmp_path, candidate, data)

    found = ModelHome(tmp_path).registration_of(tmp_path / "models" / "tidegate-shipment" / "1")

    assert found.tracking_uri == "sqlite:///mlflow.db"


def test_what_leads_elsewhere_than_into_a_home_stays(tmp_path: Path) -> None:
    store = TrackingStore.open(tmp_path / "home")
    elsewhere = (tmp_path / "elsewhere" / "files").as_uri()
    experiment = store.client.create_experiment("by hand", elsewhere)

    shutil.copytree(tmp_path / "home", tmp_path / "copy")

    found = TrackingStore.open(tmp_path / "copy").client.get_experiment(experiment)
    assert found.artifact_location == elsewhere


def test_what_mlflow_keeps_by_itself_is_in_the_home_and_in_its_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the folder where somebody stood when the first command ran."""
    original, copy, stood_in = tmp_path / "original", tmp_path / "copy", tmp_path / "stood in"
    stood_in.mkdir()
    monkeypatch.chdir(stood_in)
    TrackingStore.open(original)
    shutil.copytree(original, copy)
    before = contents(original)

    client = TrackingStore.open(copy).client
    run = client.create_run("0").info
    client.log_text(run.run_id, "a note", "note.txt")

    kept = copy / "mlartifacts" / run.run_id / "artifacts" / "note.txt"
    assert kept.read_text() == "a note"
    assert contents(original) == before
    for home in (original, copy):
        assert str(stood_in) not in places_in(home / "mlflow.db")
    assert list(stood_in.iterdir()) == []
