"""The table of rights is held to the code: a row that loses its place or its test fails here."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROWS = {
    found[1]: (found[2], found[3])
    for found in re.finditer(
        r"^\| (R\d\d) \|[^|]*\| ([^|]*) \| ?([^|]*)\|$",
        (ROOT / "docs" / "rights.md").read_text(),
        re.MULTILINE,
    )
}


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_no_right_is_left_out() -> None:
    assert list(ROWS) == [f"R{number:02}" for number in range(1, 37)]


def test_every_place_that_is_named_exists() -> None:
    for right, (where, _) in ROWS.items():
        for place in named(where):
            assert (ROOT / place).exists(), (right, place)


def test_every_right_is_met_by_a_test_that_exists_or_says_that_it_is_open() -> None:
    for right, (where, tests) in ROWS.items():
        assert bool(named(tests)) != (where == "open"), right
        for test in named(tests):
            file, _, name = test.partition("::")
            assert f"def {name}(" in (ROOT / file).read_text(), (right, test)
