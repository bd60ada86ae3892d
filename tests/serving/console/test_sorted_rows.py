"""Order of the rows of a whole table, as the heads of its columns ask for it."""

from dataclasses import dataclass

import pytest

from serving.console.pages import templates
from serving.console.sorted_rows import in_order


@dataclass(frozen=True)
class Row:
    name: str
    share: float | None
    secret: int = 0


ROWS = [Row("b", 0.5, 1), Row("c", None, 3), Row("a", 0.7, 2)]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("", "bca"),
        ("people.name", "abc"),
        ("-people.name", "cba"),
        ("people.share", "bac"),
        ("-people.share", "abc"),
        ("people.secret", "bca"),
        ("offices.name", "bca"),
    ],
)
def test_a_table_has_the_order_of_a_column_that_it_offers(sort: str, names: str) -> None:
    shown = in_order(ROWS, sort, "people", ["name", "share"])

    assert "".join(row.name for row in shown) == names


@pytest.mark.parametrize(
    ("sort", "state", "following"),
    [
        ("", "none", "-people.share"),
        ("-people.share", "descending", "people.share"),
        ("people.share", "ascending", "-people.share"),
    ],
)
def test_a_head_says_its_order_and_leads_to_the_other(
    sort: str, state: str, following: str
) -> None:
    sorts = templates.get_template("sorts.html").module.sorts  # type: ignore[attr-defined]  # a macro

    head = sorts("/x?office=1", sort, "people", "share", "Share", "number")

    assert f'aria-sort="{state}"' in head
    assert f'href="/x?office=1&amp;sort={following}#people"' in head
