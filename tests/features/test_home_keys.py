"""The secrets of a home: made once, all or none, whole, for their owner only, and never again."""

import errno
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from features.atomic_dir import write_durably
from features.errors import KeyMissing, TidegateError
from features.home_keys import (
    DATABASE_FILE,
    KEY_FILES,
    LOG,
    PUBLIC_FILES,
    SIGNING,
    key_fingerprint,
    make_keys,
    public_file_of,
    public_half,
    read_key,
)
from tests.kills import is_killed_at

FILES = {*KEY_FILES.values(), *PUBLIC_FILES.values()}
SECRETS = sorted(set(KEY_FILES) - {SIGNING})


@pytest.fixture(autouse=True)
def no_umask() -> Iterator[None]:
    """Let files have the rights that they are made with."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The folder of keys of a home that nothing was done with yet."""
    return tmp_path / "home" / "keys"


@pytest.mark.parametrize("name", KEY_FILES)
def test_whoever_first_needs_a_key_of_a_blank_home_makes_all(keys: Path, name: str) -> None:
    first = read_key(keys, name)

    assert {file.name for file in keys.iterdir()} == FILES
    assert read_key(keys, name) == first == (keys / KEY_FILES[name]).read_bytes()


def test_keys_are_random(tmp_path: Path) -> None:
    made = [read_key(tmp_path / home / "keys", name) for home in "ab" for name in KEY_FILES]

    assert len(set(made)) == len(made)
    assert {len(read_key(tmp_path / "a" / "keys", name)) for name in SECRETS} == {32}


def test_only_the_owner_may_look(keys: Path) -> None:
    make_keys(keys)

    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in keys.iterdir()} == {0o600}


def test_of_many_that_begin_together_all_read_the_same_keys(tmp_path: Path) -> None:
    def read(number: int) -> tuple[bytes, ...]:
        folder = tmp_path / str(number // 8) / "keys"
        return tuple(read_key(folder, name) for name in KEY_FILES)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, range(64)))

    assert len(set(found)) == 8
    for home in tmp_path.iterdir():
        assert [file.name for file in home.iterdir()] == ["keys"]
        for name, file in PUBLIC_FILES.items():
            public = public_file_of(name, read_key(home / "keys", name))
            assert (home / "keys" / file).read_bytes() == public


def test_public_halves_are_those_of_the_private(keys: Path) -> None:
    pem = load_pem_public_key(public_file_of(SIGNING, read_key(keys, SIGNING)))

    assert pem.public_bytes_raw().hex() == public_half(SIGNING, read_key(keys, SIGNING))  # type: ignore[union-attr]  # Ed25519 has it
    assert (keys / "log.pub").read_text().strip() == public_half(LOG, read_key(keys, LOG))


@pytest.mark.parametrize("what", ["tidegate.db", DATABASE_FILE, "models/a/1/manifest.json"])
@pytest.mark.parametrize("name", KEY_FILES)
def test_no_key_is_made_where_something_hangs_on_keys(keys: Path, what: str, name: str) -> None:
    (keys.parent / what).parent.mkdir(parents=True, exist_ok=True)
    (keys.parent / what).touch()

    with pytest.raises(KeyMissing, match=KEY_FILES[name]):
        read_key(keys, name)

    assert not keys.exists()


@pytest.mark.parametrize("name", KEY_FILES)
def test_a_lost_key_is_named_and_not_made_again(keys: Path, name: str) -> None:
    make_keys(keys)
    (keys / KEY_FILES[name]).unlink()

    with pytest.raises(KeyMissing, match=KEY_FILES[name]):
        read_key(keys, name)

    assert not (keys / KEY_FILES[name]).exists()


@pytest.mark.parametrize("size", [0, 1, 31, 33, 100])
@pytest.mark.parametrize("name", KEY_FILES)
def test_a_key_that_was_cut_off_is_named(keys: Path, name: str, size: int) -> None:
    make_keys(keys)
    whole = (keys / KEY_FILES[name]).read_bytes()
    (keys / KEY_FILES[name]).write_bytes((whole * 5)[:size])

    with pytest.raises(TidegateError, match=f"{KEY_FILES[name]}.*{size} bytes"):
        read_key(keys, name)


@pytest.mark.parametrize("name", KEY_FILES)
def test_a_fingerprint_names_a_key_and_tells_nothing_of_it(tmp_path: Path, name: str) -> None:
    contents = [read_key(tmp_path / home / "keys", name) for home in "abcd"]
    prints = [key_fingerprint(name, content) for content in contents]

    assert len(set(prints)) == 4
    assert [key_fingerprint(name, content) for content in contents] == prints
    assert not any(each in content.hex() for each in prints for content in contents)


def test_the_same_bytes_under_two_names_have_two_fingerprints(keys: Path) -> None:
    content = read_key(keys, "subjects")

    assert key_fingerprint("subjects", content) != key_fingerprint("draws", content)


def test_whoever_is_killed_while_making_keys_leaves_none_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    for number in range(1, 1_000):
        keys = tmp_path / str(number) / "keys"
        if not is_killed_at(number, lambda keys=keys: make_keys(keys)):  # type: ignore[misc]  # mypy infers no type of a lambda's default
            break
        assert not keys.exists() or {file.name for file in keys.iterdir()} == FILES
        assert len({read_key(keys, name) for name in KEY_FILES}) == len(KEY_FILES)

    assert number > 20


def test_of_two_that_write_a_file_the_first_is_kept_and_nothing_else_is_left(
    tmp_path: Path,
) -> None:
    write_durably(tmp_path / "a.key", b"first", replace=False)
    write_durably(tmp_path / "a.key", b"second", replace=False)

    assert (tmp_path / "a.key").read_bytes() == b"first"
    assert [*tmp_path.iterdir()] == [tmp_path / "a.key"]


@pytest.mark.parametrize("call", ["open", "fsync"])
def test_where_the_disk_is_full_no_file_is_made_and_the_error_says_why(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="no space left"):
        write_durably(tmp_path / "a.key", b"secret", replace=False)

    monkeypatch.undo()
    assert [*tmp_path.iterdir()] == []
