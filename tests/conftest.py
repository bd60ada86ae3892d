"""What holds in every room of the tests."""

import fcntl
import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from typer.main import get_command

from tests.counts import count

# How long an example takes says how busy the machine is, and nothing of the code. The examples are
# the same in every run, so that what fails does so for whoever changed something.
settings.register_profile(
    "repeatable", deadline=None, derandomize=True, max_examples=count(25, 100)
)
settings.load_profile("repeatable")

# Ids of cases are random, so some pages would hide at random what a test looks for. Tests of blind
# judgements set their own share.
os.environ["TIDEGATE_BLIND_SHARE"] = "0"

MadeOnce = Callable[[str, Callable[[Path], None]], Path]

HERE = Path(__file__).parent
COLLECT_AFTER_OBJECTS = 10_000
LONGEST_FIRST = (
    "test_demo.py docs faults agreement training/test_commands.py training/registry/test_mlflow.py "
    "browser deploy experiments test_extras.py"
).split()
"""Folders and files whose tests take long, in this order: started last, one would run alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest tests first."""
    items.sort(key=lambda item: _place(item.path))


def pytest_collectstart() -> None:
    """Look through nothing while tests are collected: importing them makes objects that stay."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let no test wait until all that was collected is looked through for what may go.

    Little of it may: it is not looked through even once. What a test makes is looked through as
    seldom as in a service.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Let a hash of a password cost next to nothing; servers of their own hash as they are to."""
    passwords = sys.modules.get("serving.access.passwords")
    if passwords is None:
        yield
        return
    real = passwords.HASHER
    passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    yield
    passwords.HASHER = real


@pytest.fixture(scope="session", autouse=True)
def prepared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let MLflow make the tables of a store once; each further store begins as a copy of them.

    Where nothing that was collected has loaded MLflow, nothing here does.
    """
    store = sys.modules.get("training.registry.mlflow.store")
    if store is None:
        yield
        return
    made, by_mlflow = tmp_path_factory.mktemp("store") / "mlflow.db", store._make_tables_by_mlflow

    def copied(file: Path) -> None:
        if not made.exists():
            by_mlflow(made)
        shutil.copyfile(made, file)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "_make_tables_by_mlflow", copied)
        yield


class SharedStatements(dict[Any, Any]):
    """Compiled statements by what they say, and for which kind of database."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_of_kind(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_of_kind(key), compiled)


def _of_kind(key: Any) -> Any:
    dialect, *said = key
    return dialect.name, dialect.driver, *said


@pytest.fixture(scope="session", autouse=True)
def shared_statements() -> Iterator[None]:
    """Compile a statement once, and not for each of a thousand databases anew."""
    engines = sys.modules.get("serving.storage.engine")
    if engines is None:
        yield
        return
    options = {"compiled_cache": SharedStatements()}
    create_engine = partial(engines.create_engine, execution_options=options)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engines, "create_engine", create_engine)
        yield


@pytest.fixture(scope="session", autouse=True)
def prepared_tables() -> Iterator[None]:
    """Let Alembic create the tables of an empty SQLite database once, then repeat its statements.

    `tests/serving/storage` tries the steps themselves.
    """
    migration = sys.modules.get("serving.storage.migration")
    if migration is None:
        yield
        return
    run_steps, statements = migration.run_steps, list[str]()

    def run_prepared_steps(connection: Any) -> None:
        if connection.dialect.name != "sqlite" or _schema_of(connection):
            run_steps(connection)
        elif statements:
            for statement in statements:
                connection.connection.execute(statement)
        else:
            run_steps(connection)
            step = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            statements.extend(_schema_of(connection))
            statements.append(f"INSERT INTO alembic_version VALUES ('{step}')")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(migration, "run_steps", run_prepared_steps)
        yield


def _schema_of(connection: Any) -> list[str]:
    schema = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    return list(connection.exec_driver_sql(schema).scalars())


@pytest.fixture(scope="session", autouse=True)
def prepared_commands() -> Iterator[None]:
    """Look through the parameters of every command once, not whenever a test runs one of them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("typer.testing._get_command", cache(get_command))
        yield


@pytest.fixture(scope="session")
def made_once(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Gives the folder of a name, made by whichever process of a run asks first; the others wait.

    Nobody changes what lies there. One process compiles meanwhile what all would have compiled.
    """
    own = tmp_path_factory.getbasetemp()
    of_run = own.parent if hasattr(pytestconfig, "workerinput") else own

    def made(name: str, make: Callable[[Path], None]) -> Path:
        folder, whole = of_run / name, of_run / f"{name}.whole"
        with (of_run / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of one that failed
                folder.mkdir()
                make(folder)
                whole.touch()
        return folder

    return made


def _place(path: Path) -> int:
    within = [HERE / name for name in LONGEST_FIRST]
    places = (place for place, first in enumerate(within) if path.is_relative_to(first))
    return next(places, len(within))
