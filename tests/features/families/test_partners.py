"""What the features of `features/families/partners.py` make of small stories."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    before,
    both,
    check,
    each,
    earlier_journey,
    earlier_shipment,
    payment,
    route,
    shipment,
    table,
)


def declared(at: datetime, **fields: Any) -> Record:
    """An earlier consignment of the same parties, declared at an instant."""
    return earlier_shipment(declared_at=at, **fields)


def travelled(at: datetime, **fields: Any) -> Record:
    """An earlier journey of the same carrier, declared at an instant."""
    return earlier_journey(declared_at=at, **fields)


def paid(at: datetime, **fields: Any) -> Record:
    """A payment between the same two for another movement, known at an instant."""
    return payment(known_at=at, **{"subject_id": "another"} | fields)


def facts_of_growth(
    fact: Callable[..., Any], event: Callable[..., Record], key: str, *own: Record
) -> list[Fact]:
    """Of events of 30 days by the mean of five months before; `own` are two more of 30 days."""
    month, edge = before(days=30), before(days=180)

    def case(says: str, expected: float | None, *events: Record) -> list[Fact]:
        made = fact(says, expected, *own, *events)
        return [made] if isinstance(made, Fact) else [*made]

    def events(number: int, at: datetime, **fields: Any) -> list[Record]:
        return [event(at, **fields) for _ in range(number)]

    two = [] if own else events(2, before(days=1))
    facts = [
        case("nothing before", MISSING, *two),
        case("two in the month, five before", 2.0, *two, *events(5, before(days=100))),
        case("twenty before", 0.5, *two, *events(20, before(days=100))),
        case("another in the month", 3.0, *two, *events(1, month), *events(5, before(days=100))),
        case("a moment before it", 10 / 6, *two, *events(6, month - MOMENT)),
        case("180 days before", 10.0, *two, *events(1, edge)),
        case("a moment more", MISSING, *two, *events(1, edge - MOMENT)),
        case("of others", MISSING, *two, *events(5, before(days=100), **{key: "another"})),
        case(
            "at the declaration itself",
            2.0,
            *two,
            *events(5, before(days=100)),
            *events(3, DECLARED),
        ),
    ]
    return [one for each_case in facts for one in each_case]


shipments = table(shipment, globals())
OWN = [payment(), payment()]

FACTS = {
    "consignee_consignors_180d": shipments("""
        none | 0.0
        two, one of them twice | 2.0 | earlier_shipment(), earlier_shipment(),
            earlier_shipment(consignor_id="A")
        of another consignee | 0.0 | earlier_shipment(consignee_id="A")
        180 days before | 1.0 | declared(before(days=180))
        a moment more | 0.0 | declared(before(days=180) - MOMENT)
        at the same instant | 0.0 | declared(DECLARED)
    """),
    "consignor_consignees_180d": shipments("""
        none | 0.0
        two, one of them twice | 2.0 | earlier_shipment(), earlier_shipment(),
            earlier_shipment(consignee_id="A")
        of another consignor | 0.0 | earlier_shipment(consignor_id="A")
        180 days before | 1.0 | declared(before(days=180))
        a moment more | 0.0 | declared(before(days=180) - MOMENT)
        at the same instant | 0.0 | declared(DECLARED)
    """),
    "payee_payments_growth_ratio_30d": [
        *facts_of_growth(both, paid, "payee_id", *OWN),
        *both("no payment", MISSING, paid(before(days=1)), paid(before(days=100))),
    ],
    "payer_payments_growth_ratio_30d": [
        *facts_of_growth(both, paid, "payer_id", *OWN),
        *both("no payment", MISSING, paid(before(days=1)), paid(before(days=100))),
    ],
    "consignee_shipments_growth_ratio_30d": facts_of_growth(shipment, declared, "consignee_id"),
    "consignor_shipments_growth_ratio_30d": facts_of_growth(shipment, declared, "consignor_id"),
    "carrier_journeys_growth_ratio_30d": facts_of_growth(route, travelled, "carrier_id"),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
