"""What a run says: a table of scores, and the survivors that nobody has given a reason for."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.enumeration import Target
from tests.mutants.trial import Verdict

REASONS = Path(__file__).parents[1] / "mutants.md"
_ROW = re.compile(r"^\| (?P<kind>equivalent|lives) \| `(?P<file>[^`]+)` \| `(?P<within>[^`]+)` \| ")

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Score:
    """The mutants of one group: how many, and how they ended."""

    group: str
    wanted: float
    tried: int
    equivalent: int
    noticed: int

    @property
    def share(self) -> float:
        """The share that was noticed among those that do change something; 1 where none does."""
        changing = self.tried - self.equivalent
        return self.noticed / changing if changing else 1.0


def key_of(verdict: Verdict) -> Key:
    """By which a survivor is found in `tests/mutants.md`."""
    return verdict.file, verdict.within, verdict.change


def reasons(text: str) -> dict[Key, str]:
    """The survivors with a reason, by file, definition and change; the kind of each."""
    found = {}
    for line in text.splitlines():
        if row := _ROW.match(line):
            change = line[row.end() :].rpartition(" | ")[0]
            found[row["file"], row["within"], change] = row["kind"]
    return found


def scores(
    verdicts: Sequence[Verdict], known: dict[Key, str], groups: Iterable[Target]
) -> list[Score]:
    """The score of every group that was tried, in the order of the table of targets."""
    wanted = {target.group: target.wanted for target in groups}
    return [
        Score(
            group,
            share,
            len(of_group),
            sum(not v.is_noticed and known.get(key_of(v)) == "equivalent" for v in of_group),
            sum(v.is_noticed for v in of_group),
        )
        for group, share in wanted.items()
        if (of_group := [v for v in verdicts if v.group == group])
    ]


def table(of_groups: Sequence[Score]) -> str:
    """The scores as a table of Markdown."""
    rows = [
        "| group | mutants | equivalent | noticed | score | wanted |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {s.group} | {s.tried} | {s.equivalent} | {s.noticed} | {s.share:.1%} | {s.wanted:.0%} |"
        for s in of_groups
    ]
    return "\n".join(rows)


def without_reason(verdicts: Sequence[Verdict], known: dict[Key, str]) -> list[str]:
    """Rows for `tests/mutants.md`, for each survivor that is not in it yet."""
    return [
        f"| lives | `{v.file}` | `{v.within}` | {v.change} |  |"
        for v in verdicts
        if not v.is_noticed and key_of(v) not in known
    ]
