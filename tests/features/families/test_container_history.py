"""What the features of `features/families/container_history.py` make of small stories."""

import pytest

from tests.features.families.facts import (
    MISSING,
    Fact,
    check,
    each,
    earlier_shipment,
    shipment,
)
from tests.features.families.windowed import facts_of_window

CONTAINER = {"container_number": "CSQU3054383"}
OTHER_CONTAINER = {"container": {"container_number": "MSKU1234565"}}

FACTS = {
    "container_shipments_30d": [
        shipment("never declared before", 0.0, **CONTAINER),
        shipment(
            "three for two consignees",
            3.0,
            earlier_shipment(**CONTAINER, consignee_id="A"),
            earlier_shipment(**CONTAINER, consignee_id="A"),
            earlier_shipment(**CONTAINER, consignee_id="B"),
            **CONTAINER,
        ),
        shipment(
            "the same number, written with blanks",
            1.0,
            earlier_shipment(container_number="CSQU 305438 3"),
            **CONTAINER,
            today=0.0,
        ),
        shipment("no container was declared", MISSING, earlier_shipment(**CONTAINER)),
        shipment("no container was declared, then or now", MISSING, earlier_shipment()),
        *facts_of_window(
            2.0, 1.0, earlier_shipment(**CONTAINER), days=30, key=CONTAINER, others=OTHER_CONTAINER
        ),
    ],
    "container_consignees_90d": [
        shipment("never declared before", 0.0, **CONTAINER),
        shipment(
            "two in three shipments",
            2.0,
            earlier_shipment(**CONTAINER, consignee_id="A"),
            earlier_shipment(**CONTAINER, consignee_id="A"),
            earlier_shipment(**CONTAINER, consignee_id="B", consignor_id="B"),
            **CONTAINER,
        ),
        shipment(
            "one, from three consignors and of three goods codes",
            1.0,
            earlier_shipment(**CONTAINER, consignor_id="A", hs_code="890310"),
            earlier_shipment(**CONTAINER, consignor_id="B", hs_code="890399"),
            earlier_shipment(**CONTAINER, consignor_id="C", hs_code="630720"),
            **CONTAINER,
        ),
        shipment(
            "its own consignee of before is one", 1.0, earlier_shipment(**CONTAINER), **CONTAINER
        ),
        shipment(
            "the same number, written with blanks",
            1.0,
            earlier_shipment(container_number="CSQU 305438 3"),
            **CONTAINER,
            today=0.0,
        ),
        shipment("no container was declared", MISSING, earlier_shipment(**CONTAINER)),
        shipment("no container was declared, then or now", MISSING, earlier_shipment()),
        *facts_of_window(
            2.0,
            1.0,
            earlier_shipment(**CONTAINER, consignee_id="A"),
            days=90,
            key=CONTAINER,
            others=OTHER_CONTAINER,
        ),
    ],
}


@pytest.mark.parametrize(("feature", "fact"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, fact: Fact) -> None:
    check(feature, fact)
