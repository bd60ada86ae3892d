"""Where caches are kept: nowhere that another user could put code."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from features.engine.cache_folder import VARIABLES, CacheFolder, cache_folder
from features.errors import TidegateError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which every place can be used, and nothing names one."""
    for name in (*VARIABLES, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("home", "user", "temporary"):
        (tmp_path / name).mkdir(mode=0o700)
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path


def test_the_first_place_that_can_be_used_is_used(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = [cache_folder("kind").path]
    (machine / "home").chmod(0o777)
    used.append(cache_folder("kind").path)
    (machine / "user").chmod(0o770)
    used.append(cache_folder("kind").path)
    monkeypatch.setattr(tempfile, "tempdir", os.devnull)
    used.append(cache_folder("kind").path)

    assert used == [
        machine / "home" / "cache" / "kind",
        machine / "user" / ".cache" / "tidegate" / "kind",
        machine / "temporary" / f"tidegate-{os.getuid()}" / "kind",
        None,
    ]


def test_why_a_place_was_not_used_can_be_told(machine: Path) -> None:
    (machine / "home").chmod(0o777)

    assert cache_folder("kind").refusals == (f"others can write to {machine / 'home'}",)


def test_a_home_is_not_made_for_its_cache(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_HOME", str(machine / "none"))

    assert cache_folder("kind").path == machine / "user" / ".cache" / "tidegate" / "kind"
    assert not (machine / "none").exists()


def test_a_new_folder_is_for_its_owner_only(machine: Path) -> None:
    before = os.umask(0)
    try:
        folder = cache_folder("kind").path
    finally:
        os.umask(before)

    assert folder is not None
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_in_which_nobody_can_move_what_another_owns_may_be_above(machine: Path) -> None:
    (machine / "home").chmod(0o1777)

    assert cache_folder("kind") == CacheFolder(machine / "home" / "cache" / "kind")


def of_another(folder: Path) -> None:
    os.chown(folder, 65_533, 65_533)


def open_to(mode: int) -> Callable[[Path], None]:
    return lambda folder: folder.chmod(mode)


AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to another")


@pytest.mark.parametrize(
    ("place", "spoil", "says"),
    [
        ("named", open_to(0o770), "others can write to"),
        ("named", open_to(0o777), "others can write to"),
        ("named/compiled", open_to(0o770), "others can write to"),
        ("named/compiled", open_to(0o1777), "others can write to"),
        pytest.param("named", of_another, "belongs to another user", marks=AS_ROOT),
        pytest.param("named/compiled", of_another, "belongs to another user", marks=AS_ROOT),
    ],
)
def test_a_folder_that_is_named_is_refused_where_others_could_write(
    machine: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    spoil: Callable[[Path], None],
    says: str,
) -> None:
    monkeypatch.setenv("TIDEGATE_CACHE", str(machine / "named"))
    assert cache_folder("compiled").path == machine / "named" / "compiled"

    spoil(machine / place)

    with pytest.raises(TidegateError, match=f"TIDEGATE_CACHE: .*{says}"):
        cache_folder("compiled")


def test_a_named_folder_that_cannot_be_made_is_refused(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEGATE_CACHE", f"{os.devnull}/cache")

    with pytest.raises(TidegateError, match="Not a directory"):
        cache_folder("compiled")


def test_a_link_of_another_user_leads_to_no_folder_of_theirs(machine: Path) -> None:
    theirs = machine / "theirs"
    theirs.mkdir(mode=0o777)
    theirs.chmod(0o777)
    (machine / "home" / "cache").symlink_to(theirs)

    folder = cache_folder("kind")

    assert folder.path == machine / "user" / ".cache" / "tidegate" / "kind"
    assert list(theirs.iterdir()) == []
