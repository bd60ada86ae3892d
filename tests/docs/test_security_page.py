"""The page of security is held to the code: a group that loses its place or test fails here."""

import re
from dataclasses import dataclass

from tests.docs.named_places import ROOT, is_there, named

PAGE = (ROOT / "docs" / "security.md").read_text()
GROUPS_BY_CHAPTER = (5, 4, 7, 4, 4, 8, 6, 4, 2, 7, 7, 3, 4, 3, 4, 5, 3)
"""How many groups of requirements each chapter of ASVS 5.0.0 has, from V1 to V17."""
VERDICTS = {"holds", "partly", "not applicable", "fails"}


@dataclass(frozen=True)
class Row:
    """What the page says of one group of requirements."""

    group: str
    verdict: str
    does: str
    places: tuple[str, ...]
    tests: tuple[str, ...]
    left: str


def rows() -> list[Row]:
    found = []
    for line in PAGE.splitlines():
        if re.match(r"\| V\d", line):
            title, verdict, does, code, tests, left = map(str.strip, line.strip("|").split("|"))
            group = title.split()[0].removeprefix("V")
            found.append(Row(group, verdict, does, (*named(code),), (*named(tests),), left))
    return found


def test_every_group_of_every_chapter_has_its_row() -> None:
    assert [row.group for row in rows()] == [
        f"{chapter}.{group}"
        for chapter, groups in enumerate(GROUPS_BY_CHAPTER, start=1)
        for group in range(1, groups + 1)
    ]


def test_every_test_and_every_place_that_is_named_exists() -> None:
    for row in rows():
        for place in row.places + row.tests:
            assert is_there(place), (row.group, place)
        assert all("::test_" in test for test in row.tests), row.group
    mentioned = [place for place in named(PAGE) if "::" in place]
    assert mentioned
    assert [place for place in mentioned if not is_there(place)] == []


def test_whatever_is_met_is_held_by_a_test() -> None:
    for row in rows():
        assert row.verdict in VERDICTS, row
        assert row.does, row.group
        assert row.tests or row.verdict in ("not applicable", "fails"), row.group


def test_what_is_not_met_says_which_requirement_and_why() -> None:
    for row in rows():
        numbers = re.findall(r"\b(\d+\.\d+)\.\d+\b", row.does + row.left)
        assert set(numbers) <= {row.group}, row.group
        if row.verdict in ("partly", "fails"):
            assert re.search(rf"\b{re.escape(row.group)}\.\d+", row.left), row.group
