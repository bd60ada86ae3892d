"""What the demonstration sends of a world after its declarations."""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.ingest.record_files import read_records
from features.records import RECORD_FILES
from features.replay_submissions import submissions_of
from serving.cli.demo_world import bring_up_to, later_records
from tests.serving.world import write_world


def test_later_records_are_those_of_the_submitted_that_were_not_known_at_their_declarations(
    tmp_path: Path,
) -> None:
    world = tmp_path / "records"
    write_world(world)
    payments = pq.read_table(world / "transactions.parquet").to_pylist()
    first, *others = submissions_of(world, "shipment")
    late = first.declared_at + timedelta(hours=5)
    own = [one | {"known_at": late} for one in payments if one["subject_id"] == first.subject_id]
    foreign = [one for one in payments if one["subject_id"] != first.subject_id]
    schema = pq.read_schema(world / "transactions.parquet")
    pq.write_table(pa.Table.from_pylist([*own, *foreign], schema), world / "transactions.parquet")

    sent = later_records(world, [first])

    assert own
    assert [one["transaction_id"] for one in sent["transactions"]] == [
        one["transaction_id"] for one in own
    ]
    assert "transactions" not in later_records(world, others[:1])


ENDS = [
    "2024-02-29T12:00:00+00:00",
    "2025-03-30T01:30:00+00:00",
    "2025-10-26T01:30:00+00:00",
    "2025-12-31T23:59:59+00:00",
    "2026-01-01T00:00:00+00:00",
    "2026-11-30T23:59:59.999999+00:00",
    "2026-12-01T13:22:00+00:00",
]


@pytest.mark.parametrize("end", ENDS)
def test_a_world_is_moved_by_whole_days_and_ends_at_the_clock(tmp_path: Path, end: str) -> None:
    world, clock = tmp_path / "records", datetime.fromisoformat(end)
    write_world(world)
    before = declared_at(world)

    bring_up_to(world, clock)

    after = declared_at(world)
    (by,) = {at - before[shipment_id] for shipment_id, at in after.items()}
    assert by % timedelta(days=1) == timedelta(0)
    assert timedelta(0) <= max(before.values()) + by - clock < timedelta(days=1)
    assert after.keys() == {each for each, at in before.items() if at + by < clock}
    for name, record in RECORD_FILES.items():
        known = read_records(world, name)[record.known_from].drop_null().to_pylist()
        assert all(at < clock for at in known), name


def declared_at(world: Path) -> dict[str, datetime]:
    shipments = read_records(world, "shipments")
    ids, instants = shipments["shipment_id"].to_pylist(), shipments["declared_at"].to_pylist()
    return dict(zip(ids, instants, strict=True))
