"""A safeguard taken away in a copy of the project, and the tests that must notice.

`rights.toml` holds the weakenings as data: a passage of a source file, its replacement, and the
tests that fail then. A passage that is not found exactly once is refused: the code has moved on,
and a weakening that changes nothing would prove nothing. `tests/mutants` covers everything else.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from tests.forked_pytest import run_pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("rights.toml")
MAX_S = 600

# A line of pytest's summary: a test, then perhaps its case and why it failed.
FAILURE = re.compile(r"^(FAILED|ERROR) ([^\s\[]+)(.*)$", re.MULTILINE)
# Why, where a weakening left code that no longer hangs together, and took away nothing.
BROKEN = re.compile(r" - (Name|Import|ModuleNotFound|Syntax|UnboundLocal)Error\b")


class WeakeningRefused(Exception):
    """A weakening that does not apply to the code as it is."""


@dataclass(frozen=True)
class Weakening:
    """One safeguard weakened: `old` becomes `new` in `file`, and every test of `noticed_by` fails.

    `safeguard` is a row of docs/rights.md (`R01`) or the name of a gate, limit or rule; `says` puts
    in words what is no longer so.
    """

    safeguard: str
    says: str
    file: str
    old: str
    new: str
    noticed_by: tuple[str, ...]

    @property
    def name(self) -> str:
        """Short and unique, as an id of a test."""
        return f"{self.safeguard}: {self.says}"

    def apply(self, root: Path) -> None:
        """Weaken the copy of the project in `root`; WeakeningRefused where it does not apply."""
        file = root / self.file
        if not file.is_file():
            raise WeakeningRefused(f"{self.name}: there is no {self.file}")
        text = file.read_text(encoding="utf-8")
        found = text.count(self.old)
        if found != 1:
            raise WeakeningRefused(
                f"{self.name}: the passage stands {found} times in {self.file}; want it once"
            )
        if self.old == self.new:
            raise WeakeningRefused(f"{self.name}: it changes nothing")
        file.unlink()  # a copy may share its files with what it was made of
        file.write_text(text.replace(self.old, self.new), encoding="utf-8")


def weakenings() -> Iterator[Weakening]:
    """Read every weakening of the table."""
    for row in tomllib.loads(TABLE.read_text(encoding="utf-8"))["weakening"]:
        yield Weakening(**{**row, "noticed_by": tuple(row["noticed_by"])})


def failing(copy: Path, tests: Iterable[str], process: Executor) -> set[str]:
    """Which of the tests fail in the copy; a test of several cases fails where one of them does.

    They run in a fork of `process`, which holds libraries (`process_with_libraries`). Raises
    WeakeningRefused where they cannot be run: something is not there, a fixture fails, or a test
    meets code that is broken rather than weakened.
    """
    wanted = (*dict.fromkeys(tests),)
    status, printed = _run(copy, wanted, process)
    if status not in (0, 1):
        raise WeakeningRefused(f"pytest ended with {status}:\n{printed}")
    failures = FAILURE.findall(printed)
    for outcome, test, why in failures:
        if outcome == "ERROR" or BROKEN.search(why):
            raise WeakeningRefused(f"{test} cannot be run{why}\n{printed[-4_000:]}")
    failed = {test for _, test, _ in failures}
    return {test for test in wanted if test in failed}


def _run(copy: Path, tests: tuple[str, ...], process: Executor) -> tuple[int, str]:
    with NamedTemporaryFile("r", encoding="utf-8") as output:
        running = process.submit(run_pytest, copy, ("-rfE", *tests), MAX_S, Path(output.name))
        return running.result(), output.read()
