"""What says something of a party is stored encrypted only; older rows are read as they are."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from features.errors import TidegateError
from serving.app import create_app
from serving.crypto.encryption import EncryptionUnit, decrypt, encrypt
from serving.crypto.errors import Undecipherable
from serving.errors import LogUnavailable
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.verification.log_verification import verify_decision_log
from serving.storage.write_lock import write_transaction
from tests.serving.bodies import route
from tests.serving.canaries import (
    FILE,
    NAME,
    NOTE,
    PLAN,
    decided,
    ended,
    told_in_files,
    told_in_tables,
)
from tests.serving.conftest import NOW, Service
from tests.serving.databases import database
from tests.serving.postgres import Server
from tests.serving.storage.test_decision_log import entry


@pytest.fixture
def watched(home: Path, where: Path | str) -> Iterator[Service]:
    """A service over either engine that sends the canary's shipments to inspection."""
    (home / "lanes.toml").write_text(PLAN)
    url = None if isinstance(where, Path) else SecretStr(where)
    app = create_app(Settings(home=home, database_url=url), clock=lambda: NOW)
    with TestClient(app) as client:
        yield Service(client, app.state.services, home)


def test_nothing_of_a_party_is_stored_in_the_clear(watched: Service) -> None:
    case_id = decided(watched)
    ended(watched, case_id)
    reviewing, services = watched.services.cases, watched.services

    assert told_in_tables(services.decisions._engine) == set()
    assert {path for path in told_in_files(watched.home) if path.startswith("tidegate.db")} == set()
    assert "canary goods in words" in str(services.decisions.record(case_id))
    assert NOTE in [event.text for event in reviewing.events(case_id)]
    (file,) = reviewing.files.of_case(case_id)
    assert file.name == NAME
    assert reviewing.files.content(case_id, file.sha256) == (file, FILE)
    assert verify_decision_log(services.decisions._engine).is_whole


def test_who_repeats_a_request_gets_the_answer_from_its_encrypted_row(watched: Service) -> None:
    caller = watched.key("score")
    body = route()

    first = watched.score(body, caller, "again")

    assert watched.score(body, caller, "again").content == first.content
    assert watched.score({**body, "legs": []}, caller, "again").status_code == 422


def test_a_part_decrypts_as_itself_only() -> None:
    key = bytes(32)
    encrypted = encrypt(key, "record", b"told")

    assert decrypt(key, "record", encrypted) == b"told"
    assert encrypt(key, "record", b"told") != encrypted
    for part, content in (
        ("answer", encrypted),
        ("record", encrypted[:-1] + b"x"),
        ("record", b"short"),
    ):
        with pytest.raises(Undecipherable):
            decrypt(key, part, content)


def test_a_database_without_its_wrapping_keys_tells_nothing(where: Path | str) -> None:
    log = DecisionRepository(database(where))
    log.append([entry(1)])
    keys = DataKeys(log._engine)
    (key_id,) = keys.wrapping.ids()
    keys.wrapping.destroy(key_id)

    with pytest.raises(Undecipherable, match=key_id):
        DecisionRepository(database(where)).record("d-1")
    assert keys.wrapping.ids() == []


def test_nobody_else_may_read_a_wrapping_key(where: Path | str) -> None:
    log = DecisionRepository(database(where))
    log.append([entry(1)])

    for file in DataKeys(log._engine).wrapping.folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0


def test_a_disk_that_takes_no_key_leaves_none_behind(
    where: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DecisionRepository(database(where))

    def full(_: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("os.fsync", full)
        with pytest.raises(LogUnavailable):
            log.append([entry(1)])

    log.append([entry(1)])
    assert [len(DataKeys(log._engine).wrapping.key(i)) for i in _ids(log)] == [32]


def _ids(log: DecisionRepository) -> list[str]:
    return DataKeys(log._engine).wrapping.ids()


def test_a_key_made_in_a_transaction_that_is_undone_is_not_used_later(where: Path | str) -> None:
    engine = database(where)
    keys, unit = DataKeys(engine), EncryptionUnit("records/2026-01-01", "one")
    with suppress(LogUnavailable), write_transaction(engine) as connection:
        keys.encrypt(unit, "part", b"lost", connection)
        raise LogUnavailable("undone")

    encrypted = keys.encrypt(unit, "part", b"kept")

    assert DataKeys(engine).decrypt(unit, "part", encrypted) == b"kept"


OLD = json.dumps({"request": "{}", "request_digest": f"sha256:{hashlib.sha256(b'{}').hexdigest()}"})


def test_a_url_without_a_folder_of_keys_still_says_what_is_in_the_clear(postgres: Server) -> None:
    where = postgres.new_database()
    DecisionRepository(database(where)).append([entry(1)])
    blind = open_database(where, is_service=False)

    assert verify_decision_log(blind).mark.size == 1
    with pytest.raises(TidegateError):
        DecisionRepository(blind).record("d-1")
