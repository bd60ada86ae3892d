"""What a home holds is its owner's alone: nobody else reads it, and so nobody else locks it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.doctor.all_checks import run_checks
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.write_lock import turn_without_transaction, write_transaction

STRANGER = 65_534


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home whose folder everybody can enter, in a process that closes nothing by its umask."""
    before = os.umask(0)
    try:
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            Path(folder).chmod(0o755)
            home = Path(folder) / "home"
            home.mkdir(mode=0o755)
            yield home
    finally:
        os.umask(before)


def private_files(home: Path) -> dict[str, str]:
    return {each.name: oct(each.stat().st_mode & 0o777) for each in home.glob("tidegate.db*")}


def test_every_file_of_the_database_is_made_for_its_owner_alone(open_home: Path) -> None:
    engine = open_database(open_home / "tidegate.db", is_service=True)
    with write_transaction(engine):
        pass

    found = private_files(open_home)

    assert {"tidegate.db", "tidegate.db.turn", "tidegate.db.service"} <= set(found)
    assert set(found.values()) == {"0o600"}
    engine.dispose()


def test_files_that_others_can_read_are_restricted_when_they_are_opened(
    open_home: Path,
) -> None:
    database = open_home / "tidegate.db"
    open_database(database, is_service=False).dispose()
    for each in open_home.glob("tidegate.db*"):
        each.chmod(0o644)

    engine = open_database(database, is_service=True)
    with turn_without_transaction(engine):
        pass

    assert set(private_files(open_home).values()) == {"0o600"}
    engine.dispose()


@pytest.mark.skipif(os.geteuid() != 0, reason="takes the right to act as another user")
@pytest.mark.parametrize("name", ["tidegate.db", "tidegate.db.turn", "tidegate.db.service"])
def test_another_user_cannot_lock_what_the_log_is_written_with(open_home: Path, name: str) -> None:
    engine = open_database(open_home / "tidegate.db", is_service=True)
    with write_transaction(engine):
        pass
    os.seteuid(STRANGER)
    try:
        with pytest.raises(PermissionError):
            (open_home / name).open()
    finally:
        os.seteuid(0)
        engine.dispose()


@pytest.mark.parametrize(
    ("file", "mode", "home_mode", "grade", "says"),
    [
        ("records/movements.parquet", 0o644, 0o755, "wrong", "movements.parquet"),
        ("state/data.mdb", 0o640, 0o750, "wrong", "data.mdb"),
        ("tidegate.db", 0o604, 0o701, "wrong", "tidegate.db"),
        ("records/movements.parquet", 0o600, 0o755, "doubtful", "chmod 700"),
        ("records/movements.parquet", 0o644, 0o700, "good", "nobody but its owner"),
    ],
)
def test_doctor_names_what_other_users_can_read(
    open_home: Path, file: str, mode: int, home_mode: int, grade: str, says: str
) -> None:
    (open_home / file).parent.mkdir(exist_ok=True)
    (open_home / file).touch()
    (open_home / file).chmod(mode)
    open_home.chmod(home_mode)

    (found,) = (f for f in run_checks(Settings(home=open_home)) if f.what == "privacy")

    assert (found.grade, says in found.says) == (grade, True)
    open_home.chmod(0o700)


def test_doctor_looks_behind_a_link_that_leads_out_of_the_home(
    open_home: Path,
) -> None:
    elsewhere = open_home.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "movements.parquet").touch(mode=0o644)
    (open_home / "records").symlink_to(elsewhere)
    open_home.chmod(0o700)

    (found,) = (f for f in run_checks(Settings(home=open_home)) if f.what == "privacy")

    assert (found.grade, "movements.parquet" in found.says) == ("wrong", True)
