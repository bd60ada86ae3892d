"""What the features of `features/families/item_outcomes.py` make of small stories."""

from datetime import datetime
from typing import Any

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    after,
    before,
    check,
    each,
    earlier_shipment,
    goods_item,
    inspected,
    shipment,
    table,
)

BOAT, RICE, SHIRTS = "8903100000", "100630", "61091000"
NOTHING, FINDING = "not_confirmed", "confirmed"


def items(*codes: str, **fields: Any) -> list[Record]:
    """Goods items of these commodity codes."""
    return [goods_item(at, commodity_code=code, **fields) for at, code in enumerate(codes, 1)]


def found(hs_code: str, *results: str, **outcome: Any) -> list[Record]:
    """Earlier shipments of one goods code, and what was found of each."""
    return [
        record
        for result in results
        for record in inspected(earlier_shipment(hs_code=hs_code), result, **outcome)
    ]


def corrected(known_at: datetime) -> list[Record]:
    """A finding of which became known at an instant that it was none."""
    first = found("890310", FINDING)
    later = first[1].row | {"known_at": known_at, "result": NOTHING}
    return [*first, Record("outcomes", later)]


# Half of all four inspections confirmed something. Eight more at that rate stand beside those of a
# heading: (2 + 4) / (2 + 8) of boats, (0 + 4) / (2 + 8) of rice.
BOATS_CONFIRMED = [*found("890322", FINDING, FINDING), *found("100610", NOTHING, NOTHING)]

shipments = table(shipment, globals())

FACTS = {
    "riskiest_item_confirmed_rate": [
        shipment("planted: a boat among rice", 0.6, items(RICE, BOAT), BOATS_CONFIRMED),
        shipment(
            "whatever the whole is declared as", 0.6, items(BOAT), BOATS_CONFIRMED, hs_code="610910"
        ),
        shipment("innocent: rice", 0.4, items(RICE), BOATS_CONFIRMED),
        shipment("rice, and what nobody inspected", 0.4, items(SHIRTS, RICE), BOATS_CONFIRMED),
        shipment("nothing of such goods was inspected", MISSING, items(SHIRTS), BOATS_CONFIRMED),
        shipment("nothing was inspected", MISSING, items(BOAT)),
        shipment("no item", MISSING, BOATS_CONFIRMED),
        shipment(
            "the item became known since", MISSING, items(BOAT, known_at=DECLARED), BOATS_CONFIRMED
        ),
        shipment(
            "one finding alone is drawn to the rate of all",
            (1 + 8 * 1 / 5) / 9,
            items(BOAT),
            found("890310", FINDING),
            found("100630", *[NOTHING] * 4),
        ),
        shipment("no result yet", MISSING, items(BOAT), found("890310", "inconclusive")),
        shipment(
            "known a moment before",
            1.0,
            items(BOAT),
            found("890310", FINDING, known_at=DECLARED - MOMENT),
        ),
        shipment(
            "known at the declaration",
            MISSING,
            items(BOAT),
            found("890310", FINDING, known_at=DECLARED),
        ),
        shipment(
            "found long ago",
            1.0,
            items(BOAT),
            found("890310", FINDING, inspected_at=before(days=9_000), known_at=before(days=9_000)),
        ),
        shipment(
            "its own outcome",
            MISSING,
            items(BOAT),
            Record(
                "outcomes",
                {
                    "subject_kind": "shipment",
                    "subject_id": "S",
                    "selected_by": "random",
                    "inspected_at": before(days=1),
                    "known_at": before(hours=1),
                    "result": FINDING,
                },
            ),
        ),
        shipment(
            "a result that was corrected in time",
            0.0,
            items(BOAT),
            corrected(before(days=1)),
        ),
        shipment(
            "a result that was corrected since",
            1.0,
            items(BOAT),
            corrected(after(days=1)),
        ),
    ],
    "uninspected_item_count": shipments("""
        planted: two of three | 2.0 | items(BOAT, SHIRTS, "6110200000"), BOATS_CONFIRMED
        innocent: all are of goods that were | 0.0 | items(BOAT, RICE), BOATS_CONFIRMED
        nothing was inspected | 1.0 | items(BOAT)
        no item | MISSING | BOATS_CONFIRMED
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
