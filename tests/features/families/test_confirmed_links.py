"""What the features of `features/families/confirmed_links.py` make of small stories."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.features.families.facts import (
    DECLARED,
    MOMENT,
    Fact,
    Record,
    Row,
    before,
    both,
    check,
    each,
    earlier_journey,
    earlier_shipment,
    inspected,
    journey,
    payment,
    route,
    shipment,
    table,
)

LATELY, A_YEAR_AGO = before(days=5), before(days=365)
NO = "not_confirmed"


def found(result: str = "confirmed", known_at: Any = LATELY, **fields: Any) -> Any:
    """An earlier consignment of a year ago, and what its inspection found."""
    of = earlier_shipment(**{"declared_at": A_YEAR_AGO} | fields)
    return inspected(of, result, known_at=known_at)


def found_on_journey(result: str = "confirmed", known_at: Any = LATELY, **fields: Any) -> Any:
    """An earlier journey of a year ago, and what its inspection found."""
    of = earlier_journey(**{"declared_at": A_YEAR_AGO} | fields)
    return inspected(of, result, known_at=known_at)


def paid_for(result: str = "confirmed", known_at: Any = LATELY, **fields: Any) -> Any:
    """An earlier consignment, what its inspection found, and a payment for it."""
    subject, outcome = found(result, known_at)
    own = {"subject_kind": "shipment", "subject_id": subject.row["shipment_id"]}
    own |= {"known_at": A_YEAR_AGO}
    return subject, outcome, payment(**own | fields)


def paid_for_journey(**fields: Any) -> tuple[Record, ...]:
    """An earlier journey that was confirmed, and a payment for it."""
    subject, outcome = found_on_journey()
    own = {"subject_kind": "route", "subject_id": subject.row["journey_id"]}
    return subject, outcome, payment(**own | fields)


def brought(on: str = "conveyance", **outcome: Any) -> tuple[Record, ...]:
    """An earlier consignment on an earlier journey of a conveyance, and what was found in it."""
    carrying = earlier_journey(conveyance_id=on, declared_at=A_YEAR_AGO - MOMENT)
    return carrying, *found(journey_id=carrying.row["journey_id"], **outcome)


def facts_of(
    fact: Callable[..., Any], make: Callable[..., Any], key: Row, *around: Any, **own: Any
) -> list[Fact]:
    """Of the confirmed ones of 90 days with this key, which `make` makes."""

    def case(says: str, expected: float | None, *records: Any) -> list[Fact]:
        made = fact(says, expected, *around, *records, **own)
        return [made] if isinstance(made, Fact) else [*made]

    other = dict.fromkeys(key, "another")
    facts = [
        case("none", 0.0),
        case("one", 1.0, *make(**key)),
        case("two, among others", 2.0, *make(**key), *make(**key), *make(NO, **key)),
        case("nothing was found", 0.0, *make(NO, **key)),
        case("papers alone were looked at", 0.0, *make("documents_irregular", **key)),
        case("of others", 0.0, *make(**other)),
        case("known 90 days before", 1.0, *make(known_at=before(days=90), **key)),
        case("a moment more", 0.0, *make(known_at=before(days=90) - MOMENT, **key)),
        case("known a moment before", 1.0, *make(known_at=DECLARED - MOMENT, **key)),
        case("known at the declaration", 0.0, *make(known_at=DECLARED, **key)),
    ]
    return [one for each_case in facts for one in each_case]


of_both = table(both, globals())
routes = table(route, globals())
shipments = table(shipment, globals())
BROUGHT = {"journey_id": "J"}

FACTS = {
    "payer_confirmed_count_90d": [
        *facts_of(both, paid_for, {"payer_id": "payer"}, payment()),
        *of_both("""
            a journey and a consignment | 2.0 | payment(), *paid_for(), *paid_for_journey()
            two payments for one movement | 1.0 | payment(), *(twice := paid_for()),
                payment(**twice[-1].row | {"transaction_id": "T-again"})
            its payee was paid for it by another | 0.0 | payment(), *paid_for(payer_id="A")
            no payment | MISSING | *paid_for()
        """),
    ],
    "payee_confirmed_count_90d": [
        *facts_of(both, paid_for, {"payee_id": "payee"}, payment()),
        *of_both("""
            a journey and a consignment | 2.0 | payment(), *paid_for(), *paid_for_journey()
            its payer paid another for it | 0.0 | payment(), *paid_for(payee_id="A")
            no payment | MISSING | *paid_for()
        """),
    ],
    "conveyance_confirmed_count_90d": [
        *facts_of(route, found_on_journey, {"conveyance_id": "conveyance"}),
        *routes("""
            what it brought | 1.0 | *brought()
            a journey, and what it brought on another | 2.0 | *found_on_journey(), *brought()
            what another brought | 0.0 | *brought("another")
            nothing was found in what it brought | 0.0 | *brought(result=NO)
            what it brought, known long ago | 0.0 | *brought(known_at=before(days=91))
        """),
    ],
    "journey_conveyance_confirmed_count_90d": [
        *facts_of(
            shipment, found_on_journey, {"conveyance_id": "conveyance"}, journey(), **BROUGHT
        ),
        *shipments("""
            what it brought | 1.0 | journey(), *brought(), **BROUGHT
            a journey, and what it brought on another | 2.0 | journey(), *found_on_journey(),
                *brought(), **BROUGHT
            what another brought | 0.0 | journey(), *brought("another"), **BROUGHT
            what it brought, known long ago | 0.0 | journey(), *brought(known_at=before(days=91)),
                **BROUGHT
            its journey is declared as it is | MISSING | journey(declared_at=DECLARED),
                *found_on_journey(), **BROUGHT
            it names no journey | MISSING | journey(), *found_on_journey()
        """),
    ],
    "carrier_confirmed_count_90d": facts_of(route, found_on_journey, {"carrier_id": "carrier"}),
    "container_confirmed_count_90d": [
        *facts_of(shipment, found, {"container_number": "C"}, container_number="C"),
        *shipments("no container | MISSING | *found(container_number='C')"),
    ],
    "consignor_confirmed_count_90d": facts_of(shipment, found, {"consignor_id": "consignor"}),
    "consignee_confirmed_count_90d": facts_of(shipment, found, {"consignee_id": "consignee"}),
    "forwarder_confirmed_consignees_180d": shipments("""
        none | 0.0 | forwarder_id="F"
        one consignee, twice | 1.0 | *found(forwarder_id="F"), *found(forwarder_id="F"),
            forwarder_id="F"
        two consignees | 2.0 | *found(forwarder_id="F"), *found(forwarder_id="F", consignee_id="A"),
            forwarder_id="F"
        nothing was found | 0.0 | *found(NO, forwarder_id="F"), forwarder_id="F"
        by another forwarder | 0.0 | *found(forwarder_id="G"), forwarder_id="F"
        known 180 days before | 1.0 | *found(forwarder_id="F", known_at=before(days=180)),
            forwarder_id="F"
        a moment more | 0.0 | *found(forwarder_id="F", known_at=before(days=180) - MOMENT),
            forwarder_id="F"
        known at the declaration | 0.0 | *found(forwarder_id="F", known_at=DECLARED),
            forwarder_id="F"
        no forwarder is named | MISSING | *found(forwarder_id="F")
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
