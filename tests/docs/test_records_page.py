"""The page of records is the one that the records make."""

import re

from features.records import RECORD_FILES
from tests.docs.records_page import ELEMENTS, PAGE, WCO, page


def test_the_page_of_records_is_the_one_that_the_records_make() -> None:
    assert PAGE.read_text() == page()


def test_every_field_that_has_an_element_of_a_customs_model_is_a_field() -> None:
    for name, field in ELEMENTS | WCO:
        assert field in RECORD_FILES[name].model_fields


def test_elements_are_written_alike_and_no_cell_is_empty() -> None:
    numbers = re.compile(r"((CN |TARIC |transport documents )?\d\d \d\d \d{3} \d{3}(, )?)+")
    assert [each for each in ELEMENTS.values() if not numbers.fullmatch(each)] == []
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert [row for row in rows if any(not cell.strip() for cell in row.split(" | ")[5:])] == []


def test_every_field_has_an_example() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]

    assert len(rows) == sum(len(record.model_fields) for record in RECORD_FILES.values())
    assert [row for row in rows if not row.split(" | ")[4].strip()] == []
