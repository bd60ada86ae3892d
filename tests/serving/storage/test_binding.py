"""A home, its database and every host belong to each other; what does not is refused in words."""

import json
import shutil
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text
from typer.testing import CliRunner

from features.errors import KeyMissing, TidegateError
from features.home_keys import DATABASE_FILE, KEY_FILES, add_key, read_key
from serving.access.acting import begin_acting
from serving.access.actors import Actor
from serving.cli.main import app as tidegate
from serving.integrity.audit_log import EventFilter
from serving.storage import migration
from serving.storage.binding import HomeBinding
from serving.storage.engine import open_database, upgrade_database
from serving.storage.errors import DatabaseMissing
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.database_identity import InstallationRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.tables.schema import metadata
from tests.counts import count
from tests.kills import is_killed_at
from tests.serving.postgres import Server
from tests.serving.storage.test_engines import bare, entry


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where the database of a home is to be, of either engine in turn."""
    if request.param == "sqlite":
        return tmp_path / "home" / "tidegate.db"
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys"


def opened(where: Path | str, keys: Path, **options: Any) -> str:
    """Open a database for a home; its identity."""
    engine = open_database(where, is_service=False, keys=keys, **options)
    engine.dispose()
    return str(engine.get_execution_options()["database_id"])


def run(*arguments: str, home: Path) -> Any:
    return CliRunner().invoke(tidegate, [*arguments, "--home", str(home)])


def test_a_blank_home_and_an_empty_database_are_bound_once(where: Path | str, keys: Path) -> None:
    first = opened(where, keys)
    binding = HomeBinding.read(keys)

    assert opened(where, keys) == first
    assert binding is not None
    assert binding.database_id == first
    engine = open_database(where, is_service=False, keys=keys)
    assert {each.name for each in InstallationRepository(engine).current_keys()} == {*KEY_FILES}
    engine.dispose()


def test_what_binds_them_holds_neither_password_nor_secret(postgres: Server, keys: Path) -> None:
    where = postgres.new_database().replace("postgres@", "postgres:opensesame@")
    engine = open_database(where, is_service=False, keys=keys)
    rows = repr(InstallationRepository(engine).all_keys())
    engine.dispose()

    assert "opensesame" not in (keys.parent / DATABASE_FILE).read_text()
    for name in KEY_FILES:
        assert read_key(keys, name).hex() not in rows


@pytest.mark.parametrize("name", KEY_FILES)
def test_a_lost_key_stops_whatever_opens_the_database(
    where: Path | str, keys: Path, name: str
) -> None:
    opened(where, keys)
    engine = open_database(where, is_service=False, keys=keys)
    [lost] = [each for each in InstallationRepository(engine).all_keys() if each.name == name]
    engine.dispose()
    (keys / KEY_FILES[name]).unlink()

    for is_service in (False, True):
        with pytest.raises(KeyMissing, match=f"{KEY_FILES[name]}.*{lost.fingerprint}"):
            open_database(where, is_service=is_service, keys=keys)

    assert not (keys / KEY_FILES[name]).exists()


@pytest.mark.parametrize("name", KEY_FILES)
def test_a_foreign_key_stops_whatever_opens_the_database(
    where: Path | str, keys: Path, name: str, tmp_path: Path
) -> None:
    opened(where, keys)
    (keys / KEY_FILES[name]).write_bytes(read_key(tmp_path / "other" / "keys", name))

    with pytest.raises(TidegateError, match=KEY_FILES[name]):
        open_database(where, is_service=True, keys=keys)


def test_a_lost_folder_of_keys_is_not_made_again(where: Path | str, keys: Path) -> None:
    opened(where, keys)
    shutil.rmtree(keys)

    with pytest.raises(KeyMissing):
        open_database(where, is_service=True, keys=keys)

    assert not keys.exists()


def test_a_command_that_is_given_no_url_does_nothing_to_the_home_of_another_database(
    postgres: Server, keys: Path
) -> None:
    opened(postgres.new_database(), keys)
    home = keys.parent
    for command in (
        ("retention", "erase", "--by", "a", "--because", "b"),
        ("retention", "erase", "1", "--by", "b", "--because", "c"),
        ("keys", "create", "a", "--scope", "score"),
        ("keys", "list"),
        ("accounts", "list"),
        ("init",),
        ("upgrade",),
    ):
        (home / "retention.toml").write_text(
            "[decisions]\nmask_after_days = 180\nerase_after_days = 1825\n"
            "[records]\nerase_after_days = 1825\n[files]\nerase_after_days = 1825\n"
        )
        result = run(*command, home=home)
        assert isinstance(result.exception, TidegateError), (command, result.output)
        assert not (home / "tidegate.db").exists(), command


@pytest.mark.parametrize(
    "command",
    [
        "retention due",
        "retention mask --by a --because b",
        "retention erase --by a --because b",
        "monitor",
        "switch show",
        "webhooks list",
        "keys list",
        "keys wrap --undo",
        "rotate-key log",
        "verify-log",
        "backup --out {home}.tgb",
        "promote --model tidegate-shipment/1 --approver a",
    ],
)
def test_a_command_that_is_given_no_url_names_the_place_of_the_database(
    keys: Path, command: str
) -> None:
    home = keys.parent
    keys.mkdir(parents=True)
    HomeBinding("d-1", "postgresql://db.example/tidegate").write(keys)

    result = run(*command.format(home=home).split(), home=home)

    assert isinstance(result.exception, TidegateError), (result.exception, result.output)
    assert "postgresql://db.example/tidegate" in str(result.exception)
    assert "TIDEGATE_DATABASE_URL" in str(result.exception)
    assert not (home / "tidegate.db").exists()


def test_a_home_is_not_used_with_the_database_of_another(
    where: Path | str, keys: Path, postgres: Server, tmp_path: Path
) -> None:
    opened(where, keys)
    other = postgres.new_database()
    theirs = opened(other, tmp_path / "other" / "keys")

    with pytest.raises(TidegateError, match=theirs):
        open_database(other, is_service=True, keys=keys)
    with pytest.raises(TidegateError, match="none or another"):
        open_database(postgres.new_database(), is_service=True, keys=keys)


def test_a_second_host_joins_with_the_same_keys_alone(
    postgres: Server, keys: Path, tmp_path: Path
) -> None:
    where = postgres.new_database()
    first = opened(where, keys)
    blank, copied = tmp_path / "blank" / "keys", tmp_path / "copied" / "keys"
    shutil.copytree(keys, copied)
    half = tmp_path / "half" / "keys"
    half.mkdir(parents=True)
    shutil.copy(keys / "signing.pem", half)

    for folder in (blank, half):
        with pytest.raises(KeyMissing, match="another host"):
            open_database(where, is_service=True, keys=folder)
    own = tmp_path / "own" / "keys"
    read_key(own, "log")
    with pytest.raises(TidegateError):
        open_database(where, is_service=True, keys=own)

    assert opened(where, copied) == first
    assert not blank.exists()


def test_no_database_destroys_the_wrapping_keys_of_another(keys: Path, tmp_path: Path) -> None:
    one = open_database(tmp_path / "one.db", is_service=False, keys=keys)
    DecisionRepository(one).append([entry(1)])
    (keys.parent / DATABASE_FILE).unlink()  # as if one home had served two
    other = open_database(tmp_path / "other.db", is_service=False, keys=keys)
    DecisionRepository(other).append([entry(2)])

    theirs = DataKeys(other).wrapping
    for key_id in theirs.ids():
        theirs.destroy(key_id)

    assert DecisionRepository(one).record("d-1") == "record 1"


def test_a_newer_database_is_refused_in_a_sentence(where: Path | str, keys: Path) -> None:
    opened(where, keys)
    with bare(where).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from_the_future'"))

    openers: tuple[Callable[[], Any], ...] = (
        lambda: open_database(where, is_service=True, keys=keys),
        lambda: open_database(where, is_service=False, keys=keys, may_create=False),
        lambda: upgrade_database(where, keys),
        lambda: upgrade_database(where, keys, is_dry_run=True),
    )
    for opener in openers:
        with pytest.raises(TidegateError, match="newer release"):
            opener()


def test_who_only_reads_makes_nothing(where: Path | str, keys: Path) -> None:
    with pytest.raises(DatabaseMissing, match="tidegate init"):
        open_database(where, is_service=False, keys=keys, may_create=False)

    assert not keys.exists()
    if isinstance(where, Path):
        assert not where.exists()
    else:
        assert inspect(bare(where)).get_table_names() == []


@pytest.mark.faults
def test_a_beginning_that_is_killed_at_any_call_is_finished_by_the_next(
    postgres: Server, tmp_path: Path
) -> None:
    for engine in ("sqlite", "postgresql"):
        for number in range(1, 1_000, count(23, 1)):
            home = tmp_path / f"{engine}-{number}"
            place = home / "tidegate.db" if engine == "sqlite" else postgres.new_database()
            began = is_killed_at(number, lambda h=home, p=place: opened(p, h / "keys"))  # type: ignore[misc]  # mypy infers no type of a lambda's default
            assert opened(place, home / "keys") == opened(place, home / "keys")
            if not began:
                break
        assert number > 60


def test_init_prints_fingerprints_and_changes_nothing_the_second_time(tmp_path: Path) -> None:
    first = run("init", "--json", home=tmp_path / "home")
    again = run("init", "--json", home=tmp_path / "home")

    assert first.exit_code == 0
    assert json.loads(first.stdout) == json.loads(again.stdout)
    assert json.loads(first.stdout)["keys"].keys() == KEY_FILES.keys()


@pytest.fixture
def later_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A release with a step after the baseline: it adds a column."""
    steps = tmp_path / "steps"
    shutil.copytree(migration.STEPS, steps)
    (steps / "versions" / "later.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        'revision = "later"\ndown_revision = "baseline"\n'
        'def upgrade():\n    op.add_column("teams", sa.Column("later", sa.Text))\n'
    )
    monkeypatch.setattr(migration, "STEPS", steps)
    return "later"


def at_baseline(where: Path | str, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a database of the release before, with a decision."""
    with monkeypatch.context() as before:
        before.setattr(migration, "STEPS", BASELINE)
        engine = open_database(where, is_service=False, keys=keys)
        DecisionRepository(engine).append([entry(1)])
        engine.dispose()


BASELINE = migration.STEPS


def test_an_older_database_is_upgraded_on_purpose_alone(
    where: Path | str, keys: Path, later_step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_baseline(where, keys, monkeypatch)

    for may_create in (True, False):
        with pytest.raises(TidegateError, match="tidegate upgrade"):
            open_database(where, is_service=False, keys=keys, may_create=may_create)
    assert upgrade_database(where, keys, is_dry_run=True) == [later_step]
    with pytest.raises(TidegateError):
        open_database(where, is_service=True, keys=keys)

    def upgrade_as_command() -> list[str]:
        begin_acting(Actor.from_command_line())
        return upgrade_database(where, keys)

    assert copy_context().run(upgrade_as_command) == [later_step]
    assert upgrade_database(where, keys) == []
    engine = open_database(where, is_service=False, keys=keys)
    assert "later" in {each["name"] for each in inspect(engine).get_columns("teams")}
    (event,) = AuditRepository(engine).newest(EventFilter(action="upgrade"), 9)
    assert event.actor == Actor.from_command_line().identity
    assert event.details["steps"] == [later_step]
    engine.dispose()


def test_a_new_database_has_the_tables_that_are_described(where: Path | str, keys: Path) -> None:
    opened(where, keys)

    assert set(inspect(bare(where)).get_table_names()) == {*metadata.tables, "alembic_version"}
    add_key(keys, "log")  # what is there already stays
    opened(where, keys)
