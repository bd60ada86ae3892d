"""The log: durable before it answers, one writer, groups, and nothing changed afterwards."""

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import IntegrityError

from features.errors import KeysLocked
from features.home_keys import LOG, private_key
from features.submission import Submission
from serving.app import create_app
from serving.audit.decision import Decision
from serving.audit.decision_log_writer import LogWriter, PendingDecision
from serving.audit.errors import AnsweredMeanwhile
from serving.audit.logged_decision import (
    DecisionAccess,
    DecisionFilter,
    LoggedDecision,
    StoredAnswer,
)
from serving.errors import LogUnavailable, TooBusy
from serving.integrity.checkpoints import CheckpointWriter
from serving.integrity.hash_chain import LogHead
from serving.request_parsing import read_submission
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.decision_repository import GROUPS_PER_MOVE, DecisionRepository
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service, services_of
from tests.serving.databases import database

SUBMISSION = read_submission(json.dumps(shipment()).encode())


def entry(number: int, office_id: str | None = None) -> tuple[LoggedDecision, StoredAnswer]:
    decision_id = f"d-{number}"
    row = LoggedDecision(
        decision_id, "now", "shipment", "S", office_id, "c", "release", 0.1, f'{{"n":{number}}}'
    )
    return row, StoredAnswer("c", f"k-{number}", "digest", decision_id, "now", b"answer")


def decided(number: int) -> tuple[LoggedDecision, StoredAnswer, Submission]:
    return *entry(number), SUBMISSION


@pytest.fixture
def log(where: Path | str) -> DecisionRepository:
    return DecisionRepository(database(where, is_service=True))


@pytest.fixture
def sealing(log: DecisionRepository, tmp_path: Path) -> CheckpointWriter:
    register = CheckpointRepository(log._engine)
    return CheckpointWriter(
        private_key(tmp_path / "keys", LOG), register, lambda: NOW, every=3, within_s=3600
    )


@pytest.fixture
def groups() -> list[int]:
    return []


@pytest.fixture
def writer(
    log: DecisionRepository, sealing: CheckpointWriter, groups: list[int]
) -> Iterator[LogWriter]:
    made = LogWriter(log, sealing, 8, lambda size, _: groups.append(size), Mock())
    yield made
    if made.is_alive:
        made.stop()


def waiting_behind_one(
    log: DecisionRepository, writer: LogWriter, numbers: list[int]
) -> list["Future[None]"]:
    """Promises of decisions that gathered while decision 0 was being committed."""
    gate = threading.Event()
    append = log.append

    def append_when_open(rows: Any) -> LogHead:
        gate.wait(5)
        return append(rows)

    log.append = append_when_open  # type: ignore[method-assign]  # a stand-in
    writer.start()
    first = writer.submit(PendingDecision(*decided(0)))
    while writer.depth:
        time.sleep(0.001)
    promises = [writer.submit(PendingDecision(*decided(number))) for number in numbers]
    gate.set()
    first.result(5)
    return promises


def test_what_is_durable_can_be_read_by_another_connection(
    log: DecisionRepository, writer: LogWriter, where: Path | str
) -> None:
    writer.start()
    writer.submit(PendingDecision(*decided(1))).result(5)

    other = DecisionRepository(database(where, is_service=False))

    assert other.record("d-1") == '{"n":1}'
    assert other.answers([("c", "k-1")])["c", "k-1"] == entry(1)[1]


def test_the_database_takes_no_decision_about_anything_else(log: DecisionRepository) -> None:
    row, answer = entry(1)

    with pytest.raises(AnsweredMeanwhile):  # what the log makes of any row that is refused
        log.append([(replace(row, subject_kind="person"), answer)])

    assert log.size() == 0
    log.append([(row, answer)])


def test_decisions_that_wait_are_committed_together(
    log: DecisionRepository, writer: LogWriter, groups: list[int]
) -> None:
    promises = waiting_behind_one(log, writer, [1, 2, 3, 4, 5])
    for promise in promises:
        promise.result(5)

    assert groups == [1, 5]


def test_a_full_queue_refuses_at_once(log: DecisionRepository, sealing: CheckpointWriter) -> None:
    slow = LogWriter(log, sealing, 2, Mock(), Mock())
    slow.thread.start = lambda: None  # type: ignore[method-assign]  # a stand-in
    slow.thread.is_alive = lambda: True  # type: ignore[method-assign]  # a stand-in
    slow.submit(PendingDecision(*decided(1)))
    slow.submit(PendingDecision(*decided(2)))

    with pytest.raises(TooBusy) as refusal:
        slow.submit(PendingDecision(*decided(3)))

    assert refusal.value.retry_after_s == 1


def test_a_writer_that_stops_writes_what_waits_first(
    log: DecisionRepository, writer: LogWriter
) -> None:
    promises = waiting_behind_one(log, writer, [1, 2, 3])
    writer.stop()

    assert all(promise.done() for promise in promises)
    assert log.size() == 4
    with pytest.raises(LogUnavailable):
        writer.submit(PendingDecision(*decided(9)))


def test_a_failed_group_is_not_half_there_and_the_next_one_succeeds(
    log: DecisionRepository, writer: LogWriter
) -> None:
    row, answer = entry(2)
    unreadable = (row, replace(answer, body=cast("bytes", object())), SUBMISSION)
    promises = waiting_behind_one(log, writer, [1])
    promises[0].result(5)
    with pytest.raises(LogUnavailable):
        writer.submit(PendingDecision(*unreadable)).result(5)
    assert writer.has_failed
    writer.submit(PendingDecision(*decided(4))).result(5)

    assert list(log.records()) == ['{"n":0}', '{"n":1}', '{"n":4}']
    assert not writer.has_failed


def test_a_log_that_does_not_answer_is_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is frozen refuses nothing: whoever waits for it knows by the time alone."""
    monkeypatch.setattr("serving.audit.decision_log_writer._MAX_CALL_S", 0.2)
    monkeypatch.setattr("serving.audit.decision_log_writer._POLL_INTERVAL_S", 0.05)
    is_called, answers = threading.Event(), threading.Event()

    def reach() -> None:
        is_called.set()
        answers.wait(10)

    frozen = LogWriter(Mock(reach=reach), Mock(), 8, Mock(), Mock())
    frozen.start()
    is_called.wait(5)
    assert not frozen.has_failed
    time.sleep(0.4)
    assert frozen.has_failed
    answers.set()
    frozen.stop()

    assert not frozen.has_failed


@pytest.mark.parametrize("call", ["probe", "reach"])
def test_a_writer_outlives_whatever_fails_and_writes_once_it_can(
    log: DecisionRepository, writer: LogWriter, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """As a key of the home that cannot be read for a while, which is no failure of the database."""
    monkeypatch.setattr("serving.audit.decision_log_writer._POLL_INTERVAL_S", 0.01)
    failed = threading.Event()
    writer.start()

    def fail(*_: Any) -> None:
        failed.set()
        raise KeysLocked("the passphrase is not there")

    with monkeypatch.context() as patch:
        patch.setattr(log, call, fail)
        if call == "probe":
            patch.setattr(log, "append", fail)
            with pytest.raises(LogUnavailable):
                writer.submit(PendingDecision(*decided(1))).result(5)
            failed.clear()
        assert failed.wait(5)
        time.sleep(0.05)

    until = time.monotonic() + 5
    while writer.has_failed and time.monotonic() < until:
        time.sleep(0.01)
    writer.submit(PendingDecision(*decided(2))).result(5)


def test_a_request_that_was_answered_meanwhile_keeps_no_other_from_its_decision(
    log: DecisionRepository, writer: LogWriter
) -> None:
    first, again, last = waiting_behind_one(log, writer, [1, 0, 2])
    with pytest.raises(AnsweredMeanwhile):
        again.result(5)
    first.result(5)
    last.result(5)

    assert list(log.records()) == ['{"n":0}', '{"n":1}', '{"n":2}']


def test_a_decision_cannot_be_changed_or_deleted(log: DecisionRepository) -> None:
    log.append([entry(1)])

    for statement in ("UPDATE decisions SET lane = 'inspect'", "DELETE FROM decisions"):
        with log._engine.begin() as connection, pytest.raises(IntegrityError, match="never"):
            connection.exec_driver_sql(statement)


def test_records_are_read_in_order_over_many_pages(log: DecisionRepository) -> None:
    log.append([entry(number) for number in range(1_201)])

    assert [json.loads(r)["n"] for r in log.records()] == list(range(1_201))


def test_the_newest_are_those_a_reader_may_see(log: DecisionRepository) -> None:
    log.append([entry(1, "A"), entry(2, "B"), entry(3, "A"), entry(4)])

    def newest(caller: str, offices: set[str], most: int, **wanted: str) -> list[str]:
        access = DecisionAccess(caller, frozenset(offices))
        return log.page(access, DecisionFilter(**wanted), None, most).records  # type: ignore[arg-type]  # each a text

    assert newest("x", set(), 2) == ['{"n":4}', '{"n":3}']
    assert newest("x", {"A"}, 9) == ['{"n":3}', '{"n":1}']
    assert len(newest("c", {"A"}, 9)) == 4
    assert newest("c", set(), 9, office_id="B") == ['{"n":2}']
    assert len(newest("c", set(), 9, case="none")) == 4
    assert newest("c", set(), 9, case="open") == newest("c", set(), 9, case="closed") == []
    assert newest("c", set(), 9, model="1") == newest("c", set(), 9, ends="1999-01-01") == []


def test_a_file_flushes_every_commit(tmp_path: Path) -> None:
    log = DecisionRepository(open_database(tmp_path / "log.db", is_service=True))
    with log._engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


def in_the_file_itself(path: Path) -> int:
    """How many decisions a database has without its write-ahead log."""
    copy = shutil.copy(path, path.with_name("alone.db"))
    with closing(sqlite3.connect(copy)) as connection, suppress(sqlite3.DatabaseError):
        return int(connection.execute("SELECT count(*) FROM decisions").fetchone()[0])
    return 0  # not even the tables, or not all of what is being moved


def test_an_append_does_not_wait_until_its_log_is_moved_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    log = DecisionRepository(open_database(path, is_service=True))
    for number in range(GROUPS_PER_MOVE):
        log.maintain(is_idle=False)
        log.append([entry(number)])
    assert in_the_file_itself(path) == 0

    log.maintain(is_idle=False)
    assert in_the_file_itself(path) == GROUPS_PER_MOVE
    log.append([entry(GROUPS_PER_MOVE)])
    log.maintain(is_idle=True)
    assert in_the_file_itself(path) == GROUPS_PER_MOVE + 1


def test_the_writer_moves_what_it_appended_when_nothing_more_comes(tmp_path: Path) -> None:
    path = tmp_path / "moved.db"
    log = DecisionRepository(open_database(path, is_service=True))
    writer = LogWriter(log, Mock(), 8, Mock(), Mock())
    writer.start()
    writer.submit(PendingDecision(*decided(1))).result(5)
    ends_at = time.monotonic() + 10
    while not in_the_file_itself(path) and time.monotonic() < ends_at:
        time.sleep(0.05)
    writer.stop()

    assert in_the_file_itself(path) == 1


def test_after_a_restart_the_service_remembers_what_it_decided(home: Path) -> None:
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        before = Service(client, services_of(client), home)  # a stand-in
        caller = before.key("score", "explain")
        first = before.score(shipment(), caller, key="k")
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        after = Service(client, services_of(client), home)  # a stand-in
        repeated = after.score(shipment(), caller, key="k")
        later = shipment(shipment_id="S-2", declared_at="2026-11-24T11:00:00Z")
        answer = after.score(later, caller, key="another").json()

    values = {c["feature"]: c["value"] for c in answer["contributions"]}
    assert repeated.content == first.content
    assert values["consignee_shipments_30d"] == 1


def test_a_decision_survives_being_written_and_read(service: Service) -> None:
    answer = service.score(shipment(), service.key("score")).json()
    record = service.services.decisions.record(answer["decision_id"])
    assert record is not None

    decision = Decision.model_validate_json(record)

    assert decision.model_dump_json() == record
