"""The table of rights is held to the code: a row that loses its place or its test fails here."""

import re

from tests.docs.named_places import ROOT, is_there, named

TABLE = (ROOT / "docs" / "rights.md").read_text()
TESTS = dict(re.findall(r"^- \*\*(R\d\d)\*\*\n((?:  - .+\n)+)", TABLE, re.MULTILINE))
ROWS = {
    right: (where, TESTS.get(right, ""))
    for right, where in re.findall(r"^\| (R\d\d) \|(?:[^|]+\|){4} ([^|]*) \|$", TABLE, re.MULTILINE)
}


def test_no_right_is_left_out() -> None:
    assert list(ROWS) == [f"R{number:02}" for number in range(1, 62)]


def test_every_place_that_is_named_exists() -> None:
    for right, (where, _) in ROWS.items():
        for place in named(where):
            assert is_there(place), (right, place)


def test_every_right_is_met_by_a_test_that_exists_or_says_that_it_is_open() -> None:
    for right, (where, tests) in ROWS.items():
        assert bool(named(tests)) != (where in ("open", "the deployer")), right
        for test in named(tests):
            assert "::" in test, (right, test)
            assert is_there(test), (right, test)


def test_every_right_names_its_law_who_owes_it_and_what_is_left_to_do() -> None:
    for line in TABLE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.match(r"R\d\d$", cells[0]):
            _, law, who, asked, left, *_ = cells
            assert re.search(r"\d", law), line
            assert set(who.split(", ")) <= {"provider", "deployer"}, line
            assert asked, line
            assert left, line


def test_every_act_that_a_right_names_has_its_source_and_when_it_was_read() -> None:
    sources = (ROOT / "docs" / "live_use.md").read_text().partition("### Sources")[2]
    law = sources.splitlines()
    acts = [line.split("|")[1].strip() for line in law if line.startswith("| ")]
    for line in TABLE.splitlines():
        if line.startswith("| R"):
            for cited in line.split("|")[2].split(";"):
                assert any(cited.strip().startswith(act) for act in acts if act), cited
    for line in law:
        if line.startswith("| ") and not line.startswith("| act"):
            assert re.search(r"read on \d{4}-\d\d-\d\d|not re-read", line), line


ASKED_FOR = {
    "AI Act": "4 5 9 10 13 15(3) 20 25 26(5) 26(6) 26(8) 26(11) 27(3) 49 71 72 73",
    "LED": "4 5 6 10 11 24 25 27 28",
    "GDPR": "6 9 13 14 15 22",
    "UCC": "12 22(6) 38 44 46",
    "C-817/19": "",
    "C-634/21": "",
    "C-203/22": "",
}
"""What a lawyer missed in the table, by act: no row of it may go."""


def articles(cited: str) -> set[str]:
    """The articles of one citation, each with its paragraph and without: 26(5), (6) is both."""
    found: set[str] = set()
    bare = re.sub(r"\(applies[^)]*\)", "", cited)
    for first, last in re.findall(r"(\d+) to (\d+)", bare):
        found |= {str(number) for number in range(int(first), int(last) + 1)}
    article = ""
    for number, paragraph in re.findall(r"(\d+)?((?:\(\w+\))*)", bare):
        article = number or article
        found |= {article, article + re.sub(r"(?<=\)).*", "", paragraph)} if article else set()
    return found


def test_every_article_that_was_missed_has_a_row() -> None:
    rows = [line.split("|")[2] for line in TABLE.splitlines() if line.startswith("| R")]
    for act, asked in ASKED_FOR.items():
        cited = [
            citation.strip().removeprefix(act)
            for law in rows
            for citation in law.split(";")
            if citation.strip().startswith(act + " ") or citation.strip() == act
        ]
        assert cited, act
        missed = set(asked.split()) - set().union(*map(articles, cited))
        assert not missed, (act, missed)
