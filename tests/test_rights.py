"""The table of rights is held to the code: a row that loses its place or its test fails here."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = (ROOT / "docs" / "rights.md").read_text()
ROWS = {
    found[1]: (found[2], found[3])
    for found in re.finditer(
        r"^\| (R\d\d) \|(?:[^|]+\|){4} ([^|]*) \| ?([^|]*)\|$",
        TABLE,
        re.MULTILINE,
    )
}


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_no_right_is_left_out() -> None:
    assert list(ROWS) == [f"R{number:02}" for number in range(1, 61)]


def test_every_place_that_is_named_exists() -> None:
    for right, (where, _) in ROWS.items():
        for place in named(where):
            assert (ROOT / place).exists(), (right, place)


def test_every_right_is_met_by_a_test_that_exists_or_says_that_it_is_open() -> None:
    for right, (where, tests) in ROWS.items():
        assert bool(named(tests)) != (where in ("open", "the deployer")), right
        for test in named(tests):
            file, _, name = test.partition("::")
            assert f"def {name}(" in (ROOT / file).read_text(), (right, test)


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
    law = (ROOT / "docs" / "law.md").read_text().splitlines()
    acts = [line.split("|")[1].strip() for line in law if line.startswith("| ")]
    for line in TABLE.splitlines():
        if line.startswith("| R"):
            for cited in line.split("|")[2].split(";"):
                assert any(cited.strip().startswith(act) for act in acts if act), cited
    for line in law:
        if line.startswith("| ") and not line.startswith("| act"):
            assert re.search(r"read on \d{4}-\d\d-\d\d|not re-read", line), line
