"""The same training told to PostgreSQL and to a tracking server, read by another client."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from tests.ports import free_port
from tests.serving.postgres import Server, postgresql
from tests.training.cut_line import line_cut_at
from tests.training.planted import INPUTS, QUICK
from training.data.training_set import TrainingSet
from training.errors import TrainingError
from training.fit.booster_predict import Margins
from training.model.model_home import ModelHome
from training.model.model_registration import Registration
from training.parameters import TrainingParameters, TreeParameters
from training.registry.mlflow.store import TrackingStore
from training.registry.mlflow.versions import UNFINISHED
from training.registry.registration import register_version
from training.registry.training_origin import SourceRevision, TrainingOrigin
from training.train import Candidate, train_model

NAME = "tidegate-shipment"
PROVENANCE = TrainingOrigin(
    "ada", datetime(2026, 1, 2, tzinfo=UTC), revision=SourceRevision("f" * 40, is_dirty=True)
)
SECONDS_TO_START = 120


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


@pytest.fixture(scope="module")
def candidate(data: TrainingSet) -> Candidate:
    return train_model(data, TrainingParameters(**QUICK, trees=TreeParameters(trees=10, leaves=4)))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


@pytest.fixture(scope="module")
def database(server: Server) -> str:
    return server.new_database()


@pytest.fixture(scope="module")
def address(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of `mlflow server` as its users start it, over the PostgreSQL database."""
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    places = ["--backend-store-uri", database, "--artifacts-destination", str(folder / "files")]
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    with (
        (folder / "log").open("wb") as log,
        running(
            [*command, "--host", "127.0.0.1", *places],
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=log,
        ),
    ):
        wait_for(f"http://127.0.0.1:{port}", folder / "log", seconds=SECONDS_TO_START)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(command: list[str], **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block, whatever happens in it, and its children with it."""
    process = subprocess.Popen(command, start_new_session=True, **how)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(address: str, log: Path, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())


def registered(
    candidate: Candidate, data: TrainingSet, home: Path, uri: str
) -> tuple[ModelHome, Registration]:
    models = ModelHome(home)
    store = TrackingStore.open(home, uri)
    return models, register_version(candidate, data, models, store, PROVENANCE)


def test_a_server_that_does_not_start_in_time_is_ended_with_the_test(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("waits for its database")
    asleep = [sys.executable, "-c", "import time; time.sleep(600)"]

    with pytest.raises(AssertionError, match="waits for its database"), running(asleep) as process:
        wait_for(f"http://127.0.0.1:{free_port()}", tmp_path / "log", seconds=0.3)

    assert process.poll() == -signal.SIGTERM


def test_a_training_told_to_a_server_is_found_in_the_database_behind_it(
    candidate: Candidate, data: TrainingSet, tmp_path: Path, database: str, address: str
) -> None:
    _, registration = registered(candidate, data, tmp_path, address)

    assert registration.tracking_uri == address
    behind = MlflowClient(database, database)
    run = behind.get_run(registration.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.source.git.commit"] == "f" * 40
    assert run.data.tags["tidegate.catalogue"] == INPUTS.fingerprint
    assert len(run.inputs.dataset_inputs) == 3
    version = behind.get_model_version_by_alias(NAME, "challenger")
    assert str(version.version) == registration.version
    server = MlflowClient(address, address)
    pictures = {file.path for file in server.list_artifacts(registration.run_id, "pictures")}
    drawn = ("beeswarm", "dependence", "reliability")
    assert {f"pictures/{name}.png" for name in drawn} <= pictures


def test_another_client_of_the_server_loads_the_model_by_its_alias(
    candidate: Candidate, data: TrainingSet, tmp_path: Path, address: str
) -> None:
    registered(candidate, data, tmp_path, address)
    rows = candidate.model.encode_frame(data.frame.head(20))

    former = mlflow.get_tracking_uri()
    try:
        mlflow.set_tracking_uri(address)
        booster = mlflow.lightgbm.load_model(f"models:/{NAME}@challenger")
    finally:
        mlflow.set_tracking_uri(former)

    ours = Margins.from_text(candidate.model.booster_text, 1).predict(rows)
    assert np.array_equal(booster.predict(rows, raw_score=True), ours)


def test_a_training_is_told_to_postgresql_directly(
    candidate: Candidate, data: TrainingSet, tmp_path: Path, server: Server
) -> None:
    database = server.new_database()
    with_password = database.replace("postgres@", "postgres:secret@")

    models, registration = registered(candidate, data, tmp_path, with_password)

    client = MlflowClient(database, database)
    found = client.get_model_version(NAME, registration.version)
    assert found.tags["tidegate.digest"] == candidate.model.digest
    assert models.find(f"{NAME}@challenger").name == registration.version
    assert "secret" not in registration.tracking_uri
    assert list((tmp_path / "mlartifacts").rglob("model.lgb"))


def test_a_server_that_goes_away_leaves_no_version_at_home(
    candidate: Candidate, data: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answered when asked at first, and is gone when the model is ready."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    client = MlflowClient("http://127.0.0.1:9", "http://127.0.0.1:9")
    gone = TrackingStore("http://127.0.0.1:9", client, None)

    with pytest.raises(TrainingError, match=r"cannot be opened \(http://127\.0\.0\.1:9\)"):
        register_version(candidate, data, ModelHome(tmp_path), gone, PROVENANCE)

    assert not (tmp_path / "models").exists()


def test_a_server_that_dies_between_version_and_alias_leaves_nothing_that_looks_whole(
    candidate: Candidate,
    data: TrainingSet,
    tmp_path: Path,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    _, former = registered(candidate, data, tmp_path / "former", address)
    client = MlflowClient(address, address)

    with line_cut_at("registered-models/alias", address) as line:
        with pytest.raises(TrainingError, match=r"the alias 'challenger' of .* could not be set"):
            registered(candidate, data, tmp_path / "home", line.address)
        assert line.is_cut.is_set()

    assert not [*(tmp_path / "home").rglob("manifest.json")]
    assert client.get_model_version_by_alias(NAME, "challenger").version == former.version
    left = max(client.search_model_versions(f"name='{NAME}'"), key=lambda one: int(one.version))
    assert int(left.version) == int(former.version) + 1
    assert left.tags[UNFINISHED] == "true"
    assert UNFINISHED not in client.get_model_version(NAME, former.version).tags

    later = replace(PROVENANCE, at=datetime.now(UTC) + timedelta(hours=2))
    store = TrackingStore.open(tmp_path / "home", address)
    now = register_version(candidate, data, ModelHome(tmp_path / "home"), store, later)

    versions = {one.version for one in client.search_model_versions(f"name='{NAME}'")}
    assert left.version not in versions
    assert {former.version, now.version} <= versions


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:9",
        "postgresql://someone:secret@127.0.0.1:9/runs",
        "postgresql://someone:secret@/runs?host=/no/such/folder",
    ],
)
def test_a_store_that_does_not_answer_is_named_within_seconds(tmp_path: Path, uri: str) -> None:
    began = time.monotonic()

    with pytest.raises(TrainingError, match="does not answer") as failure:
        TrackingStore.open(tmp_path, uri)

    assert time.monotonic() - began < 30
    assert "secret" not in str(failure.value)
