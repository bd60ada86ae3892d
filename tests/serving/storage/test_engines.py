"""SQLite and PostgreSQL keep the same log."""

import fcntl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError

from features.errors import TidegateError
from serving.audit.errors import AnsweredMeanwhile
from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.errors import LogUnavailable
from serving.storage.engine import open_database
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.tables.schema import metadata
from serving.storage.write_lock import (
    write_transaction,
)
from tests.counts import count
from tests.serving.calls import heard
from tests.serving.databases import database


def entry(number: int) -> tuple[LoggedDecision, StoredAnswer]:
    name = f"d-{number}"
    row = LoggedDecision(
        name, "now", "shipment", "S", None, "c", "release", 0.1, f"record {number}"
    )
    return row, StoredAnswer("c", f"k-{number}", "digest", name, "now", b"answer")


@contextmanager
def cut_off_at(number: int) -> Iterator[list[int]]:
    """Fail this one call to any database, statements and commits counted together."""
    calls = [0]

    def fail_at_its_turn(*_: Any) -> None:
        calls[0] += 1
        if calls[0] == number:
            raise OperationalError("a call", None, OSError("cut off"))

    with heard(fail_at_its_turn):
        yield calls


def bare(where: Path | str) -> Engine:
    """The database without anything that opening it would do."""
    if isinstance(where, Path):
        return create_engine(f"sqlite:///{where}")
    return create_engine(make_url(where).set(drivername="postgresql+psycopg"))


def columns(engine: Engine) -> dict[str, list[str]]:
    found = inspect(engine)
    names = set(found.get_table_names()) - {"alembic_version"}
    return {name: [column["name"] for column in found.get_columns(name)] for name in names}


def test_logs_that_append_at_once_make_one_chain(where: Path | str) -> None:
    logs = [DecisionRepository(database(where, is_service=n == 0)) for n in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: logs[n % 4].append([entry(n)]), range(40)))

    with logs[0]._engine.connect() as connection:
        numbers = connection.scalars(text("SELECT seq FROM decisions ORDER BY seq"))
        assert list(numbers) == list(range(1, 41))
    assert logs[1].answers([("c", "k-7")])["c", "k-7"] == entry(7)[1]


def test_no_engine_lets_a_decision_be_changed(where: Path | str) -> None:
    log = DecisionRepository(database(where, is_service=True))
    log.append([entry(1)])

    for statement in ("UPDATE decisions SET lane = 'inspect'", "DELETE FROM decisions"):
        with pytest.raises(IntegrityError, match="never"), log._engine.begin() as connection:
            connection.exec_driver_sql(statement)


def test_the_same_request_to_two_processes_is_appended_once(where: Path | str) -> None:
    one, other = (DecisionRepository(database(where, is_service=n == 0)) for n in range(2))
    one.append([entry(1)])
    (row, _), (_, answer) = entry(2), entry(1)

    with pytest.raises(AnsweredMeanwhile):
        other.append([entry(3), (row, replace(answer, decision_id="d-2"))])

    assert list(other.records()) == ["record 1"]


@pytest.mark.faults
def test_a_start_that_is_cut_off_at_any_call_leaves_nothing_half_made(where: Path | str) -> None:
    number = 0
    while True:
        number += count(41, 1)
        with cut_off_at(number) as calls, suppress(LogUnavailable):
            database(where, is_service=False).dispose()
        if calls[0] < number:
            break
        beside = bare(where)
        with beside.connect() as connection:
            assert len(inspect(connection).get_table_names()) in (0, len(metadata.tables) + 1)
        beside.dispose()

    assert number > 20
    described = {name: [c.name for c in table.columns] for name, table in metadata.tables.items()}
    assert columns(database(where, is_service=False)) == described


def test_one_service_alone_holds_a_file(tmp_path: Path) -> None:
    first = open_database(tmp_path / "log.db", is_service=True)
    with pytest.raises(TidegateError, match="another service holds"):
        open_database(tmp_path / "log.db", is_service=True)

    beside = DecisionRepository(open_database(tmp_path / "log.db", is_service=False))
    beside.append([entry(1)])
    first.dispose()

    assert DecisionRepository(open_database(tmp_path / "log.db", is_service=True)).size() == 1


def test_a_writer_that_holds_its_turn_too_long_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.storage.write_lock.MAX_WAIT_S", 0.05)
    log = DecisionRepository(open_database(tmp_path / "log.db", is_service=True))
    other = open_database(tmp_path / "log.db", is_service=False)

    with write_transaction(other), pytest.raises(LogUnavailable, match="too long"):
        log.append([entry(1)])

    log.append([entry(1)])


def test_a_turn_of_another_process_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DecisionRepository(open_database(tmp_path / "log.db", is_service=True))
    with (tmp_path / "log.db.turn").open("ab") as turn:  # as another process opens it
        fcntl.flock(turn, fcntl.LOCK_EX)
        with monkeypatch.context() as impatient:
            impatient.setattr("serving.storage.write_lock.MAX_WAIT_S", 0.05)
            with pytest.raises(LogUnavailable, match="process"):
                log.append([entry(1)])
        threading.Timer(0.2, fcntl.flock, (turn, fcntl.LOCK_UN)).start()
        log.append([entry(1)])

    assert log.size() == 1


def test_a_thread_that_waits_for_another_does_not_poll_the_lock_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DecisionRepository(open_database(tmp_path / "log.db", is_service=True))
    other = open_database(tmp_path / "log.db", is_service=False)
    monkeypatch.setattr("serving.storage.write_lock._LOOK_AGAIN_S", None)  # no sleep takes it

    with ThreadPoolExecutor(1) as pool:
        with write_transaction(other):
            waiting = pool.submit(log.append, [entry(1)])
            assert not wait([waiting], 0.2).done
        waiting.result(10)


def test_another_kind_of_database_is_refused_without_its_password() -> None:
    with pytest.raises(TidegateError) as refusal:
        open_database("mysql://a:secret@b/c", is_service=True)

    assert "secret" not in str(refusal.value)
