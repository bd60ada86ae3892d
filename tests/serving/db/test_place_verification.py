"""What was passed by in the log, since somebody moved a place in it, is found and made good."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from serving.audit.logged_decision import StoredAnswer
from serving.db.audit_verification import verify_audit_log
from serving.db.repositories.decision_repository import DecisionRepository
from serving.db.repositories.rescoring_repository import RescoringRepository
from serving.db.repositories.rescue_call_repository import RescueCallRepository
from serving.review.rescue_calls import CallPace, retry_delay
from tests.serving.bodies import route
from tests.serving.conftest import NOW
from tests.serving.databases import database
from tests.serving.review.decisions import decision


@dataclass
class Log:
    """A database in which rescues are decided."""

    engine: Engine

    def decide(self, decision_id: str) -> None:
        made = decision(route(), decision_id=decision_id, lane="rescue")
        answer = StoredAnswer("c", decision_id, "digest", decision_id, NOW.isoformat(), b"")
        DecisionRepository(self.engine).append([(made.logged(), answer)])

    def move(self, table: str, seq: int) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(f"UPDATE {table} SET seq = :seq"), {"seq": seq})

    def called(self, calls: RescueCallRepository) -> str | None:
        due = calls.start_attempt(NOW, CallPace(retry_delay, timedelta(minutes=5)))
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
    log.move("rescue_calls_found_to", 2)

    (finding,) = log.findings()
    assert "the rescue of record 2 was passed by" in finding

    again = RescueCallRepository(log.engine)
    again.begin()
    assert log.called(again) == "passed by"
    assert log.findings() == []


@pytest.mark.parametrize("table", ["rescue_calls_found_to", "rescorings_found_to"])
def test_a_place_beyond_the_log_is_found_and_a_start_goes_back(log: Log, table: str) -> None:
    """What is decided next would be passed by."""
    calls, rescorings = RescueCallRepository(log.engine), RescoringRepository(log.engine)
    for each in (calls, rescorings):
        each.begin()
    log.move(table, 1_000)

    (finding,) = log.findings()
    assert finding == f"{table} 1000: this place is beyond the log, which ends at 0"

    rescorings.begin()
    assert log.called(calls) is None
    assert log.findings() == []
    log.decide("the next")
    assert log.called(calls) == "the next"


def test_a_checkpoint_under_another_epoch_is_found(log: Log) -> None:
    row = {"number": 1, "epoch": 2, "line": '{"number": 1, "epoch": 1}'}
    with log.engine.begin() as connection:
        put = "INSERT INTO chain_checkpoints (number, epoch, line) VALUES (:number, :epoch, :line)"
        connection.execute(text(put), row)

    assert log.findings() == ["chain_checkpoints 1: its columns do not repeat its line"]
