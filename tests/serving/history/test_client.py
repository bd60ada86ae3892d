"""What was known before: durable with the log, the same on both engines, and there at once."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from structlog.testing import capture_logs
from typer.testing import CliRunner

from features.engine.columns import instant_us
from features.engine.store.lmdb_store import LmdbStore
from features.errors import OnlineStoreUnavailable, TidegateError
from features.history.online_store import IncomingByType, OnlineStore, history_windows
from features.history.stored_columns import SHIPMENT
from features.submission import Submission, history_records
from serving.app import create_app
from serving.cli.main import app as commands
from serving.history.client import open_history, rebuild_history
from serving.process.worker_metrics import FOLDER
from serving.request_parsing import read_submission
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.postgres_state import PostgresStateStore
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.record_repository import RecordRepository
from tests.kills import KILLED, is_killed_at
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service, services_of
from tests.serving.postgres import Server

SEEN = "consignee_shipments_30d"


def submitted(**fields: Any) -> Submission:
    return read_submission(json.dumps(shipment(**fields)).encode())


def shipments(numbers: range) -> IncomingByType:
    """Shipments of one consignee, not in the order in which they were declared."""
    hours = (timedelta(hours=1 + n * 7 % 900) for n in numbers)
    return history_records(
        submitted(shipment_id=f"S-{n}", declared_at=(NOW - ago).isoformat())
        for n, ago in zip(numbers, hours, strict=True)
    )


def known(service: Service) -> float:
    """How many shipments of 30 days the past knows of the consignee of bodies."""
    asked = submitted(shipment_id="asked", declared_at=NOW.isoformat())
    return float(service.services.history.vectors([asked])[0][SEEN] or 0)


@contextmanager
def working(settings: Settings) -> Iterator[Service]:
    with TestClient(create_app(settings, clock=lambda: NOW)) as client:
        yield Service(client, services_of(client), settings.home)


@contextmanager
def worker(settings: Settings) -> Iterator[Service]:
    """One of several: each has a folder to share, for one process shares none with itself."""
    with tempfile.TemporaryDirectory() as folder:
        with patch.dict(os.environ, {FOLDER: folder}):
            app = create_app(settings, clock=lambda: NOW)
        with TestClient(app) as client:
            yield Service(client, services_of(client), settings.home)


@pytest.fixture
def shared(postgres: Server) -> Iterator[PostgresStateStore]:
    engine = open_database(postgres.new_database(), is_service=True)
    yield PostgresStateStore(engine)
    engine.dispose()


def all_numbers(state: OnlineStore) -> np.ndarray:
    """The windows over shipments, now and in the past."""
    subject = history_records([submitted()])["shipments"][0].__dict__
    plan = state.plan([w for w in history_windows() if set(w.by) <= set(subject)])
    instants = (instant_us(NOW - timedelta(days=days)) for days in (0, 9))
    return np.array([state.numbers(plan, subject, at) for at in instants])


def test_the_shared_state_tells_what_the_embedded_one_does(
    shared: PostgresStateStore, tmp_path: Path
) -> None:
    states = OnlineStore(shared), OnlineStore(LmdbStore(tmp_path / "state"))
    for start in (400, 0, 200, 300, 600, 100, 500):  # late ones too, over several pages
        for state in states:
            state.ingest(shipments(range(start, start + 130)))

    told = [all_numbers(state) for state in states]
    assert told[0].tobytes() == told[1].tobytes()
    assert 730 in told[0]

    scanned = []
    for store in (shared, states[1].store):
        with store.reading() as view:
            scanned.append([(key, bytes(blob)) for key, blob in view.scan(SHIPMENT)])
    assert len(scanned[0]) == 730
    assert scanned[0] == scanned[1]


def test_an_error_midway_leaves_nothing_in_the_shared_state(shared: PostgresStateStore) -> None:
    state = OnlineStore(shared)
    before = all_numbers(state)
    with pytest.raises(KeyError):
        state.ingest({**shipments(range(3)), "transactions": shipments(range(1))["shipments"]})

    assert all_numbers(state).tobytes() == before.tobytes()


def test_a_shared_state_is_replaced_whole(shared: PostgresStateStore, tmp_path: Path) -> None:
    made = LmdbStore(tmp_path / "state")
    OnlineStore(made).ingest(shipments(range(5)))
    OnlineStore(shared).ingest(shipments(range(9)))
    shared.replace(made.all(), if_empty=True)
    assert 9 in all_numbers(OnlineStore(shared))
    shared.replace(made.all())
    assert 9 not in all_numbers(OnlineStore(shared))


def test_workers_of_one_database_share_what_was_known(home: Path, postgres: Server) -> None:
    settings = Settings(home=home, database_url=SecretStr(postgres.new_database()))
    with worker(settings) as one, worker(settings) as other:
        before = known(other)
        caller = one.key("score")
        assert one.score(shipment(shipment_id="S-1"), caller).status_code == 200
        assert known(other) == known(one) == before + 1
        assert other.score(shipment(shipment_id="S-2"), caller).status_code == 200
        assert known(other) == known(one) == before + 2
    with working(settings) as later:
        assert known(later) == before + 2


def test_a_worker_reads_from_the_log_what_another_did_not_live_to_apply(
    home: Path, postgres: Server
) -> None:
    settings = Settings(home=home, database_url=SecretStr(postgres.new_database()))
    with worker(settings) as one, worker(settings) as other:
        before = known(other)
        caller = one.key("score")
        with patch.object(one.services.history, "apply_decisions"):
            assert one.score(shipment(shipment_id="S-1"), caller).status_code == 200
        assert known(other) == before
        assert other.score(shipment(shipment_id="S-2"), caller).status_code == 200
        assert known(other) == known(one) == before + 2


def test_a_start_reads_neither_files_nor_decisions_again(home: Path) -> None:
    settings = Settings(home=home)
    with working(settings) as service:
        service.score(shipment(shipment_id="S-1"), service.key("score"))
        before = known(service)
    shutil.rmtree(settings.records)
    reading = Mock(return_value=iter(()))
    with patch.object(DecisionRepository, "records", reading), working(settings) as service:
        assert known(service) == before >= 1
    reading.assert_called_once_with(1)


def test_what_a_killed_service_knew_but_had_not_written_it_learns_at_the_start(
    home: Path, tmp_path: Path
) -> None:
    with working(Settings(home=home)) as service:
        before, caller = known(service), service.key("score")
        for number in range(3):
            service.score(shipment(shipment_id=f"S-{number}"), caller)
        assert known(service) == before + 3, "before anything was written"
        shutil.copytree(home / "state", tmp_path / "as a kill leaves it")
    shutil.rmtree(home / "state")
    shutil.move(tmp_path / "as a kill leaves it", home / "state")

    with working(Settings(home=home)) as service:
        assert known(service) == before + 3


def test_a_service_writes_what_it_has_known_for_long(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.history.client.MAX_UNWRITTEN_S", 0.05)
    monkeypatch.setattr("serving.audit.decision_log_writer._POLL_INTERVAL_S", 0.01)
    with working(Settings(home=home)) as service:
        service.score(shipment(), service.key("score"))
        while service.services.history.is_behind:
            time.sleep(0.01)
        shutil.copytree(home / "state", tmp_path / "copy")
    told = OnlineStore(LmdbStore(tmp_path / "copy"))
    assert told.watermark("decisions") == "1"
    told.store.close()


def test_what_could_not_be_written_is_told_later_and_written_then(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.history.client.MAX_UNWRITTEN", 1)
    monkeypatch.setattr("serving.audit.decision_log_writer._POLL_INTERVAL_S", 0.01)
    past, caller = service.services.history, service.key("score")
    with monkeypatch.context() as broken, capture_logs() as told:
        broken.setattr(LmdbStore, "sync", failing)
        assert service.score(shipment(), caller).status_code == 200
        while not any(entry["event"] == "past_not_written" for entry in told):
            time.sleep(0.01)
        assert past.is_behind
    while past.is_behind:
        time.sleep(0.01)


def test_what_the_state_failed_to_learn_it_learns_with_the_next_decision(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, before = service.key("score"), known(service)
    with monkeypatch.context() as broken:
        broken.setattr(OnlineStore, "ingest", failing)
        assert service.score(shipment(shipment_id="S-1"), caller).status_code == 200
    assert known(service) == before
    assert service.score(shipment(shipment_id="S-2"), caller).status_code == 200
    assert known(service) == before + 2


def test_what_the_state_did_not_learn_before_a_kill_it_learns_at_the_start(home: Path) -> None:
    with working(Settings(home=home)) as service, pytest.MonkeyPatch.context() as broken:
        before = known(service)
        broken.setattr(OnlineStore, "ingest", failing)
        assert service.score(shipment(), service.key("score")).status_code == 200
    with working(Settings(home=home)) as service:
        assert known(service) == before + 1


def failing(*_: Any) -> None:
    raise OnlineStoreUnavailable("the disk is full")


def test_a_score_without_a_past_is_no_score(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OnlineStore, "window_numbers", failing)
    answer = service.score(shipment(), service.key("score"))

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


def test_a_rebuild_finds_what_files_the_log_and_calls_tell(home: Path) -> None:
    with working(Settings(home=home)) as service:
        service.score(shipment(), service.key("score"))
        before = known(service)
        inspected = {
            "subject_kind": "shipment",
            "subject_id": "S-1",
            "selected_by": "discretion",
            "inspected_at": "2026-11-24T10:30:00Z",
            "known_at": "2026-11-24T11:00:00Z",
            "result": "confirmed",
        }
        headers = service.key("ingest")
        sent = service.client.post("/v1/records", json={"outcomes": [inspected]}, headers=headers)
        assert sent.status_code == 200
        vector = service.services.history.vectors([submitted(declared_at=NOW.isoformat())])[0]
    shutil.rmtree(home / "state")

    told = CliRunner().invoke(commands, ["state", "rebuild", "--home", str(home), "--json"])
    assert json.loads(told.stdout) == {"records": str(home / "records"), "decisions": 1}
    with working(Settings(home=home)) as service:
        assert known(service) == before
        again = service.services.history.vectors([submitted(declared_at=NOW.isoformat())])[0]
        assert again == vector


def test_a_rebuild_that_would_forget_most_is_refused_and_the_store_stays(home: Path) -> None:
    with working(Settings(home=home)) as service:
        before = dict(service.services.history.counts)
    rebuild = ["state", "rebuild", "--home", str(home)]
    (home / "records").rename(home / "elsewhere")

    refused = CliRunner().invoke(commands, rebuild)
    assert isinstance(refused.exception, TidegateError)
    assert "there ought to be" in str(refused.exception)
    with working(Settings(home=home)) as service:
        assert dict(service.services.history.counts) == before
    assert CliRunner().invoke(commands, [*rebuild, "--allow-fewer"]).exit_code == 0
    with working(Settings(home=home)) as service:
        assert dict(service.services.history.counts) != before


def test_records_that_a_killed_command_had_moved_away_are_put_back_before_a_rebuild(
    home: Path,
) -> None:
    with working(Settings(home=home)) as service:
        before = dict(service.services.history.counts)
    (home / "records").rename(home / ".records.partial-0123abcd.former")

    assert CliRunner().invoke(commands, ["state", "rebuild", "--home", str(home)]).exit_code == 0
    with working(Settings(home=home)) as service:
        assert dict(service.services.history.counts) == before


def test_a_rebuild_for_a_shared_store_that_is_killed_leaves_nothing_once_it_is_opened_again(
    home: Path, tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    settings = Settings(home=home)
    engine = open_database(postgres.new_database(), is_service=False, keys=home / "keys")
    log, records, shared = (
        DecisionRepository(engine),
        RecordRepository(engine),
        PostgresStateStore(engine),
    )
    former = {each.name for each in home.iterdir()}
    with monkeypatch.context() as patched:
        patched.setattr(PostgresStateStore, "replace", lambda *_, **__: os._exit(KILLED))
        assert is_killed_at(10**9, lambda: rebuild_history(settings, log, records, shared))

    assert [*elsewhere.iterdir()] == []
    assert {each.name for each in home.iterdir()} != former
    open_history(settings, log, records, shared)
    assert {each.name for each in home.iterdir()} == {*former, ".state-turn"}
    engine.dispose()
