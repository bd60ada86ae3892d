"""Each limit says where its rule was read and when, or that nobody re-read it."""

import csv
import re
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[3] / "features" / "reference"


@pytest.mark.parametrize("table", ["de_minimis.csv", "reporting_limits.csv"])
def test_a_limit_says_where_and_when_its_rule_was_read_or_that_it_was_not(table: str) -> None:
    with (REFERENCE / table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert rows
    for row in rows:
        assert row["rule"], row
        assert re.match(r"\d{4}-\d\d-\d\d, \S|not re-read($|; \S)", row["read"]), row
