"""The secrets of a home at rest: whoever has the home alone reads none of them."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from features import key_wrapping
from features.errors import KeysLocked
from features.home_keys import (
    KEY_FILES,
    make_keys,
    read_key,
    read_secret,
    secret_files,
    unwrap_keys,
    wrap_keys,
    write_secret,
)
from features.key_wrapping import PASSPHRASE_FILE, UNWRAP_COMMAND, WRAPPING_FILE, HomeKey
from tests.kills import is_killed_at

PASSPHRASE = b"a passphrase of many words"
FLIP = "import sys; sys.stdout.buffer.write(bytes(b ^ 7 for b in sys.stdin.buffer.read()))"
COMMAND = f"{sys.executable} -c '{FLIP}'"


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The keys of a home, and the passphrase elsewhere."""
    monkeypatch.setattr(key_wrapping, "_SCRYPT", {"n": 2**10, "r": 8, "p": 1})
    elsewhere = tmp_path / "passphrase"
    elsewhere.write_bytes(PASSPHRASE + b"\n")
    monkeypatch.setenv(PASSPHRASE_FILE, str(elsewhere))
    folder = tmp_path / "home" / "keys"
    make_keys(folder)
    write_secret(folder, "data/db/0123456789abcdef.key", b"k" * 32)
    return folder


def all_of(folder: Path) -> dict[str, bytes]:
    return {each: read_secret(folder, each) for each in secret_files(folder)}


def forget() -> None:
    """As a process that has just begun."""
    key_wrapping._opened.clear()


def test_wrapped_keys_are_read_as_before_and_stand_nowhere(keys: Path) -> None:
    before = all_of(keys)
    assert set(before) == {*KEY_FILES.values(), "data/db/0123456789abcdef.key"}

    wrap_keys(keys, HomeKey.under_passphrase(PASSPHRASE))
    forget()

    assert all_of(keys) == before
    at_rest = b"".join(file.read_bytes() for file in keys.rglob("*") if file.is_file())
    assert not any(secret[:24] in at_rest or secret[-24:] in at_rest for secret in before.values())


def test_a_thief_of_the_home_alone_opens_nothing(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrap_keys(keys, HomeKey.under_passphrase(PASSPHRASE))
    stolen = Path(shutil.copytree(keys, tmp_path / "stolen" / "keys"))
    forget()

    monkeypatch.delenv(PASSPHRASE_FILE)
    for name in KEY_FILES:
        with pytest.raises(KeysLocked, match=PASSPHRASE_FILE):
            read_key(stolen, name)
    guess = tmp_path / "guess"
    guess.write_text("another passphrase of words")
    monkeypatch.setenv(PASSPHRASE_FILE, str(guess))
    with pytest.raises(KeysLocked, match="another passphrase"):
        read_key(stolen, "log")


def test_a_command_opens_what_a_command_wrapped(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = all_of(keys)
    monkeypatch.setenv(UNWRAP_COMMAND, COMMAND)

    wrap_keys(keys, HomeKey.under_command(COMMAND))
    forget()
    assert all_of(keys) == before

    monkeypatch.setenv(UNWRAP_COMMAND, "false")
    forget()
    with pytest.raises(KeysLocked, match="command"):
        read_key(keys, "log")


@pytest.mark.parametrize("command", [None, "false", "no-such-command-anywhere", "echo 1"])
def test_nothing_is_wrapped_that_could_not_be_opened(
    keys: Path, command: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = all_of(keys)
    if command:
        monkeypatch.setenv(UNWRAP_COMMAND, command)

    with pytest.raises(KeysLocked):
        wrap_keys(keys, HomeKey.under_command(COMMAND))

    assert not (keys / WRAPPING_FILE).exists()
    assert all_of(keys) == before


def test_unwrapping_lays_down_what_was_there(keys: Path) -> None:
    before = {each: (keys / each).read_bytes() for each in secret_files(keys)}
    wrap_keys(keys, HomeKey.under_passphrase(PASSPHRASE))

    unwrap_keys(keys)

    assert {each: (keys / each).read_bytes() for each in secret_files(keys)} == before
    assert not (keys / WRAPPING_FILE).exists()


def test_a_key_made_later_is_wrapped_too(keys: Path) -> None:
    wrap_keys(keys, HomeKey.under_passphrase(PASSPHRASE))

    write_secret(keys, "data/db/fedcba9876543210.key", b"z" * 32)

    assert b"z" * 8 not in (keys / "data/db/fedcba9876543210.key").read_bytes()
    assert read_secret(keys, "data/db/fedcba9876543210.key") == b"z" * 32


def test_a_wrapped_key_opens_in_its_own_place_alone(keys: Path) -> None:
    wrap_keys(keys, HomeKey.under_passphrase(PASSPHRASE))
    shutil.copy(keys / "draw.seed", keys / "subjects.key")

    with pytest.raises(KeysLocked, match="changed"):
        read_key(keys, "subjects")


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(KeysLocked, match="too short"):
        HomeKey.under_passphrase(b"short")


@pytest.mark.parametrize("act", [wrap_keys, unwrap_keys])
def test_whoever_is_killed_leaves_keys_that_all_open_and_the_next_goes_on(
    keys: Path, tmp_path: Path, act: Callable[..., int]
) -> None:
    before = all_of(keys)
    fresh = HomeKey.under_passphrase(PASSPHRASE)
    if act is unwrap_keys:
        wrap_keys(keys, fresh)

    def go(folder: Path) -> int:
        return act(folder, fresh) if act is wrap_keys else act(folder)

    for number in range(1, 1_000):
        copy = Path(shutil.copytree(keys, tmp_path / str(number) / "keys"))
        was_killed = is_killed_at(number, lambda folder=copy: go(folder))  # type: ignore[misc]  # mypy infers no type of a lambda's default
        assert all_of(copy) == before
        go(copy)
        assert all_of(copy) == before
        assert (copy / WRAPPING_FILE).exists() == (act is wrap_keys)
        if not was_killed:
            break

    assert number > 20
    assert os.environ[PASSPHRASE_FILE]
