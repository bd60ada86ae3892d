"""What the features of `features/families/container_history.py` make of small stories."""

from functools import partial
from typing import Any

import pytest

from tests.features.families.facts import (
    Fact,
    Record,
    Row,
    check,
    each,
    earlier_shipment,
    shipment,
    table,
)
from tests.features.families.windowed import facts_of_window, shipment_declared

CONTAINER = {"container_number": "CSQU3054383"}
OTHER_CONTAINER = {"container": {"container_number": "MSKU1234565"}}

ON_J: Row = {**CONTAINER, "journey_id": "J"}


def on(journey_id: str | None, consignee_id: str = "A", **fields: Any) -> Record:
    """An earlier consignment in the container, on a journey."""
    own = CONTAINER | {"journey_id": journey_id, "consignee_id": consignee_id}
    return earlier_shipment(**own | fields)


GROUPAGE = [on("J", consignee) for consignee in "ABCDE"]
"""What shares the container with the subject on its journey."""

shipments = table(shipment, globals())

FACTS = {
    "container_journeys_30d": [
        *shipments("""
            never declared before | 0.0 | **ON_J
            one other journey | 1.0 | on("K"), **ON_J
            three on two other journeys | 2.0 | on("K"), on("K", "B"), on("L"), **ON_J
            groupage on one journey is no other journey | 0.0 | *GROUPAGE, **ON_J
            groupage, and another journey | 1.0 | *GROUPAGE, on("K"), **ON_J
            its own journey is not named | 2.0 | on("K"), on("L"), **CONTAINER
            another's journey is not named | 0.0 | on(None), **ON_J
            the same number, written with blanks | 1.0 | on("K", container_number="CSQU 305438 3"),
                **ON_J, today=0.0
            no container was declared | MISSING | on("K"), journey_id="J"
            no container was declared, then or now | MISSING | earlier_shipment()
        """),
        *facts_of_window(
            2.0,
            1.0,
            on("K"),
            days=30,
            key=CONTAINER,
            others=OTHER_CONTAINER,
            event=partial(shipment_declared, journey_id="L"),
        ),
    ],
    "container_consignees_90d": [
        *shipments("""
            never declared before | 0.0 | **ON_J
            two on another journey | 2.0 | on("K"), on("K"), on("K", "B"), **ON_J
            two on two | 2.0 | on("K"), on("L", "B"), **ON_J
            groupage on its journey passes through no hands | 0.0 | *GROUPAGE, **ON_J
            groupage, and another before | 1.0 | *GROUPAGE, on("K", "F"), **ON_J
            one of the groupage had it before | 0.0 | *GROUPAGE, on("K", "A"), **ON_J
            one, from three consignors and of three goods codes | 1.0 |
                on("K", consignor_id="A", hs_code="890310"),
                on("K", consignor_id="B", hs_code="890399"),
                on("K", consignor_id="C", hs_code="630720"), **ON_J
            its own consignee of before is one | 1.0 | on("K", "consignee"), **ON_J
            its journey is not named | 2.0 | on("J"), on("K", "B"), **CONTAINER
            the same number, written with blanks | 1.0 | on("K", container_number="CSQU 305438 3"),
                **ON_J, today=0.0
            no container was declared | MISSING | on("K"), journey_id="J"
            no container was declared, then or now | MISSING | earlier_shipment()
        """),
        *facts_of_window(2.0, 1.0, on("K"), days=90, key=CONTAINER, others=OTHER_CONTAINER),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
