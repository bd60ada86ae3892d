"""What `features/derived/goods_item.py` makes of a goods item."""

from typing import Any

import pytest

from features.engine.columns import instant_at, instant_us
from features.field_types import BEFORE_ALL
from tests.features.derived.columns import check_of_linked
from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    USD_PER_EUR,
    Fact,
    before,
    each,
    earlier_shipment,
    goods_item,
    inspected,
    shipment,
)

TEN = [
    *inspected(earlier_shipment(hs_code="890322")),
    *(
        record
        for _ in range(9)
        for record in inspected(earlier_shipment(hs_code="100610"), "not_confirmed")
    ),
]

FACTS = {
    "subject_id": [shipment("its shipment", ["S"], goods_item())],
    "known_at": [
        shipment("of the declaration", [BEFORE_ALL], goods_item()),
        shipment("known later", [before(days=1)], goods_item(known_at=before(days=1))),
        shipment("a moment before", [DECLARED - MOMENT], goods_item(known_at=DECLARED - MOMENT)),
        shipment("with the declaration, not before", [], goods_item(known_at=DECLARED)),
    ],
    "record_id": [
        shipment("its number", [3.0], goods_item(3)),
        shipment("in the order of numbers", [1.0, 2.0], goods_item(2), goods_item(1)),
    ],
    "chapter": [
        shipment("of ten digits", ["89"], goods_item(commodity_code="8903100000")),
        shipment("of six", ["10"], goods_item(commodity_code="100630")),
    ],
    "origin_country": [
        shipment("as stated", ["TR"], goods_item(origin_country="TR")),
        shipment("not stated", [None], goods_item()),
    ],
    "gross_mass_g": [
        shipment("in whole grams", [1234.0], goods_item(gross_mass_kg=1.2344)),
        shipment("not stated", [MISSING], goods_item()),
    ],
    "has_no_gross_mass": [
        shipment("stated", [0.0], goods_item(gross_mass_kg=0.0)),
        shipment("not stated", [1.0], goods_item(net_mass_kg=2.0)),
    ],
    "value_eur_cents": [
        shipment("euro", [1050.0], goods_item(value=10.5, currency="EUR")),
        shipment(
            "at the rate of the declaration's month",
            [100.0],
            goods_item(value=USD_PER_EUR, currency="USD"),
        ),
        shipment("not stated", [MISSING], goods_item()),
    ],
    "has_no_value": [
        shipment("stated", [0.0], goods_item(value=0.0, currency="EUR")),
        shipment("in a currency without a rate", [1.0], goods_item(value=1.0, currency="XPF")),
        shipment("not stated", [1.0], goods_item()),
    ],
    "packages": [
        shipment("as stated", [4.0], goods_item(packages=4)),
        shipment("not stated", [MISSING], goods_item()),
    ],
    "has_no_packages": [
        shipment("none of its own", [0.0], goods_item(packages=0)),
        shipment("not stated", [1.0], goods_item()),
    ],
    "boat_equipment_eur_cents": [
        shipment("a boat", [1050.0], goods_item(value=10.5, currency="EUR")),
        shipment("rice", [0.0], goods_item(commodity_code="100630", value=10.5, currency="EUR")),
        shipment("a boat without a value", [MISSING], goods_item()),
    ],
    "unit_value_micro_eur_per_kg": [
        shipment("by net mass", [2e6], goods_item(value=4.0, currency="EUR", net_mass_kg=2.0)),
        shipment(
            "by gross mass without net",
            [2e6],
            goods_item(value=4.0, currency="EUR", gross_mass_kg=2.0, net_mass_kg=0.0),
        ),
        shipment(
            "at most a billion", [1e15], goods_item(value=1e12, currency="EUR", net_mass_kg=1e-6)
        ),
        shipment("no mass", [MISSING], goods_item(value=4.0, currency="EUR")),
    ],
    "is_of_other_goods": [
        shipment("fits", [0.0], goods_item(description="inflatable boats")),
        shipment("does not fit", [1.0], goods_item(description="Cartons of corrugated paper")),
        shipment("no description", [MISSING], goods_item()),
    ],
    # Ten inspections, of which one confirmed something: eight more at that rate stand beside those
    # of a heading. Of 8903 (1 + 0.8) / (1 + 8), of 1006 (0 + 0.8) / (9 + 8).
    "heading_confirmed_ppm": [
        shipment("of its first four digits", [2e5], goods_item(commodity_code="890399"), TEN),
        shipment("of more digits", [47_059.0], goods_item(commodity_code="1006309900"), TEN),
        shipment("nothing of its heading", [MISSING], goods_item(commodity_code="610910"), TEN),
        shipment("nothing at all", [MISSING], goods_item()),
        shipment(
            "each its own",
            [2e5, 47_059.0],
            goods_item(2, commodity_code="100630"),
            goods_item(1, commodity_code="890310"),
            TEN,
        ),
    ],
    "is_of_uninspected_heading": [
        shipment("inspected", [0.0], goods_item(commodity_code="100630"), TEN),
        shipment("not inspected", [1.0], goods_item(commodity_code="610910"), TEN),
    ],
}


@pytest.mark.parametrize(("column", "facts"), each(FACTS))
def test_a_column_is_what_its_meaning_says(column: str, facts: list[Fact]) -> Any:
    check_of_linked("goods_items", column, facts)


def test_the_earliest_instant_is_one_that_columns_can_hold() -> None:
    assert instant_at(instant_us(BEFORE_ALL)) == BEFORE_ALL
