"""Folders written whole: what a killed process leaves, and what is nobody's to remove."""

import subprocess
import sys
from pathlib import Path

from features.atomic_dir import written_whole

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
    others = {".set.20260101", ".set.partial-abcdefgh.former", ".sets.partial-abcdefgh"}
    for name in others:
        (tmp_path / name).mkdir()

    with written_whole(tmp_path / "set"):
        pass

    assert {file.name for file in tmp_path.iterdir()} == {*others, "set"}
