"""How this distribution is installed, as far as the packages that every command needs can say."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import features
from features.engine.numba_cache import code_folder
from features.errors import CacheRefused
from serving.extras import extras

CheckGrade = Literal["good", "doubtful", "wrong"]


@dataclass(frozen=True)
class CheckResult:
    """One thing that was looked at, how it is, and what to do where it is not good."""

    what: str
    grade: CheckGrade
    says: str


def examine_installation() -> Iterator[CheckResult]:
    """Look at Python, the extras and where compiled code is kept."""
    yield _python()
    yield _extras()
    yield _compiled_code()


def _python() -> CheckResult:
    version = ".".join(map(str, sys.version_info[:3]))
    is_known = sys.version_info >= (3, 11)
    return CheckResult(
        "python", "good" if is_known else "wrong", f"{version}; 3.11 or later is needed"
    )


def _extras() -> CheckResult:
    found = extras()
    there = ", ".join(name for name, is_there in found.items() if is_there) or "none"
    absent = ", ".join(name for name, is_there in found.items() if not is_there) or "none"
    is_whole = found.get("serve", True) and found.get("train", True)
    says = f"installed: {there}; not: {absent}"
    if not is_whole:
        says += "; to serve and train, pip install 'tidegate[serve,train]'"
    return CheckResult("extras", "good" if is_whole else "doubtful", says)


def _compiled_code() -> CheckResult:
    what = "compiled code"
    try:
        found = code_folder(Path(features.__path__[0]))
    except CacheRefused as refusal:
        return CheckResult(what, "wrong", str(refusal))
    why = "".join(f"; {refusal}" for refusal in found.refusals)
    if found.path is None:
        says = "is not kept, so every process takes a minute to compile; set TIDEGATE_CACHE"
        return CheckResult(what, "doubtful", says + why)
    return CheckResult(what, "good", f"is kept in {found.path}{why}")
