"""From when rows of record files are known, for whoever keeps or erases some of them."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from features.arrow_schema import arrow_schema
from features.ingest.known_since import known_since
from features.records import GoodsItem, Leg, Shipment

DECLARED, LATER = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)


def table(record: type[Any], *rows: dict[str, Any]) -> pa.Table:
    schema = pa.schema(field.with_nullable(True) for field in arrow_schema(record))
    return pa.Table.from_pylist([*rows], schema)


def test_an_item_of_a_declaration_is_known_with_its_shipment() -> None:
    items = table(
        GoodsItem,
        {"shipment_id": "S-2"},
        {"shipment_id": "S-1"},
        {"shipment_id": "S-1", "known_at": LATER},
        {"shipment_id": "S-gone"},
    )
    shipments = table(
        Shipment,
        {"shipment_id": "S-1", "declared_at": DECLARED},
        {"shipment_id": "S-2", "declared_at": LATER},
    )

    since = known_since("goods_items", items, lambda: shipments)

    assert since.to_pylist() == [LATER, DECLARED, LATER, None]


def test_a_planned_leg_is_known_from_no_instant_and_no_shipment_is_looked_at() -> None:
    legs = table(Leg, {"journey_id": "J-1"}, {"journey_id": "J-1", "known_at": LATER})

    assert known_since("legs", legs, lambda: pa.table({})).to_pylist() == [None, LATER]
