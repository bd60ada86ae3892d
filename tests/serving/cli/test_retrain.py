"""One command gathers what a home knows, builds, trains and proposes; it never promotes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow.data
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from mlflow import MlflowClient
from typer.testing import CliRunner

from features.errors import RecordsError
from serving.access.pseudonyms import Pseudonyms
from serving.app import create_app
from serving.cli.main import app
from serving.cli.retrain import _outlook
from serving.history.export_records import HomeRecords
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.errors import DatabaseMissing
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.record_repository import RecordRepository
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service, services_of
from tests.serving.world import SHIPMENTS, write_world
from training.data.training_set import TrainingSet
from training.errors import TrainingError, TrainingSetError, WindowUnusable
from training.gates.canaries import Canaries
from training.gates.verdict import Verdict
from training.model.model_home import ModelHome
from training.model.model_pointer import ModelPointer

EXPERIMENT = """
threads = 1
[split]
label_gap_days = 5
minimum_labels = 2
[trees]
trees = 25
leaves = 6
min_data_in_leaf = 5
monotone = "off"
[evaluation]
redraws = 10
"""
NAME = "tidegate-shipment"


def run(*arguments: Any) -> Any:
    """A command's JSON; an error that it would print is raised."""
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout) if result.exit_code == 0 else result.exit_code


def outcome(subject_id: str, day: int = 24, result: str = "confirmed") -> dict[str, Any]:
    return {
        "subject_kind": "shipment",
        "subject_id": subject_id,
        "inspected_at": f"2026-11-{day}T10:30:00Z",
        "known_at": f"2026-11-{day}T11:00:00Z",
        "result": result,
        "selected_by": "discretion",
    }


def amended(subject_id: str) -> dict[str, Any]:
    """The next version of the first document of a body."""
    (document, *_) = shipment(shipment_id=subject_id)["documents"]
    told = {"subject_kind": "shipment", "subject_id": subject_id, "version": 2}
    return document | told | {"received_at": "2026-11-24T11:00:00Z"}


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose service decided about three shipments, and was told more of the first."""
    home = tmp_path_factory.mktemp("used") / "home"
    write_world(home / "records")
    (home / "small.toml").write_text(EXPERIMENT)
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home)
        caller = service.key("score")
        for number in range(3):
            service.score(shipment(shipment_id=f"S-{number}"), caller)
        records = {"outcomes": [outcome("S-0")], "documents": [amended("S-0")]}
        told = client.post("/v1/records", json=records, headers=service.key("ingest"))
        assert told.json()["accepted"] == 2
    return home


def retrain(home: Path, *more: Any) -> Any:
    given = ("--subject", "shipment", "--home", home, "--trainer", "ada", "--json")
    return run("retrain", *given, "--experiment", home / "small.toml", *more)


@pytest.fixture(scope="module")
def first(used: Path) -> Any:
    return retrain(used, "--until", "2026-11-24T12:00")


def test_what_was_decided_and_told_joins_what_the_files_hold(used: Path, first: Any) -> None:
    laid = pq.read_table(used / "records" / "outcomes.parquet").num_rows
    assert first["records"]["shipments"] == SHIPMENTS + 3
    assert first["records"]["outcomes"] == laid + 1
    assert first["records"]["documents"] == 2, "both versions, each once"
    assert first["authored"] == 1
    outcomes = pq.read_table(used / "training_sets" / "shipment" / "outcomes.parquet")
    (told,) = [row for row in outcomes.to_pylist() if row["subject_id"] == "S-0"]
    assert told["result"] == "confirmed"
    assert told["author"].startswith("author-")


def test_a_challenger_is_registered_and_nobody_is_promoted(used: Path, first: Any) -> None:
    models = ModelHome(used)
    challenger = models.pointer(NAME, "challenger")
    assert challenger is not None
    assert challenger.digest == first["challenger"]["digest"]
    assert models.pointer(NAME, "champion") is None


def test_the_run_leads_to_the_training_set_that_it_was_made_of(used: Path, first: Any) -> None:
    client = MlflowClient(f"sqlite:///{used / 'mlflow.db'}")
    (given, *_) = client.get_run(first["challenger"]["run_id"]).inputs.dataset_inputs

    folder = Path(mlflow.data.get_source(given).load())

    placed = used / "training_sets" / "shipment" / "features.parquet"
    assert (folder / "features.parquet").samefile(placed)
    digest = TrainingSet.read(folder, "shipment").digest
    assert digest == {tag.key: tag.value for tag in given.tags}["digest"]


def test_without_a_champion_there_is_nothing_to_recalibrate(first: Any, used: Path) -> None:
    given = ("retrain", "--recalibrate", "--subject", "shipment", "--home", str(used))

    refused = CliRunner().invoke(app, given)
    wrong = CliRunner().invoke(app, (*given, "--experiment", str(used / "small.toml")))

    assert isinstance(refused.exception, TrainingError)
    assert "has no champion to recalibrate" in str(refused.exception)
    assert wrong.exit_code == 2
    assert "leave out one of both" in wrong.output


def test_every_gate_but_that_of_the_approver_is_told(first: Any) -> None:
    gates = {verdict["gate"] for verdict in first["verdicts"]}
    assert {"influence", "canaries", "control lane", "no worse than the champion"} < gates
    assert "approver" not in gates
    shut = {v["gate"] for v in first["verdicts"] if v["verdict"] != "passed" and not v["is_waived"]}
    assert set(first["would_be_refused_by"]) == shut


def test_canaries_are_chosen_once_and_asked_from_then_on(used: Path, first: Any) -> None:
    chosen = Canaries.read(used, "shipment", ModelHome(used).public_key)
    assert chosen is not None
    assert chosen.confirmed
    version, digest = first["challenger"]["version"], first["challenger"]["digest"]
    pointer = ModelPointer(name=NAME, version=version, digest=digest, set_at=NOW)
    ModelHome(used).point("champion", pointer)

    again = retrain(used)

    assert Canaries.read(used, "shipment", ModelHome(used).public_key) == chosen
    (said,) = [v["reason"] for v in again["verdicts"] if v["gate"] == "canaries"]
    assert "mean log-odds of known confirmed moved by" in said


@pytest.fixture
def damaged(used: Path, first: Any) -> Iterator[Path]:
    """The home with a champion that cannot be read, and no canaries yet; then as it was."""
    models, version = ModelHome(used), first["challenger"]["version"]
    former = models.pointer(NAME, "champion")
    digest = first["challenger"]["digest"]
    models.point("champion", ModelPointer(name=NAME, version=version, digest=digest, set_at=NOW))
    manifest = models.folder_of(NAME, version) / "manifest.json"
    manifest.rename(used / "manifest.json")
    (used / "canaries").rename(used / "canaries of before")
    yield used
    (used / "canaries of before").rename(used / "canaries")
    (used / "manifest.json").rename(manifest)
    models.clear(NAME, "champion")
    if former is not None:
        models.point("champion", former)


def test_a_champion_that_cannot_be_read_is_told_of_and_ends_no_retraining(damaged: Path) -> None:
    told = retrain(damaged)

    assert "champion" in told["would_be_refused_by"]
    assert not (damaged / "canaries").exists(), "none are chosen from what nobody can read"


@pytest.fixture
def sources(used: Path) -> Iterator[HomeRecords]:
    engine = open_database(used / "tidegate.db", is_service=False, keys=used / "keys")
    yield HomeRecords(
        used / "records",
        DecisionRepository(engine),
        RecordRepository(engine),
        Pseudonyms(b"a key of a test"),
    )
    engine.dispose()


def test_nothing_later_than_the_instant_is_written(sources: HomeRecords, tmp_path: Path) -> None:
    until = datetime(2026, 6, 1, tzinfo=UTC)
    counts, _ = sources.write(tmp_path, until)
    assert 0 < counts["shipments"] < SHIPMENTS
    for name, column in (("shipments", "declared_at"), ("outcomes", "known_at")):
        instants = pq.read_table(tmp_path / f"{name}.parquet")[column].to_pylist()
        assert max(instants) < until
        assert min(instants) < until - timedelta(days=90)


def test_a_record_that_is_in_file_and_log_is_written_once(
    sources: HomeRecords, used: Path, tmp_path: Path
) -> None:
    counts, _ = sources.write(tmp_path, datetime(2027, 1, 1, tzinfo=UTC))
    ids = pq.read_table(tmp_path / "shipments.parquet")["shipment_id"].to_pylist()
    assert len(ids) == len(set(ids)) == counts["shipments"]


@pytest.mark.parametrize(
    ("until", "error", "says"),
    [
        ("2025-01-01", TrainingSetError, "no shipments and no outcomes were known before"),
        ("2026-01-08", WindowUnusable, "at least 2 of each are needed"),
    ],
)
def test_a_time_that_teaches_nothing_is_refused_and_leaves_the_training_set(
    used: Path, first: Any, until: str, error: type[Exception], says: str
) -> None:
    def kept() -> dict[str, bytes]:
        files = (path for path in (used / "training_sets").rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files}

    before = kept()
    with pytest.raises(error, match=says):
        retrain(used, "--until", until)
    assert kept() == before


@pytest.mark.parametrize("until", ["2999-01-01", "soon"])
def test_a_time_that_is_none_or_to_come_is_wrong_usage(used: Path, until: str) -> None:
    assert retrain(used, "--until", until) == 2


def test_a_home_without_a_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(EXPERIMENT)
    with pytest.raises(DatabaseMissing, match="tidegate init"):
        retrain(tmp_path)


def test_a_wrong_record_file_is_refused_with_its_rows(used: Path, tmp_path: Path) -> None:
    import shutil

    home = Path(shutil.copytree(used, tmp_path / "home"))
    (home / "records" / "legs.parquet").unlink()
    (home / "records" / "legs.ndjson").write_text("no json\n")
    with pytest.raises(RecordsError, match=r"legs\.ndjson"):
        retrain(home)


def test_it_says_what_a_promotion_would_come_to() -> None:
    passed, undecided, refused = (
        Verdict("canaries", answer, "") for answer in ("passed", "undecided", "refused")
    )

    assert _outlook([passed]) == "another person may promote it"
    assert _outlook([passed, undecided]).endswith("if two people answer for what is undecided")
    assert _outlook([undecided, refused]) == "its promotion would be refused"
