"""What a scan of record files tells of their rows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.arrow_schema import arrow_schema
from features.engine.columns import instant_us
from features.engine.windows.lifetimes import FOREVER
from features.ingest.record_files import write_records
from features.records import Shipment
from features.spark.scan_records import Scan
from tests.agreement.streams import SHIPMENT

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def folder_of(folder: Path, *rows: dict[str, Any]) -> Path:
    schema = pa.schema(field.with_nullable(True) for field in arrow_schema(Shipment))
    whole = {**SHIPMENT, "declared_at": NOW, "version": 1, "withdrawn": False}
    folder.mkdir()
    write_records(folder, "shipments", pa.Table.from_pylist([whole | row for row in rows], schema))
    return folder


def ends(scan: Scan) -> Sequence[tuple[int, list[int], list[int]]]:
    """Of each split the place of its first row, its amended rows, and until when these count."""
    return [
        (split.first_row, split.amendments.rows.tolist(), split.amendments.until.tolist())
        for split in scan.splits()
        if split.amendments is not None
    ]


def test_a_version_that_is_added_ends_the_one_of_the_records(tmp_path: Path) -> None:
    later = NOW + timedelta(hours=1)
    records = folder_of(tmp_path / "records", {"shipment_id": "S0"}, {"shipment_id": "S1"})
    amending = {"shipment_id": "S1", "version": 2, "known_at": later}
    added = folder_of(tmp_path / "added", {"shipment_id": "S2"}, amending)
    fields = {"shipments": frozenset({"shipment_id"})}

    scan = Scan(records, fields, {}, {"shipments": "shipment_id"}, 1, added=added)

    assert ends(scan) == [(0, [1], [instant_us(later)]), (2, [3], [FOREVER])]
