"""Which outcome of a subject a training set keeps, where it has more than one."""

from itertools import permutations
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.arrow_schema import arrow_schema
from features.build_training_set import build_training_set
from features.ingest.record_files import write_records
from features.records import CONCLUSIVE, OF_DOCUMENTS, RECORD_FILES, Result
from tests.features.families.facts import before, earlier_shipment, inspected

SHIPMENT = earlier_shipment(shipment_id="S-1")
STRANGE = earlier_shipment(shipment_id="S-2")
FIRST_WORTH = ("confirmed", "inconclusive", "documents_in_order")


def kept(results: tuple[Result, ...], folder: Path, inspected_at: str | None = None) -> str:
    """The result that is kept of one shipment with these, each known a day after the other.

    Each of an inspection of its own, or all of one.
    """
    records = [SHIPMENT, inspected(STRANGE, "confirmed")[1]] + [
        inspected(SHIPMENT, result, inspected_at=inspected_at or at, known_at=at)[1]
        for result, at in zip(
            results, (before(days=8), before(days=7), before(days=6)), strict=False
        )
    ]
    (folder / "records").mkdir()
    for name, record in RECORD_FILES.items():
        rows = [each.row for each in records if each.file == name]
        schema = pa.schema(field.with_nullable(True) for field in arrow_schema(record))
        write_records(folder / "records", name, pa.Table.from_pylist(rows, schema))
    left_out = build_training_set(folder / "records", "shipment", folder / "built")
    assert left_out == 1, "of the shipment that the records do not hold"
    (row,) = pq.read_table(folder / "built/outcomes.parquet").to_pylist()
    return str(row["result"])


@pytest.mark.parametrize("results", [*permutations(FIRST_WORTH)])
def test_a_conclusive_outcome_comes_before_an_open_visit_and_that_before_documents(
    results: tuple[Result, ...], tmp_path: Path
) -> None:
    without_conclusion = tuple(result for result in results if result not in CONCLUSIVE)
    (tmp_path / "all").mkdir()
    (tmp_path / "open").mkdir()

    assert kept(results, tmp_path / "all") == "confirmed"
    assert kept(without_conclusion, tmp_path / "open") == "inconclusive"


def test_of_two_conclusive_outcomes_the_first_that_was_known_is_kept(tmp_path: Path) -> None:
    assert kept(("not_confirmed", "confirmed"), tmp_path) == "not_confirmed"
    assert set(get_args(Result)) == {
        *CONCLUSIVE,
        *OF_DOCUMENTS,
        "inconclusive",
        "other_offence",
    }


@pytest.mark.parametrize("results", [*permutations(("confirmed", "not_confirmed", "inconclusive"))])
def test_of_one_inspection_the_newest_outcome_counts_whatever_it_says(
    results: tuple[Result, ...], tmp_path: Path
) -> None:
    assert kept(results, tmp_path, inspected_at=before(days=9)) == results[-1]
