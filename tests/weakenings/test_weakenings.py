"""Every safeguard of rights and of life is removed once, in a copy, and its tests must fail.

Ordinary runs check that each weakening still applies; `make faults` runs them all.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.counts import count, in_full_alone
from tests.forked_pytest import compile_sources, copy_project, process_with_libraries
from tests.test_rights import ROWS, named
from tests.weakenings.weakening import ROOT, Weakening, WeakeningRefused, failing, weakenings

ALL = list(weakenings())
TRIED = ALL[: count(0, len(ALL))]


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project; a test that weakens it puts the file back."""
    copy = copy_project(tmp_path_factory.mktemp("weakened"))
    compile_sources(copy)
    return copy


@pytest.fixture(scope="session")
def process() -> Iterator[Executor]:
    """A process that has loaded all libraries, to be forked."""
    with process_with_libraries() as process:
        yield process


@pytest.fixture(scope="module")
def bare_process() -> Iterator[Executor]:
    """A process to be forked for tests that import nothing."""
    with process_with_libraries([]) as process:
        yield process


@pytest.mark.faults
@in_full_alone
def test_every_test_of_a_weakening_passes_while_nothing_is_weakened(
    copy: Path, process: Executor
) -> None:
    assert failing(copy, (test for w in ALL for test in w.noticed_by), process) == set()


@pytest.mark.faults
@pytest.mark.parametrize("weakening", TRIED, ids=lambda weakening: weakening.name)
def test_a_weakened_safeguard_fails_its_tests(
    weakening: Weakening, copy: Path, process: Executor
) -> None:
    file = copy / weakening.file
    whole = file.read_text(encoding="utf-8")
    weakening.apply(copy)
    try:
        assert failing(copy, weakening.noticed_by, process) == {*weakening.noticed_by}
    finally:
        file.write_text(whole, encoding="utf-8")


def test_every_weakening_applies_to_the_code_and_names_tests_that_exist() -> None:
    read = cache(lambda file: (ROOT / file).read_text(encoding="utf-8"))
    stale = []
    for weakening in ALL:
        if read(weakening.file).count(weakening.old) != 1:
            stale.append(f"{weakening.name}: want its passage once in {weakening.file}")
        for test in weakening.noticed_by:
            file, _, name = test.partition("::")
            if not (ROOT / file).is_file() or f"def {name}(" not in read(file):
                stale.append(f"{weakening.name}: there is no {test}")

    assert stale == []
    assert all(weakening.noticed_by for weakening in ALL)


def test_no_weakening_leaves_an_undefined_name(tmp_path: Path) -> None:
    """Every test of such code would fail, so that its failure would prove nothing."""
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


def test_every_right_is_weakened_and_every_test_of_its_row_notices_a_weakening() -> None:
    noticing = {test for weakening in ALL for test in weakening.noticed_by}
    for right, (_, tests) in ROWS.items():
        own = {test for w in ALL if w.safeguard == right for test in w.noticed_by}
        assert own <= {*named(tests)}, right
        assert {*named(tests)} <= noticing, f"{right} names a test that no weakening fails"


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


def test_failing_tests_are_reported_and_missing_tests_are_refused(
    tmp_path: Path, bare_process: Executor
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "test_it.py").write_text(
        "def test_sound(): pass\ndef test_broken(): assert False\n"
    )

    both = ("test_it.py::test_sound", "test_it.py::test_broken")
    assert failing(tmp_path, both, bare_process) == {"test_it.py::test_broken"}
    with pytest.raises(WeakeningRefused):
        failing(tmp_path, ("test_it.py::test_that_is_gone",), bare_process)


def test_code_that_cannot_run_is_no_weakening(tmp_path: Path, bare_process: Executor) -> None:
    of_a_long_name = f"test_{'code_' * 50}"
    for broken in ("raise NameError", "import there_is_no_such_module"):
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
                failing(tmp_path, (f"test_it.py::{test}",), bare_process)
