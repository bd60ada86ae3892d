"""What was passed by in the log, since somebody moved a place in it, is found and made good."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from serving.audit.logged_decision import StoredAnswer
from serving.history.received_records import ReceivedRecord
from serving.outbox.rescue import RETRY, CallPace
from serving.storage.log_positions import LogPosition
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.repositories.rescoring_repository import RescoringRepository
from serving.storage.repositories.rescue_call_repository import RescueCallRepository
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.waiting_subjects import SubjectToken, queue_rescoring
from serving.storage.write_lock import write_transaction
from tests.serving.bodies import route
from tests.serving.conftest import NOW
from tests.serving.databases import database
from tests.serving.review.cases.decisions import decision


@dataclass
class Log:
    """A database in which rescues are decided."""

    engine: Engine

    def decide(self, decision_id: str, lane: str = "rescue") -> None:
        made = decision(route(), decision_id=decision_id, lane=lane)
        answer = StoredAnswer("c", decision_id, "digest", decision_id, NOW.isoformat(), b"")
        DecisionRepository(self.engine).append([(made.logged(), answer)])

    def move(self, name: str, seq: int) -> None:
        with self.engine.begin() as connection:
            LogPosition(name).move(connection, seq)

    def called(self, calls: RescueCallRepository) -> str | None:
        due = calls.start_attempt(NOW, CallPace(RETRY.delay, timedelta(minutes=5)))
        return None if due is None else due.decision_id

    def findings(self) -> list[str]:
        return [str(finding) for finding in verify_audit_log(self.engine).findings]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(database(tmp_path / "log.db"))


def test_a_rescue_that_was_passed_by_is_found_and_called_after_the_next_start(log: Log) -> None:
    log.decide("before there was anybody to call")
    calls = RescueCallRepository(log.engine)
    calls.begin()
    log.decide("passed by")
    assert log.findings() == []
    log.move("rescue_calls", 2)

    (finding,) = log.findings()
    assert "the rescue of record 2 was passed by" in finding

    again = RescueCallRepository(log.engine)
    again.begin()
    assert log.called(again) == "passed by"
    assert log.findings() == []


@pytest.mark.parametrize("name", ["rescue_calls", "rescorings"])
def test_a_place_beyond_the_log_is_found_and_a_start_goes_back(log: Log, name: str) -> None:
    """What is decided next would be passed by."""
    calls, rescorings = RescueCallRepository(log.engine), RescoringRepository(log.engine)
    for each in (calls, rescorings):
        each.begin()
    log.move(name, 1_000)

    (finding,) = log.findings()
    assert finding == f"log_positions {name}: position 1000 is beyond the log, which ends at 0"

    rescorings.begin()
    assert log.called(calls) is None
    assert log.findings() == []
    log.decide("the next")
    assert log.called(calls) == "the next"


def test_a_subject_that_was_passed_by_within_the_log_is_found_until_it_waits(log: Log) -> None:
    rescorings, register = RescoringRepository(log.engine), RecordRepository(log.engine)
    rescorings.begin()
    subject_id = decision(route(), decision_id="-").subject_id
    about = {"subject_kind": "route", "subject_id": subject_id}
    came = {"received_at": NOW.isoformat(), "caller_id": "c", "body": "{}"}
    register.add_new([ReceivedRecord(kind="documents", record_id="D-1", **about, **came)])
    log.decide("of whom papers came before", lane="inspect")
    log.move("rescorings", 1)

    (finding,) = log.findings()
    assert finding.startswith("log_positions rescorings: the subject of record 1 was passed by")

    log.move("rescorings", 0)
    rescorings.find(NOW)
    assert log.findings() == []
    (waiting,) = rescorings.due(NOW, 9)
    rescorings.remove([waiting])
    assert log.findings() == []


def test_who_waits_to_be_scored_again_and_was_taken_away_is_found(log: Log) -> None:
    with write_transaction(log.engine) as connection:
        queue_rescoring(connection, SubjectToken("route", "a token"), NOW)
    with log.engine.begin() as connection:
        connection.execute(text("DELETE FROM due_rescorings"))

    (finding,) = log.findings()

    assert finding.startswith("due_rescorings route a token: this row was deleted")


def test_a_checkpoint_under_another_epoch_is_found(log: Log) -> None:
    row = {"number": 1, "epoch": 2, "line": '{"number": 1, "epoch": 1}'}
    with log.engine.begin() as connection:
        put = "INSERT INTO chain_checkpoints (number, epoch, line) VALUES (:number, :epoch, :line)"
        connection.execute(text(put), row)

    assert log.findings() == ["chain_checkpoints 1: its columns do not repeat its line"]
