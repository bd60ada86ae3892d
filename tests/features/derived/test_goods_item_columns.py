"""What `features/derived/goods_item.py` makes of a goods item."""

from typing import Any

import pytest

from features.engine.columns import instant_at, instant_us
from features.field_types import BEFORE_ALL
from tests.features.derived.columns import check_of_linked
from tests.features.families.facts import (
    Fact,
    each,
    earlier_shipment,
    inspected,
    shipment,
    table,
)

TEN = [
    *inspected(earlier_shipment(hs_code="890322")),
    *(
        record
        for _ in range(9)
        for record in inspected(earlier_shipment(hs_code="100610"), "not_confirmed")
    ),
]

shipments = table(shipment, globals())

FACTS = {
    "subject_id": shipments("""
        its shipment | ["S"] | goods_item()
    """),
    "known_at": shipments("""
        of the declaration | [BEFORE_ALL] | goods_item()
        known later | [before(days=1)] | goods_item(known_at=before(days=1))
        a moment before | [DECLARED - MOMENT] | goods_item(known_at=DECLARED - MOMENT)
        with the declaration, not before | [] | goods_item(known_at=DECLARED)
    """),
    "record_id": shipments("""
        its number | [3.0] | goods_item(3)
        in the order of numbers | [1.0, 2.0] | goods_item(2), goods_item(1)
    """),
    "chapter": shipments("""
        of ten digits | ["89"] | goods_item(commodity_code="8903100000")
        of six | ["10"] | goods_item(commodity_code="100630")
    """),
    "origin_country": shipments("""
        as stated | ["TR"] | goods_item(origin_country="TR")
        not stated | [None] | goods_item()
    """),
    "gross_mass_g": shipments("""
        in whole grams | [1234.0] | goods_item(gross_mass_kg=1.2344)
        not stated | [MISSING] | goods_item()
    """),
    "has_no_gross_mass": shipments("""
        stated | [0.0] | goods_item(gross_mass_kg=0.0)
        not stated | [1.0] | goods_item(net_mass_kg=2.0)
    """),
    "value_eur_cents": shipments("""
        euro | [1050.0] | goods_item(value=10.5, currency="EUR")
        at the rate of the declaration's month | [100.0] |
            goods_item(value=USD_PER_EUR, currency="USD")
        not stated | [MISSING] | goods_item()
    """),
    "has_no_value": shipments("""
        stated | [0.0] | goods_item(value=0.0, currency="EUR")
        in a currency without a rate | [1.0] | goods_item(value=1.0, currency="XPF")
        not stated | [1.0] | goods_item()
    """),
    "packages": shipments("""
        as stated | [4.0] | goods_item(packages=4)
        not stated | [MISSING] | goods_item()
    """),
    "has_no_packages": shipments("""
        none of its own | [0.0] | goods_item(packages=0)
        not stated | [1.0] | goods_item()
    """),
    "boat_equipment_eur_cents": shipments("""
        a boat | [1050.0] | goods_item(value=10.5, currency="EUR")
        rice | [0.0] | goods_item(commodity_code="100630", value=10.5, currency="EUR")
        a boat without a value | [MISSING] | goods_item()
    """),
    "unit_value_micro_eur_per_kg": shipments("""
        by net mass | [2e6] | goods_item(value=4.0, currency="EUR", net_mass_kg=2.0)
        by gross mass without net | [2e6] |
            goods_item(value=4.0, currency="EUR", gross_mass_kg=2.0, net_mass_kg=0.0)
        at most a billion | [1e15] | goods_item(value=1e12, currency="EUR", net_mass_kg=1e-6)
        no mass | [MISSING] | goods_item(value=4.0, currency="EUR")
    """),
    "is_of_other_goods": shipments("""
        fits | [0.0] | goods_item(description="inflatable boats")
        does not fit | [1.0] | goods_item(description="Cartons of corrugated paper")
        no description | [MISSING] | goods_item()
    """),
    # Ten inspections, of which one confirmed something: eight more at that rate stand beside those
    # of a heading. Of 8903 (1 + 0.8) / (1 + 8), of 1006 (0 + 0.8) / (9 + 8).
    "heading_confirmed_ppm": shipments("""
        of its first four digits | [2e5] | goods_item(commodity_code="890399"), TEN
        of more digits | [47_059.0] | goods_item(commodity_code="1006309900"), TEN
        nothing of its heading | [MISSING] | goods_item(commodity_code="610910"), TEN
        nothing at all | [MISSING] | goods_item()
        each its own | [2e5, 47_059.0] | goods_item(2, commodity_code="100630"),
            goods_item(1, commodity_code="890310"), TEN
    """),
    "is_of_uninspected_heading": shipments("""
        inspected | [0.0] | goods_item(commodity_code="100630"), TEN
        not inspected | [1.0] | goods_item(commodity_code="610910"), TEN
    """),
}


@pytest.mark.parametrize(("column", "facts"), each(FACTS))
def test_a_column_is_what_its_meaning_says(column: str, facts: list[Fact]) -> Any:
    check_of_linked("goods_items", column, facts)


def test_the_earliest_instant_is_one_that_columns_can_hold() -> None:
    assert instant_at(instant_us(BEFORE_ALL)) == BEFORE_ALL
