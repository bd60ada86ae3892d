"""What the features of `features/families/consignee_habits.py` make of small stories."""

from functools import partial

import pytest

from tests.features.families.facts import (
    MISSING,
    Fact,
    Row,
    check,
    each,
    earlier_shipment,
    shipment,
    table,
)
from tests.features.families.windowed import facts_of_window, shipment_declared

CONSIGNEE = {"consignee_id": "consignee"}
OTHER_CONSIGNEE = {"consignee": {"consignee_id": "another"}}


def facts_of_share(habit: Row, other: Row) -> list[Fact]:
    """Of the share of what a consignee received before that equals this one in its `habit`."""
    alike, unlike = earlier_shipment(**habit), earlier_shipment(**other)
    return [
        shipment("3 of 4", 3 / 4, *(earlier_shipment(**habit) for _ in range(3)), unlike, **habit),
        shipment("1 of 3", 1 / 3, alike, unlike, earlier_shipment(**other), **habit),
        shipment("none of 1", 0 / 1, unlike, **habit),
        shipment("all of 2", 2 / 2, alike, earlier_shipment(**habit), **habit),
        shipment("a consignee never seen before", MISSING, **habit),
        shipment(
            "the habit of another consignee",
            MISSING,
            earlier_shipment(**habit, consignee_id="another"),
            **habit,
        ),
        *facts_of_window(
            2 / 3,
            1 / 2,
            alike,
            unlike,
            key=CONSIGNEE,
            others=OTHER_CONSIGNEE,
            event=partial(shipment_declared, **habit),
            named="one alike",
            **habit,
        ),
        *facts_of_window(
            1 / 3,
            1 / 2,
            alike,
            unlike,
            key=CONSIGNEE,
            others=OTHER_CONSIGNEE,
            event=partial(shipment_declared, **other),
            named="one unlike",
            **habit,
        ),
    ]


def facts_of_optional(column: str, not_named: str) -> list[Fact]:
    """Of the same share, of a column that may be empty."""
    habit: Row = {column: "usual"}
    return [
        *facts_of_share(habit, {column: "another"}),
        shipment(not_named, MISSING, earlier_shipment(**habit)),
        shipment(f"{not_named}, then or now", MISSING, earlier_shipment()),
        shipment(
            f"{not_named} in one of two before",
            1 / 2,
            earlier_shipment(**habit),
            earlier_shipment(),
            **habit,
        ),
    ]


shipments = table(shipment, globals())

FACTS = {
    "declarant_of_consignee_ratio": facts_of_optional("declarant_id", "no declarant is named"),
    "forwarder_of_consignee_ratio": facts_of_optional("forwarder_id", "no forwarder is named"),
    "office_of_consignee_ratio": facts_of_optional("office_id", "no office is named"),
    "goods_of_consignee_ratio": [
        *facts_of_share({"hs_code": "890310"}, {"hs_code": "890410"}),
        *shipments("""
            another code of the heading is such goods | 1 / 1 | earlier_shipment(hs_code="890399")
            the chapter alone is not enough | 0 / 1 | earlier_shipment(hs_code="890200")
        """),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
