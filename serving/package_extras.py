"""Examine the installation of this distribution, without optional packages."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import features
from features.engine.cache_folder import code_folder
from features.errors import TidegateError
from serving.extras import extras

CheckGrade = Literal["good", "doubtful", "wrong"]


@dataclass(frozen=True)
class CheckResult:
    """The result of one check, with advice if it is not good."""

    what: str
    grade: CheckGrade
    says: str


def examine_installation() -> Iterator[CheckResult]:
    """Check Python, the extras and the cache of compiled code."""
    yield check_python()
    yield _extras()
    yield _compiled_code()


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> CheckResult:
    """Check that this release of Python is supported and parses every request in time.

    Before 3.11.10 and 3.12.6, unquoting cookies takes quadratic time (CVE-2024-7592).
    """
    name = ".".join(map(str, version))
    if version < (3, 11):
        return CheckResult("python", "wrong", f"{name}; 3.11 or later is needed")
    if version < (3, 11, 10) or (3, 12) <= version < (3, 12, 6):
        says = "takes quadratic time to unquote cookies, so the service lets it unquote none"
        return CheckResult("python", "doubtful", f"{name} {says}; want 3.11.10, 3.12.6 or later")
    return CheckResult("python", "good", f"{name}; 3.11 or later is needed")


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
    except TidegateError as refusal:
        return CheckResult(what, "wrong", str(refusal))
    why = "".join(f"; {refusal}" for refusal in found.refusals)
    if found.path is None:
        says = "is not kept, so every process takes a minute to compile; set TIDEGATE_CACHE"
        return CheckResult(what, "doubtful", says + why)
    return CheckResult(what, "good", f"is kept in {found.path}{why}")
