"""One mutant on trial: a fork that holds all libraries imports the mutated code and tests it."""

import os
import time
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_item import MutationSpec

from tests.forked_pytest import compile_sources, copy_project, run_pytest
from tests.mutants.enumeration import Target

PURE = ("--noconftest", "-p", "tests.conftest")
"""What pure tests run with: no fixtures, but what holds in every room."""

SLOWER, AT_LEAST_S = 5, 20
"""A mutant may take so many times as long as the sound code, and so many seconds more."""
MAX_S = 300
"""What sound code may take."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: its change as a reader sees it, and whether a test failed."""

    group: str
    file: str
    within: str
    was: str
    becomes: str
    is_noticed: bool

    @property
    def change(self) -> str:
        """The change in one line, as `tests/mutants.md` spells it."""
        return f"`{self.was}` → `{self.becomes}`"


def begin_worker(scratch: str) -> None:
    """Give this process a copy of the project of its own to mutate, and work there."""
    copy = copy_project(Path(scratch) / str(os.getpid()))
    compile_sources(copy)
    os.chdir(copy)


def tried(target: Target, mutation: MutationSpec, max_s: float) -> Verdict:
    """Mutate the file of the copy that is the working directory, and run the target's tests."""
    operator = get_operator(mutation.operator_name)()
    with use_mutation(Path(target.file), operator, mutation.occurrence) as (sound, mutated):
        was, becomes = _lines(sound, mutated or sound)
        status = run_tests(target, max_s)
    within = mutation.definition_name or "the module"
    return Verdict(target.group, target.file, within, was, becomes, is_noticed=status != 0)


def sound_run_s(target: Target) -> float:
    """How long the target's tests take on sound code; AssertionError where they fail."""
    begun = time.monotonic()
    assert run_tests(target, MAX_S) == 0, f"{target.tests} fail on sound code"
    return time.monotonic() - begun


def run_tests(target: Target, max_s: float) -> int:
    """Exit code of pytest in a fork; it ends with the first failure, or after so many seconds."""
    arguments = ("-x", *(PURE if target.is_pure else ()), *target.tests)
    return run_pytest(Path.cwd(), arguments, max_s)


def _lines(sound: str, mutated: str) -> tuple[str, str]:
    """The lines that differ, before and after, each joined into one."""
    lines = [*unified_diff(sound.splitlines(), mutated.splitlines(), n=0, lineterm="")][2:]
    was, becomes = (
        " ".join(" ".join(line[1:].split()) for line in lines if line.startswith(sign))
        for sign in "-+"
    )
    return was, becomes
