"""Rows that break the contract are set aside whole, with their place and what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from features.errors import RecordsError
from features.ingest.quarantine import REPORT, set_aside
from features.ingest.record_files import read_records
from features.ingest.record_summary import summary_of
from tests.features.ingest.test_record_files import NOON, payment, written

GOOD, BAD = payment(1), payment(2, amount=-5.0, method="barter")
CSV_HEADER = ",".join(GOOD)
CSV_LINE = "T-{},shipment,S-1,p1,p2,{},EUR,cash,2026-01-02T12:00:00Z,2026-01-02T12:00:00Z"


def aside(quarantine: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (quarantine / f"{name}.ndjson").read_text().splitlines()]


def test_wrong_rows_are_set_aside_and_the_others_used(tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    written(records, [GOOD, BAD, payment(3)])

    with set_aside(records, tmp_path / "aside") as usable:
        ids = read_records(usable, "transactions")["transaction_id"].to_pylist()
        summary = summary_of(usable)

    assert ids == ["T-1", "T-3"]
    (row,) = aside(tmp_path / "aside", "transactions")
    assert row["row"] == 2
    assert row["why"][0] == "amount: is below 0"
    assert row["record"]["method"] == "barter"
    report = json.loads((tmp_path / "aside" / REPORT).read_text())
    assert [(fault["column"], fault["rows"]) for fault in report["faults"]] == [
        ("amount", 1),
        ("method", 1),
    ]
    assert summary["transactions"]["rows"] == 2
    assert summary["set_aside"][0] == {
        "record_type": "transactions",
        "column": "amount",
        "what": "is below 0",
        "rows": 1,
    }


@pytest.mark.parametrize("ending", [".csv", ".ndjson"])
def test_a_row_that_cannot_be_read_is_set_aside_as_it_stood(ending: str, tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    lines = [CSV_LINE.format(1, 10), CSV_LINE.format(2, "ten"), CSV_LINE.format(3, 10)]
    if ending == ".csv":
        text = "\n".join([CSV_HEADER, *lines])
    else:
        names = CSV_HEADER.split(",")
        rows = [dict(zip(names, line.split(","), strict=True)) for line in lines]
        for row in rows:
            row["amount"] = 10 if row["amount"] == "10" else row["amount"]
        text = "\n".join(map(json.dumps, rows))
    (records / f"transactions{ending}").write_text(text + "\n")

    with set_aside(records, tmp_path / "aside") as usable:
        assert len(read_records(usable, "transactions")) == 2

    (row,) = aside(tmp_path / "aside", "transactions")
    assert (row["row"], row["record"]["amount"]) == (2, "ten")
    assert len(row["why"]) == 1


def test_a_folder_without_a_fault_is_used_as_it_is(tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    written(records, [GOOD])

    with set_aside(records, tmp_path / "aside") as usable:
        assert (usable / "transactions.parquet").resolve() == records / "transactions.parquet"

    assert json.loads((tmp_path / "aside" / REPORT).read_text()) == {"faults": []}


@pytest.mark.parametrize(
    "row", [payment(1, payer_surname="Roe"), {**GOOD, "known_at": NOON.replace(tzinfo=None)}]
)
def test_what_is_no_fault_of_a_row_still_stops_everything(
    row: dict[str, Any], tmp_path: Path
) -> None:
    records = tmp_path / "records"
    records.mkdir()
    written(records, [row])

    with pytest.raises(RecordsError), set_aside(records, tmp_path / "aside"):
        pass

    assert not (tmp_path / "aside").exists()


def test_a_line_about_a_person_is_not_kept_anywhere(tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    (records / "transactions.ndjson").write_text('{"payer_surname": "Roe"}\n')

    with pytest.raises(RecordsError) as told, set_aside(records, tmp_path / "aside"):
        pass

    assert str(told.value).endswith(
        "row 1: payer_surname would describe a person; Tidegate accepts no attribute of a person"
    )
    assert not (tmp_path / "aside").exists()
