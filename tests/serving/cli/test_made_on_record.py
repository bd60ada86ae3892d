"""What commands do to a home as a whole stands in its audit log, with who did it."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import KeyMissing, TidegateError
from features.key_wrapping import PASSPHRASE_FILE, is_wrapped
from serving.access.actors import Actor
from serving.cli.main import app
from serving.crypto.encryption import EncryptionUnit
from serving.integrity.audit_log import EventFilter, RecordedEvent
from serving.storage.engine import open_database
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.write_lock import hold_for_service
from tests.serving.conftest import NOW
from tests.serving.postgres import Server


def run(home: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--home", str(home)])
    if done.exception:
        raise done.exception
    return done.output


def events(home: Path, action: str) -> list[RecordedEvent]:
    engine = open_database(home / "tidegate.db", is_service=False)
    assert verify_audit_log(engine).is_whole
    return AuditRepository(engine).newest(EventFilter(action=action), 9)


def test_who_made_a_home_and_its_keys_is_on_record(tmp_path: Path) -> None:
    run(tmp_path / "home", "init")
    run(tmp_path / "home", "init")

    (event,) = events(tmp_path / "home", "init")
    assert event.actor == Actor.from_command_line().identity
    assert event.object_kind == "database"


@pytest.fixture
def passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a passphrase, which every command knows."""
    file = tmp_path / "passphrase"
    file.write_text("a passphrase of many words")
    monkeypatch.setenv(PASSPHRASE_FILE, str(file))
    return file


def test_who_wrapped_keys_and_unwrapped_them_is_on_record(tmp_path: Path, passphrase: Path) -> None:
    home = tmp_path / "home"
    run(home, "init")

    told = run(home, "keys", "wrap", "--passphrase-file", str(passphrase))
    run(home, "keys", "wrap", "--undo")

    assert "start services again" in " ".join(told.split())
    for action in ("wrap_keys", "unwrap_keys"):
        (event,) = events(home, action)
        assert event.actor == Actor.from_command_line().identity


def test_keys_are_not_wrapped_under_a_service_which_could_not_open_them(
    tmp_path: Path, passphrase: Path
) -> None:
    home = tmp_path / "home"
    run(home, "init")
    wrap = ("keys", "wrap", "--passphrase-file", str(passphrase))

    with hold_for_service(home / "tidegate.db"), pytest.raises(TidegateError, match="stop it"):
        run(home, *wrap)

    assert not any(is_wrapped(file.read_bytes()) for file in (home / "keys").rglob("*.key"))
    run(home, *wrap)


@pytest.mark.parametrize("act", [("wrap", "--passphrase-file", "p"), ("wrap", "--undo")])
def test_where_there_are_no_keys_the_way_to_make_them_is_said(
    tmp_path: Path, act: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p").write_text("a passphrase of many words")

    with pytest.raises(KeyMissing, match="tidegate init"):
        run(tmp_path / "home", "keys", *act)

    assert not (tmp_path / "home").exists()


def test_the_keys_of_a_new_home_are_all_there_to_be_copied_to_another_host(
    tmp_path: Path, postgres: Server
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    url = postgres.new_database()
    made = CliRunner().invoke(app, ["init", "--home", str(first), "--database-url", url])
    assert made.exit_code == 0, made.output
    shutil.copytree(first, second)
    unit = EncryptionUnit.of_decision("d-1", NOW.isoformat())

    written, read = (
        DataKeys(open_database(url, is_service=False, keys=home / "keys"))
        for home in (second, first)
    )

    kept = written.encrypt(unit, "part", b"as it was")
    assert read.decrypt(unit, "part", kept) == b"as it was"
