"""What the features of `features/families/pair_history.py` make of small stories."""

from typing import Any

import pytest

from tests.features.families.facts import (
    MOMENT,
    Fact,
    Record,
    before,
    both,
    check,
    each,
    earlier_journey,
    payment,
    route,
    shipment,
    shipment_alike_in,
    table,
)

FORWARDED = {"forwarder_id": "forwarder"}


def elsewhere(**fields: Any) -> Record:
    """A payment of the same payer to the same payee for another movement, known a day before."""
    return payment(**{"subject_id": "another"} | fields)


def brought(by: str = "carrier", **fields: Any) -> tuple[Record, Record]:
    """An earlier consignment to the same consignee, on an earlier journey of a carrier."""
    known = {"declared_at": before(days=10)} | fields
    on = earlier_journey(carrier_id=by, declared_at=known["declared_at"] - MOMENT)
    return on, shipment_alike_in("consignee_id", journey_id=on.row["journey_id"], **known)


def known(*parties: str) -> list[Record]:
    """Earlier consignments of each of these parties, one each, that share nothing else."""
    return [shipment_alike_in(party, **{party: party.removesuffix("_id")}) for party in parties]


def ago(**span: float) -> Record:
    """An earlier journey declared so long before."""
    return earlier_journey(declared_at=before(**span))


of_both = table(both, globals())
routes = table(route, globals())
shipments = table(shipment, globals())

FACTS = {
    "payer_payee_movement_count_365d": of_both("""
        only its own payment | 0.0 | payment()
        several instalments of its own | 0.0 | payment(), payment(), payment()
        one other movement | 1.0 | payment(), elsewhere()
        two payments for one other movement | 1.0 | payment(), elsewhere(), elsewhere()
        two other movements | 2.0 | payment(), elsewhere(), elsewhere(subject_id="third")
        for a shipment | 1.0 | payment(), elsewhere(subject_kind="shipment")
        for a route | 1.0 | payment(), elsewhere(subject_kind="route")
        its payer paid another | 0.0 | payment(), elsewhere(payee_id="A")
        another paid its payee | 0.0 | payment(), elsewhere(payer_id="A")
        back again | 0.0 | payment(), elsewhere(payer_id="payee", payee_id="payer")
        a year ago | 1.0 | payment(), elsewhere(known_at=before(days=365))
        a moment more than a year ago | 0.0 | payment(),
            elsewhere(known_at=before(days=365) - MOMENT)
        known a moment before | 1.0 | payment(), elsewhere(known_at=DECLARED - MOMENT)
        known at the declaration itself | 0.0 | payment(), elsewhere(known_at=DECLARED)
        all is older than a year | 0.0 | payment(known_at=before(days=366)),
            elsewhere(known_at=before(days=366))
        of the two known last | 1.0 | payment(payer_id="A", known_at=before(days=3)), payment(),
            elsewhere(payer_id="A"), elsewhere(payer_id="A", subject_id="third"), elsewhere()
        no payment | MISSING
        no payment known before | MISSING | payment(known_at=DECLARED)
        only payments for others | MISSING | elsewhere()
    """),
    "payer_payee_days_since_first": of_both("""
        only its own payment | 1.0 | payment()
        the first of two | 50.0 | payment(), elsewhere(known_at=before(days=50)),
            elsewhere(known_at=before(days=20))
        for a shipment | 50.0 | payment(),
            elsewhere(known_at=before(days=50), subject_kind="shipment")
        years ago, capped | 365.0 | payment(), elsewhere(known_at=before(days=2_000))
        since it was known, not since it was paid | 50.0 | payment(),
            elsewhere(known_at=before(days=50), paid_at=before(days=60))
        its payer paid another sooner | 1.0 | payment(),
            elsewhere(known_at=before(days=50), payee_id="A")
        another paid its payee sooner | 1.0 | payment(),
            elsewhere(known_at=before(days=50), payer_id="A")
        back again sooner | 1.0 | payment(),
            elsewhere(known_at=before(days=50), payer_id="payee", payee_id="payer")
        of the two known last | 1.0 | payment(payer_id="A", known_at=before(days=3)), payment()
        no payment | MISSING
        no payment known before | MISSING | payment(known_at=DECLARED)
        only payments for others | MISSING | elsewhere()
    """),
    "party_pair_days_since_latest": shipments("""
        ten days | 10.0 | earlier_shipment()
        the latest of three | 1.5 | earlier_shipment(declared_at=before(days=3)),
            earlier_shipment(declared_at=before(hours=36)), earlier_shipment()
        years | 4_000.0 | earlier_shipment(declared_at=before(days=4_000))
        other goods on another way | 10.0 | shipment_alike_in("consignor_id", "consignee_id")
        another consignor since | 10.0 | earlier_shipment(),
            earlier_shipment(declared_at=before(days=1), consignor_id="A")
        another consignee since | 10.0 | earlier_shipment(),
            earlier_shipment(declared_at=before(days=1), consignee_id="A")
        the other way round | MISSING |
            earlier_shipment(consignor_id="consignee", consignee_id="consignor")
        at the same instant | MISSING | earlier_shipment(declared_at=DECLARED)
        never | MISSING
    """),
    "carrier_consignee_shipments_365d": shipments("""
        never | 0.0 | journey(), journey_id="J"
        once | 1.0 | journey(), brought(), journey_id="J"
        three times | 3.0 | journey(), brought(), brought(), brought(), journey_id="J"
        by another carrier | 0.0 | journey(), brought("another"), journey_id="J"
        to another consignee | 0.0 | journey(), brought(consignee_id="A"), journey_id="J"
        on the same journey | 1.0 | journey(), earlier_shipment(journey_id="J",
            declared_at=before(minutes=5)), journey_id="J"
        a year ago | 1.0 | journey(), brought(declared_at=before(days=365)), journey_id="J"
        a moment more than a year ago | 0.0 | journey(),
            brought(declared_at=before(days=365) - MOMENT), journey_id="J"
        a moment before | 1.0 | journey(), brought(declared_at=DECLARED - MOMENT), journey_id="J"
        at the same instant | 0.0 | journey(), brought(declared_at=DECLARED), journey_id="J"
        whose journey was declared after it | 0.0 | journey(), earlier_shipment(journey_id="J"),
            journey_id="J"
        its journey is declared as it is | MISSING | journey(declared_at=DECLARED), brought(),
            journey_id="J"
        it names no journey | MISSING | journey(), brought()
    """),
    "carrier_consignee_days_since_latest": shipments("""
        ten days | 10.0 | journey(), brought(), journey_id="J"
        the latest of three | 1.5 | journey(), brought(), brought(declared_at=before(hours=36)),
            brought(declared_at=before(days=3)), journey_id="J"
        years | 4_000.0 | journey(), brought(declared_at=before(days=4_000)), journey_id="J"
        by another carrier | MISSING | journey(), brought("another"), journey_id="J"
        to another consignee | MISSING | journey(), brought(consignee_id="A"), journey_id="J"
        at the same instant | MISSING | journey(), brought(declared_at=DECLARED), journey_id="J"
        never | MISSING | journey(), journey_id="J"
        it names no journey | MISSING | journey(), brought()
    """),
    "container_consignee_shipments_365d": shipments("""
        never | 0.0 | container_number="C"
        once | 1.0 | earlier_shipment(container_number="C"), container_number="C"
        twice, whatever the goods | 2.0 | earlier_shipment(container_number="C"),
            shipment_alike_in("consignee_id", container_number="C"), container_number="C"
        in another container | 0.0 | earlier_shipment(container_number="D"), container_number="C"
        to another | 0.0 | earlier_shipment(container_number="C", consignee_id="A"),
            container_number="C"
        a year ago | 1.0 | earlier_shipment(container_number="C", declared_at=before(days=365)),
            container_number="C"
        a moment more than a year ago | 0.0 | earlier_shipment(container_number="C",
            declared_at=before(days=365) - MOMENT), container_number="C"
        at the same instant | 0.0 | earlier_shipment(container_number="C", declared_at=DECLARED),
            container_number="C"
        no container | MISSING | earlier_shipment(container_number="C")
    """),
    "conveyance_carrier_journeys_365d": routes("""
        a new pair | 0.0
        twice, wherever it goes | 2.0 | earlier_journey(),
            journey_alike_in("conveyance_id", "carrier_id")
        the conveyance under another carrier | 0.0 | earlier_journey(carrier_id="A")
        another conveyance of the carrier | 0.0 | earlier_journey(conveyance_id="A")
        a year ago | 1.0 | ago(days=365)
        a moment more than a year ago | 0.0 | ago(days=365, microseconds=1)
        a moment before | 1.0 | ago(microseconds=1)
        at the same instant | 0.0 | ago()
    """),
    "journey_conveyance_carrier_journeys_365d": shipments("""
        only the journey that brings it | 1.0 | journey(), journey_id="J"
        two before, wherever they went | 3.0 | journey(), earlier_journey(),
            journey_alike_in("conveyance_id", "carrier_id"), journey_id="J"
        the conveyance under another carrier | 1.0 | journey(), earlier_journey(carrier_id="A"),
            journey_id="J"
        another conveyance of the carrier | 1.0 | journey(), earlier_journey(conveyance_id="A"),
            journey_id="J"
        a year ago | 2.0 | journey(), ago(days=365), journey_id="J"
        a moment more than a year ago | 1.0 | journey(), ago(days=365, microseconds=1),
            journey_id="J"
        at the same instant | 1.0 | journey(), ago(), journey_id="J"
        its journey is declared as it is | MISSING | journey(declared_at=DECLARED), ago(days=2),
            journey_id="J"
        it names no journey | MISSING | journey(), ago(days=2)
    """),
    "new_link_count_365d": shipments("""
        all are new | 0.0 | **FORWARDED
        consignee and consignor are known, and new to each other | 1.0 |
            known("consignee_id", "consignor_id"), **FORWARDED
        so is the forwarder | 2.0 | known("consignee_id", "consignor_id", *FORWARDED), **FORWARDED
        and the carrier | 3.0 | journey(), ago(days=2),
            known("consignee_id", "consignor_id", *FORWARDED), journey_id="J", **FORWARDED
        the carrier has only the journey that brings it | 2.0 | journey(),
            known("consignee_id", "consignor_id", *FORWARDED), journey_id="J", **FORWARDED
        the carrier brought the consignee goods | 1.0 | journey(), brought(),
            known("consignor_id"), journey_id="J"
        the consignee is new | 0.0 | known("consignor_id", *FORWARDED), **FORWARDED
        consignor and consignee met | 1.0 | earlier_shipment(), known(*FORWARDED), **FORWARDED
        forwarder and consignee met | 1.0 | known("consignor_id"),
            shipment_alike_in("consignee_id", **FORWARDED), **FORWARDED
        they met more than a year ago | 1.0 | known("consignee_id", "consignor_id"),
            earlier_shipment(declared_at=before(days=365) - MOMENT)
        they met a year ago | 0.0 | known("consignee_id", "consignor_id"),
            earlier_shipment(declared_at=before(days=365))
        no forwarder is named | 1.0 | known("consignee_id", "consignor_id")
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
