"""What is kept of compiled functions, after a change in any file that they hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENTRY = """
from features.compiled import compiled
{imports}

@compiled
def entry(value):
    return step(value)
"""
STEP = """
from features.compiled import compiled
from held.numbers import ADDED

@compiled
def step(value):
    return value + ADDED
"""


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A package: an entry that compiles in a step, which compiles in a constant."""
    folder = tmp_path / "held"
    folder.mkdir()
    for name, source in {
        "__init__": "",
        "entry": ENTRY.format(imports="from held.step import (\n    step,\n)"),
        "step": STEP,
        "numbers": "ADDED = 1\n",
    }.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return folder


def told(held: Path) -> tuple[str, str]:
    """What the entry makes of 1 in a new process, and whether its code was kept from another."""
    script = "from held.entry import entry; print(entry(1), entry.stats.cache_hits.total())"
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(held.parent), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    )
    value, hits = run.stdout.split()
    return value, hits


def changed(file: Path, source: str) -> None:
    """Another source of the same size, later than anything that was kept."""
    kept = max(each.stat().st_mtime_ns for each in file.parent.glob("__pycache__/*.nbi"))
    assert len(source) == file.stat().st_size
    file.write_text(source, encoding="utf-8")
    os.utime(file, ns=(kept + 1, kept + 1))


def test_compiled_code_is_kept_for_the_next_process(held: Path) -> None:
    assert told(held) == ("2", "0")
    assert told(held) == ("2", "1")


@pytest.mark.parametrize(
    ("name", "source", "value"),
    [
        pytest.param("step", STEP.replace("+", "-"), "0", id="a function that is called"),
        pytest.param("numbers", "ADDED = 8\n", "9", id="a constant of that"),
    ],
)
def test_compiled_code_is_forgotten_when_a_file_that_it_holds_changes(
    held: Path, name: str, source: str, value: str
) -> None:
    assert told(held) == ("2", "0")
    changed(held / f"{name}.py", source)
    assert told(held) == (value, "0")
    assert told(held) == (value, "1")


def test_kept_code_may_be_forgotten_by_another_process_at_the_same_time(held: Path) -> None:
    """What is listed but not there any more, as a link that leads nowhere is."""
    told(held)
    (held / "__pycache__" / "entry.gone-1.py311.nbi").symlink_to(held / "gone")

    assert told(held) == ("2", "1")


def test_a_package_that_names_its_module_is_followed(held: Path) -> None:
    entry = ENTRY.format(imports="from held import step as steps\n\nstep = steps.step")
    (held / "entry.py").write_text(entry, encoding="utf-8")
    assert told(held) == ("2", "0")
    changed(held / "step.py", STEP.replace("+", "-"))
    assert told(held) == ("0", "0")
