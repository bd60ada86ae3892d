"""What the features of `features/families/crossing_equipment.py` make of small stories."""

import pytest

from tests.features.families.facts import (
    Fact,
    check,
    each,
    earlier_shipment,
    shipment,
    table,
)
from tests.features.families.windowed import facts_of_window

BOAT, ENGINE, VESTS, PUMP, RICE = "890310", "840721", "630720", "841420", "100630"
CONSIGNEE = {"consignee_id": "consignee"}
ANOTHER = {"consignee": {"consignee_id": "another"}}

shipments = table(shipment, globals())

FACTS = {
    "is_first_boat_equipment": [
        *shipments("""
            planted: boats to a firm of kitchen ware | 1.0 | earlier_shipment(hs_code="732393")
            planted: life jackets, and nothing before | 1.0 | hs_code=VESTS
            innocent: a chandler receives boats again | 0.0 | earlier_shipment(hs_code=BOAT)
            innocent: engines after boats | 0.0 | earlier_shipment(hs_code=BOAT), hs_code=ENGINE
            innocent: rice | 0.0 | hs_code=RICE
        """),
        *facts_of_window(0.0, 1.0, key=CONSIGNEE, others=ANOTHER),
    ],
    "boat_equipment_kind_count_30d": [
        *shipments("""
            planted: boats, engines and life jackets in a month | 3.0 |
                *(earlier_shipment(hs_code=code) for code in (BOAT, ENGINE, VESTS)), hs_code=PUMP
            innocent: the same boats each week | 1.0 |
                *(earlier_shipment(declared_at=before(days=days)) for days in (7, 14, 21))
            innocent: rice and ware | 0.0 | earlier_shipment(hs_code=RICE)
            none before | 0.0
        """),
        *facts_of_window(
            2.0, 1.0, earlier_shipment(hs_code=ENGINE), days=30, key=CONSIGNEE, others=ANOTHER
        ),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
