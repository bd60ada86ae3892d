"""A database carried over to PostgreSQL: the same log there, and nothing served from two."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text, update

from features.errors import TidegateError
from features.home_keys import LOG, private_key
from serving.access.actors import Actor
from serving.errors import LogUnavailable
from serving.integrity.audit_log import AuditEvent
from serving.integrity.checkpoints import public_keys_of
from serving.integrity.log_check import check_log
from serving.integrity.witnesses import witnesses_of
from serving.settings import Settings
from serving.storage.backup.database_move import DatabaseMove
from serving.storage.binding import HomeBinding
from serving.storage.engine import cause_of, open_database
from serving.storage.errors import DatabaseMissing
from serving.storage.keys.key_rotation import rotate_key
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.tables.audit import audit_events
from serving.storage.tables.keys import installation
from serving.storage.tables.schema import metadata
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from serving.storage.write_lock import write_transaction
from tests.counts import count
from tests.kills import is_killed_at
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.postgres import Server
from tests.serving.review.rescue.test_distress_alerts import AT_SEA, hear_calls_at_sea
from tests.serving.storage.test_engines import bare, entry

BY = Actor("cli:1000@host", "ada")


def moved(file: Path, url: str) -> int:
    return DatabaseMove(file, url, file.parent / "keys").run(BY, NOW)


def opened(where: Path | str, home: Path) -> Any:
    return open_database(where, is_service=False, keys=home / "keys")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with two decisions and a checkpoint."""
    home = tmp_path / "home"
    engine = opened(home / "tidegate.db", home)
    log = DecisionRepository(engine)
    for number in (1, 2):
        log.append([entry(number)])
    CheckpointRepository(engine).seal(private_key(home / "keys", LOG), NOW)
    rotate_key(engine, home / "keys", LOG, BY, at=NOW, overlap=NOW - NOW)
    engine.dispose()
    return home / "tidegate.db"


def test_a_served_database_goes_on_at_its_new_place(service: Service, postgres: Server) -> None:
    caller = service.key("score")
    given = [
        service.score(body, caller, key=str(number)).content
        for number, body in enumerate((route(), shipment()))
    ]
    hear_calls_at_sea(service)
    home, url = service.home, postgres.new_database()
    service.services.stop()
    before = {
        table.name: bare(home / "tidegate.db").connect().execute(select(table)).all()
        for table in metadata.sorted_tables
    }
    assert [len(before[table.name]) for table in AT_SEA] == [1, 1]

    moved(home / "tidegate.db", url)

    engine = opened(url, home)
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            if table.name not in ("audit_events", "installation"):
                rows = connection.execute(select(table)).all()
                assert sorted(map(repr, rows)) == sorted(map(repr, before[table.name])), table.name
    witnesses, keys = witnesses_of(Settings(home=home)), public_keys_of(home / "keys")
    check = check_log(CheckpointRepository(engine), witnesses, keys, by_newest=False)
    assert check.why is None
    assert check.verdict.checked
    assert verify_decision_log(engine).is_whole
    assert verify_audit_log(engine).findings == ()
    kept = DecisionRepository(engine).answers(
        [(_caller_id(engine), "0"), (_caller_id(engine), "1")]
    )
    assert [answer.body for answer in kept.values()] == given


def _caller_id(engine: Any) -> str:
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT key_id FROM api_keys")))


def test_neither_accident_is_served(file: Path, postgres: Server) -> None:
    home, url = file.parent, postgres.new_database()
    moved(file, url)

    with pytest.raises(TidegateError, match="was moved to postgresql://"):
        opened(file, home)
    with pytest.raises(TidegateError):
        opened(postgres.new_database(), home)
    file.unlink()
    with pytest.raises(TidegateError, match="postgresql://"):
        opened(file, home)
    assert not file.exists()
    binding = HomeBinding.read(home / "keys")
    assert binding is not None
    assert binding.where.startswith("postgresql://")
    with opened(url, home).connect() as connection:
        actions = connection.scalars(select(audit_events.c.action)).all()
    acts = [action for action in actions if action in ("rotate_key", "move_database")]
    assert acts == ["rotate_key", "move_database"]


def test_a_place_that_is_not_empty_is_refused(file: Path, postgres: Server, tmp_path: Path) -> None:
    url = postgres.new_database()
    opened(url, tmp_path / "other").dispose()

    with pytest.raises(TidegateError, match="not empty"):
        moved(file, url)

    assert DecisionRepository(opened(file, file.parent)).size() == 2


def test_a_place_that_is_not_reached_leaves_the_file_as_it_was(
    file: Path, postgres: Server
) -> None:
    url = postgres.new_database()
    with pytest.raises(LogUnavailable) as refused:
        moved(file, url.replace("?", "x?"))

    assert 'x" does not exist' in cause_of(refused.value)
    assert DecisionRepository(opened(file, file.parent)).size() == 2
    moved(file, url)


def test_a_move_is_taken_back_only_by_the_name_of_where_it_went(
    file: Path, postgres: Server
) -> None:
    url, other = postgres.new_database(), postgres.new_database()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DatabaseMove, "_mark_as_moved", interrupted)  # when all had arrived
        with pytest.raises(RuntimeError):
            moved(file, url)

    with pytest.raises(TidegateError, match="and not to"):
        DatabaseMove(file, other, file.parent / "keys").abandon()
    with pytest.raises(TidegateError, match="has arrived"):
        DatabaseMove(file, url, file.parent / "keys").abandon()
    moved(file, url)


def a_place_with_the_log_as_it_was(file: Path, postgres: Server) -> str:
    """A database to which a copy of the file was moved, before more was decided in the file."""
    copy, url = file.parent.parent / "copy", postgres.new_database()
    shutil.copytree(file.parent, copy)
    moved(copy / file.name, url)
    DecisionRepository(opened(file, file.parent)).append([entry(3)])
    return url


def test_a_place_that_holds_the_log_as_it_was_is_not_empty(file: Path, postgres: Server) -> None:
    url = a_place_with_the_log_as_it_was(file, postgres)
    before = file.read_bytes()

    with pytest.raises(TidegateError, match="not empty"):
        moved(file, url)

    assert file.read_bytes() == before
    assert DecisionRepository(opened(file, file.parent)).size() == 3


def test_a_move_that_carried_nothing_is_refused_and_can_be_abandoned(
    file: Path, postgres: Server
) -> None:
    url = a_place_with_the_log_as_it_was(file, postgres)
    move = DatabaseMove(file, url, file.parent / "keys")
    binding = HomeBinding.read(move.keys)
    assert binding is not None
    with write_transaction(bare(file)) as connection:  # as an earlier version marked it
        marks = {"moving_to": move.place, "moved_at": NOW.isoformat()}
        connection.execute(update(installation).values(marks))
    replace(binding, where=move.place).write(move.keys)

    with pytest.raises(TidegateError, match="not carried there"):
        moved(file, url)
    move.abandon()

    assert HomeBinding.read(move.keys) == binding
    assert DecisionRepository(opened(file, file.parent)).size() == 3


@pytest.mark.parametrize("what", ["a decision", "an event"])
def test_what_is_written_into_the_file_while_it_is_carried_stops_the_move(
    file: Path, postgres: Server, what: str
) -> None:
    url, engine = postgres.new_database(), opened(file, file.parent)

    def write(done: int, total: int) -> None:
        if done == total and what == "a decision":
            DecisionRepository(engine).append([entry(3)])
        elif done == total:
            AuditRepository(engine).append(AuditEvent(NOW, BY, "read", "case", "d-1"))

    move = DatabaseMove(file, url, file.parent / "keys")
    with pytest.raises(TidegateError, match="written into"):
        move.run(BY, NOW, write)

    with pytest.raises(TidegateError, match="was not finished"):
        opened(file, file.parent)


def interrupted(*_: object) -> None:
    raise RuntimeError


def test_nothing_is_moved_twice_or_taken_back_once_it_has_arrived(
    file: Path, postgres: Server
) -> None:
    url = postgres.new_database()
    rows = moved(file, url)

    assert moved(file, url) == rows
    with pytest.raises(TidegateError, match="is moved"):
        moved(file, postgres.new_database())
    with pytest.raises(TidegateError, match="has arrived"):
        DatabaseMove(file, url, file.parent / "keys").abandon()


def test_there_must_be_something_to_move(tmp_path: Path, postgres: Server) -> None:
    with pytest.raises(DatabaseMissing):
        moved(tmp_path / "home" / "tidegate.db", postgres.new_database())


@pytest.mark.faults
def test_a_move_that_is_killed_at_any_call_is_finished_by_the_next(
    file: Path, postgres: Server, tmp_path: Path
) -> None:
    for number in (*range(1, 20, count(9, 1)), *range(20, 2_000, count(300, 5))):
        home, url = tmp_path / str(number), postgres.new_database()
        shutil.copytree(file.parent, home)
        was_killed = is_killed_at(number, lambda h=home, u=url: moved(h / "tidegate.db", u))  # type: ignore[misc]  # mypy infers no type of a lambda's default
        names = inspect(bare(url)).get_table_names()
        assert len(names) in (0, len(metadata.tables) + 1)

        moved(home / "tidegate.db", url)

        assert DecisionRepository(opened(url, home)).size() == 2
        with pytest.raises(TidegateError):
            opened(home / "tidegate.db", home)
        if not was_killed:
            break

    assert number > 60
