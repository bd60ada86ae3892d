"""Folders written whole: what a killed process leaves, and what is nobody's to remove."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from features import atomic_dir
from features.atomic_dir import put_back_interrupted, remove_interrupted, written_whole

WRITE_AND_WAIT = """
import sys, time
from pathlib import Path
from features.atomic_dir import written_whole
with written_whole(Path(sys.argv[1])) as partial:
    (partial / "half").write_text("")
    print(flush=True)
    time.sleep(600)
"""


def writing(folder: Path) -> "subprocess.Popen[str]":
    """Another process that is in the middle of writing a folder."""
    command = [sys.executable, "-c", WRITE_AND_WAIT, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_what_a_killed_process_left_half_written_is_removed_by_the_next(tmp_path: Path) -> None:
    with writing(tmp_path / "set") as process:
        process.kill()
    assert len([*tmp_path.iterdir()]) == 1

    with written_whole(tmp_path / "set") as partial:
        (partial / "whole").write_text("")

    assert [file.name for file in tmp_path.iterdir()] == ["set"]


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    with writing(tmp_path / "set") as process:
        (half,) = tmp_path.glob(".set.*/half")
        with written_whole(tmp_path / "set"):
            assert half.exists()
        assert half.exists()
        process.kill()


def test_folders_that_only_look_alike_are_left_alone(tmp_path: Path) -> None:
    others = {".set.20260101", ".set.former", ".sets.partial-abcdefgh"}
    for name in others:
        (tmp_path / name).mkdir()

    with written_whole(tmp_path / "set"):
        pass

    assert {file.name for file in tmp_path.iterdir()} == {*others, "set"}


def replaced(folder: Path, content: str) -> None:
    with written_whole(folder) as partial:
        (partial / "content").write_text(content)


CALLS: tuple[tuple[object, str], ...] = (
    (atomic_dir, "_flush_all"),
    (atomic_dir, "_take_the_place_of"),
    (atomic_dir, "_are_exchanged"),
    (atomic_dir, "flush_folder"),
    (Path, "rename"),
    (atomic_dir.shutil, "rmtree"),
    (os, "close"),
)


@pytest.mark.parametrize("has_exchange", [True, False])
@pytest.mark.parametrize("is_after", [True, False])
@pytest.mark.parametrize(("owner", "name"), CALLS)
def test_a_folder_is_the_former_or_the_new_one_wherever_its_writer_is_killed(
    tmp_path: Path,
    owner: object,
    name: str,
    is_after: bool,
    has_exchange: bool,
) -> None:
    place = tmp_path / "set"
    replaced(place, "former")
    for turn in range(1, 4):
        child = os.fork()
        if child == 0:
            if not has_exchange:
                atomic_dir._are_exchanged = lambda *_: False
            _die_at(owner, name, turn, is_after=is_after)
            replaced(place, "new")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        put_back_interrupted(place)
        assert (place / "content").read_text() in {"former", "new"}
        replaced(place, "former")
        assert [file.name for file in tmp_path.iterdir()] == ["set"]
        if os.WIFEXITED(status):
            break


def _die_at(owner: object, name: str, turn: int, *, is_after: bool) -> None:
    """Kill this process at the n-th call of a function, before or after it did its work."""
    calls = [0]
    real: Callable[..., object] = getattr(owner, name)

    def dying(*args: object, **named: object) -> object:
        calls[0] += 1
        if calls[0] == turn and not is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **named)
        if calls[0] == turn:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, dying)


def test_whoever_looks_while_a_folder_is_replaced_sees_one_of_the_two(tmp_path: Path) -> None:
    place = tmp_path / "set"
    replaced(place, "former")
    command = [sys.executable, "-c", REPLACE_AGAIN_AND_AGAIN, str(place)]
    with subprocess.Popen(command) as process:
        seen = [(place / "content").exists() for _ in range(20_000)]
        process.kill()
    assert all(seen)


REPLACE_AGAIN_AND_AGAIN = """
import sys
from pathlib import Path
from features.atomic_dir import written_whole
while True:
    with written_whole(Path(sys.argv[1])) as partial:
        (partial / "content").write_text("new")
"""


def test_what_any_killed_process_left_is_removed_and_what_is_being_written_is_named(
    tmp_path: Path,
) -> None:
    with writing(tmp_path / "set") as killed:
        killed.kill()
    with writing(tmp_path / "other") as process:
        (busy,) = remove_interrupted(tmp_path)
        assert busy.name.startswith(".other.")
        assert [*tmp_path.iterdir()] == [busy]
        process.kill()
    assert remove_interrupted(tmp_path) == []
    assert not [*tmp_path.iterdir()]


def test_a_private_folder_stays_private_and_a_new_one_is_as_the_umask_says(tmp_path: Path) -> None:
    place = tmp_path / "set"
    before = os.umask(0o027)
    try:
        replaced(place, "first")
        assert place.stat().st_mode & 0o777 == 0o750
        place.chmod(0o700)
        replaced(place, "second")
        assert place.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
