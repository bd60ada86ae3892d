"""Every safeguard is taken away once, in a copy, and the tests that hold it must fail."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.counts import count
from tests.forked_pytest import compile_sources, process_with_libraries
from tests.test_rights import ROWS, named
from tests.weakenings.weakening import (
    ROOT,
    Weakening,
    WeakeningRefused,
    copy_project,
    failing,
    weakenings,
)

ALL = list(weakenings())
SEED = 20261126
DRAWN = random.Random(SEED).sample(ALL, count(2, len(ALL)))


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project; a test that weakens it puts the file back."""
    copy = copy_project(tmp_path_factory.mktemp("weakened"))
    compile_sources(copy)
    return copy


@pytest.fixture(scope="session")
def process() -> Iterator[Executor]:
    """A process to fork, which holds all libraries."""
    with process_with_libraries() as process:
        yield process


@pytest.mark.faults
@pytest.mark.skipif(not count(0, 1), reason="every run runs these tests anyway")
def test_every_test_that_is_to_notice_passes_where_nothing_is_weakened(
    copy: Path, process: Executor
) -> None:
    noticing = (test for weakening in DRAWN for test in weakening.noticed_by)
    assert failing(copy, noticing, process) == set()


@pytest.mark.faults
@pytest.mark.parametrize("weakening", DRAWN, ids=lambda weakening: weakening.name)
def test_a_weakened_safeguard_is_noticed_by_the_tests_that_hold_it(
    weakening: Weakening, copy: Path, process: Executor
) -> None:
    file = copy / weakening.file
    whole = file.read_text(encoding="utf-8")
    weakening.apply(copy)
    try:
        assert failing(copy, weakening.noticed_by, process) == {*weakening.noticed_by}
    finally:
        file.write_text(whole, encoding="utf-8")


@pytest.mark.parametrize("weakening", ALL, ids=lambda weakening: weakening.name)
def test_a_weakening_applies_to_the_code_and_names_tests_that_exist(weakening: Weakening) -> None:
    text = (ROOT / weakening.file).read_text(encoding="utf-8")
    assert text.count(weakening.old) == 1
    assert weakening.noticed_by
    for test in weakening.noticed_by:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), test


def test_no_weakening_leaves_a_name_that_is_not_defined(tmp_path: Path) -> None:
    """Its tests would fail whatever they hold."""
    for number, weakening in enumerate(ALL):
        if weakening.file.endswith(".py"):
            text = (ROOT / weakening.file).read_text(encoding="utf-8")
            weakened = text.replace(weakening.old, weakening.new)
            (tmp_path / f"weakening_{number}.py").write_text(weakened, encoding="utf-8")

    command = (sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--quiet")
    checked = subprocess.run(
        (*command, "--output-format", "json", "--select", "E9,F821,F823", tmp_path),
        capture_output=True,
        check=False,
    )

    assert {
        ALL[int(Path(found["filename"]).stem.rpartition("_")[2])].name: found["message"]
        for found in json.loads(checked.stdout)
    } == {}


def test_names_are_unique() -> None:
    names = [weakening.name for weakening in ALL]
    assert len(names) == len({*names})


def test_every_right_is_weakened_at_least_once_and_by_the_tests_of_its_row() -> None:
    """And no row names a test that nothing was ever taken from."""
    noticing = {test for weakening in ALL for test in weakening.noticed_by}
    for right, (_, tests) in ROWS.items():
        own = {test for w in ALL if w.safeguard == right for test in w.noticed_by}
        assert own <= {*named(tests)}, right
        assert {*named(tests)} <= noticing, f"{right} names a test that is weakened by nothing"


def test_a_weakening_that_no_longer_applies_is_refused(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("if is_allowed: act()\n")
    sound = Weakening("four eyes", "", "code.py", "if is_allowed:", "if True:", ("tests/x.py::t",))

    for useless in (
        replace(sound, old="if was_allowed:"),
        replace(sound, old="a"),
        replace(sound, file="gone.py"),
        replace(sound, new="if is_allowed:"),
    ):
        with pytest.raises(WeakeningRefused):
            useless.apply(tmp_path)
    sound.apply(tmp_path)
    assert (tmp_path / "code.py").read_text() == "if True: act()\n"


def test_a_weakening_that_no_test_notices_is_told(tmp_path: Path, process: Executor) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "test_it.py").write_text(
        "def test_sound(): pass\ndef test_broken(): assert False\n"
    )

    both = ("test_it.py::test_sound", "test_it.py::test_broken")
    assert failing(tmp_path, both, process) == {"test_it.py::test_broken"}
    with pytest.raises(WeakeningRefused):
        failing(tmp_path, ("test_it.py::test_that_is_gone",), process)


@pytest.mark.parametrize("broken", ["raise NameError", "import there_is_no_such_module"])
def test_code_that_no_longer_hangs_together_is_no_weakening(
    tmp_path: Path, process: Executor, broken: str
) -> None:
    of_a_long_name = f"test_{'code_' * 50}"
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        f"@pytest.fixture\ndef thing():\n    {broken}\n"
        f"def {of_a_long_name}():\n    {broken}\n"
        "@pytest.mark.parametrize('case', ['[one] - two'])\n"
        f"def test_case(case):\n    {broken}\n"
        "def test_fixture(thing): pass\n"
    )

    for test in (of_a_long_name, "test_case", "test_fixture"):
        with pytest.raises(WeakeningRefused, match="cannot be run"):
            failing(tmp_path, (f"test_it.py::{test}",), process)
