"""A copy that nobody can write is proven and read, and nothing of that is written into it."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from serving.cli.main import app


def run(*arguments: str, home: Path) -> Any:
    return CliRunner().invoke(app, [*arguments, "--home", str(home)])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A small home, whose database is whole."""
    home = tmp_path / "home"
    made = run("keys", "create", "border-a", "--scope", "score", home=home)
    assert made.exit_code == 0, made.output
    return home


@pytest.fixture
def protected(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, as if it were on a disk that is mounted to be read alone."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK and access(path, mode))
    return home


def contents(home: Path) -> dict[str, bytes]:
    """Every file but the index of the write-ahead log, in which a reader notes that it reads."""
    files = (file for file in home.rglob("*") if file.is_file() and "-shm" not in file.name)
    return {str(file.relative_to(home)): file.read_bytes() for file in files}


def test_a_write_protected_copy_is_proven_and_read_and_nothing_of_it_is_touched(
    protected: Path,
) -> None:
    before = contents(protected)

    proven, read = run("verify-log", home=protected), run("audit", home=protected)

    assert (proven.exit_code, read.exit_code) == (0, 0), proven.output + read.output
    assert "whole: 0 records" in proven.stdout
    assert "make_key" in read.stdout
    assert "could not be recorded" in read.stderr
    assert "could not be recorded" not in proven.stderr  # which no home records
    assert contents(protected) == before


def test_a_change_of_a_write_protected_copy_is_found_and_none_is_made(protected: Path) -> None:
    with closing(sqlite3.connect(protected / "tidegate.db")) as connection:
        connection.execute("UPDATE api_keys SET name = 'border-b'")
        connection.commit()
    before = contents(protected)

    assert "this row was changed" in run("verify-log", home=protected).stdout
    assert run("keys", "create", "c", "--scope", "score", home=protected).exit_code == 1
    assert contents(protected)["tidegate.db"] == before["tidegate.db"]


def test_what_is_still_in_the_write_ahead_log_is_read_or_the_copy_is_refused(
    home: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    copied = tmp_path / "copied"
    with closing(sqlite3.connect(home / "tidegate.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE api_keys SET name = 'border-b'")
        shutil.copytree(home, copied)
    request.getfixturevalue("protected")

    assert "border-b" in run("keys", "list", home=copied).output

    (copied / "tidegate.db-shm").unlink()
    refused = run("keys", "list", home=copied)
    assert "copy both to where it can" in str(refused.exception)


def test_what_audit_and_verify_log_found_goes_where_results_go(home: Path) -> None:
    assert "make_key" in run("audit", home=home).stdout
    assert "whole: 0 records" in run("verify-log", home=home).stdout
