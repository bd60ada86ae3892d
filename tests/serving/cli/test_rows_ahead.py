"""Commands over files name and count the rows that a service would refuse, and go on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from features.arrow_schema import INSTANT
from features.ingest.record_files import read_records, write_records
from serving.cli.rows_ahead import count_ahead, count_in_records, count_in_subjects
from tests.serving.bodies import shipment
from tests.serving.world import write_world

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def declared(*hours: float | None) -> pa.ChunkedArray:
    instants = [None if each is None else NOW + each * HOUR for each in hours]
    return pa.chunked_array([pa.array(instants, INSTANT)])


def test_rows_are_counted_from_more_than_two_hours_after_the_clock_and_the_first_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hours = [-24, 2, 2.001, None, *[48] * 6]

    counted = count_ahead(Path("shipments.csv"), declared(*hours), NOW)

    said = " ".join(capsys.readouterr().err.split())
    assert counted == {"count": 7, "first_rows": [3, 5, 6, 7, 8]}
    assert "7 declared more than 2 hours after this machine's clock" in said
    assert "2026-11-24T12:00:00Z: row 3, 5, 6, 7, 8 and 2 more" in said


def test_nothing_is_said_where_all_were_declared_before(capsys: pytest.CaptureFixture[str]) -> None:
    assert count_ahead(Path("any"), declared(-1, 0, 2), NOW) == {"count": 0, "first_rows": []}
    assert capsys.readouterr().err == ""


def test_declarations_of_each_type_are_counted_in_record_files(tmp_path: Path) -> None:
    write_world(folder := tmp_path / "records")
    shipments = read_records(folder, "shipments")
    at = shipments.column_names.index("declared_at")
    instants = shipments["declared_at"].to_pylist()
    changed = [NOW + 3 * HOUR, *(each.replace(year=2020) for each in instants[1:])]
    write_records(
        folder, "shipments", shipments.set_column(at, "declared_at", pa.array(changed, INSTANT))
    )

    counted = count_in_records(folder, NOW)

    assert counted["shipments"] == {"count": 1, "first_rows": [1]}
    assert counted.keys() == {"shipments", "journeys"}


def test_lines_of_submissions_are_counted_with_the_blank_ones(tmp_path: Path) -> None:
    file = tmp_path / "asked.ndjson"
    late = shipment(declared_at=(NOW + 3 * HOUR).isoformat(), shipment_id="S-2")
    file.write_text(f"{json.dumps(shipment())}\n\n{json.dumps(late)}\n")

    assert count_in_subjects(file, "shipment", NOW) == {"count": 1, "first_rows": [3]}
