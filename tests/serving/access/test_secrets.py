"""Secrets in files: made once, whole, and readable by their owner only."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.access.secrets import kept_secret, make_once


@pytest.fixture(autouse=True)
def no_umask() -> Iterator[None]:
    """Let files have the rights that they are made with."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_secret_is_32_random_bytes_that_stay(tmp_path: Path) -> None:
    first = kept_secret(tmp_path / "keys", "a.key")

    assert len(first) == 32
    assert kept_secret(tmp_path / "keys", "a.key") == first
    assert (tmp_path / "keys" / "a.key").read_bytes() == first
    assert kept_secret(tmp_path / "keys", "b.key") != first


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    kept_secret(tmp_path / "home" / "keys", "a.key")

    assert (tmp_path / "home" / "keys").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "keys" / "a.key").stat().st_mode & 0o777 == 0o600


def test_of_two_that_make_a_secret_the_first_is_kept_and_nothing_else_is_left(
    tmp_path: Path,
) -> None:
    make_once(tmp_path / "a.key", b"first")
    make_once(tmp_path / "a.key", b"second")

    assert (tmp_path / "a.key").read_bytes() == b"first"
    assert [*tmp_path.iterdir()] == [tmp_path / "a.key"]


@pytest.mark.parametrize("call", ["open", "fsync"])
def test_where_the_disk_is_full_no_secret_is_made_and_the_error_says_why(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="no space left"):
        make_once(tmp_path / "a.key", b"secret")

    monkeypatch.undo()
    assert [*tmp_path.iterdir()] == []
