"""What the demonstration sends of a world after its declarations."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.replay_submissions import submissions_of
from serving.cli.demo_world import later_records
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

    sent = later_records(world, [first], late + timedelta(hours=1))

    assert own
    assert [one["transaction_id"] for one in sent["transactions"]] == [
        one["transaction_id"] for one in own
    ]
    assert later_records(world, [first], late)["transactions"] == []
    assert later_records(world, others[:1], late + timedelta(hours=1))["transactions"] == []
