"""What the features of `features/families/party_history.py` make of small stories."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    Row,
    before,
    check,
    each,
    earlier_shipment,
    shipment,
    table,
)
from tests.features.families.windowed import facts_of_window, shipment_declared

CONSIGNEE = {"consignee_id": "consignee"}
CONSIGNOR = {"consignor_id": "consignor"}
FORWARDER = {"forwarder_id": "forwarder"}
DECLARANT = {"declarant_id": "declarant"}
OTHER_CONSIGNEE = {"consignee": {"consignee_id": "another"}}
OTHER_CONSIGNOR = {"consignor": {"consignor_id": "another"}}
OTHER_FORWARDER = {"forwarder": {"forwarder_id": "another"}}
OTHER_DECLARANT = {"declarant": {"declarant_id": "another"}}
KG_100 = {"net_mass_kg": 100.0}


def facts_of_count(key: Row, others: dict[str, Row], days: int | None = None) -> list[Fact]:
    """Of a count of earlier consignments of the same key."""
    one = shipment_declared(before(days=2), **key)
    alike = earlier_shipment(**one.row | {"shipment_id": "S-alike"})
    return [
        shipment("none before", 0.0, **key),
        shipment(
            "three, two of them alike",
            3.0,
            one,
            alike,
            shipment_declared(before(days=3), **key),
            **key,
        ),
        *facts_of_window(2.0, 1.0, one, days=days, key=key, others=others),
    ]


def facts_of_days_since_first(key: Row, others: dict[str, Row]) -> list[Fact]:
    """Of the days since the earliest consignment of the same key."""

    def declared(at: datetime, **fields: Any) -> Record:
        return shipment_declared(at, **key | fields)

    return [
        shipment("a day and a half", 1.5, declared(before(hours=36)), **key),
        shipment(
            "since the first of three, in whatever order they come",
            300.0,
            declared(before(days=2)),
            declared(before(days=300)),
            declared(before(days=30)),
            **key,
        ),
        shipment("a second less than a year", 365 - 1 / 86_400, declared(A_SECOND_SHORT), **key),
        shipment("a year", 365.0, declared(before(days=365)), **key),
        shipment("decades, capped", 365.0, declared(before(days=30 * 365)), **key),
        shipment("a minute", 1 / (24 * 60), declared(before(minutes=1)), **key),
        shipment("never seen before", MISSING, **key),
        shipment("at the same instant for the first time", MISSING, declared(DECLARED), **key),
        shipment("a moment later for the first time", MISSING, declared(DECLARED + MOMENT), **key),
        *(
            shipment(
                f"another {name}", 3.0, declared(before(days=3)), declared(before(days=9), **f)
            )
            for name, f in others.items()
        ),
    ]


A_SECOND_SHORT = before(days=365) + timedelta(seconds=1)
SMALL: Row = {"declared_value": 140.0, "currency": "EUR"}
LATELY: Row = {"declared_at": before(days=3)}
TO_EGYPT: Row = {"destination_country": "EG"}

shipments = table(shipment, globals())

FACTS = {
    "consignee_shipments_30d": facts_of_count(CONSIGNEE, OTHER_CONSIGNEE, days=30),
    "consignee_shipments_365d": facts_of_count(CONSIGNEE, OTHER_CONSIGNEE, days=365),
    "consignee_days_since_latest": shipments("""
        ten days | 10.0 | earlier_shipment()
        half an hour | 0.5 / 24 | shipment_declared(before(minutes=30))
        since the last of three, in whatever order they come | 1.5 |
            shipment_declared(before(days=90)), shipment_declared(before(hours=36)),
            shipment_declared(before(days=2))
        awake after decades | 30 * 365.0 | shipment_declared(before(days=30 * 365))
        never seen before | MISSING
        at the same instant for the first time | MISSING | shipment_declared(DECLARED)
        later for the first time | MISSING | shipment_declared(after(days=1))
        what follows is not its last | 10.0 | earlier_shipment(), shipment_declared(DECLARED)
        another consignee | 10.0 | earlier_shipment(),
            shipment_declared(before(hours=2), consignee_id="another")
        sent to it, not by it | MISSING |
            earlier_shipment(consignor_id="consignee", consignee_id="consignor")
    """),
    "consignee_days_since_first": facts_of_days_since_first(CONSIGNEE, OTHER_CONSIGNEE),
    "consignor_days_since_first": facts_of_days_since_first(CONSIGNOR, OTHER_CONSIGNOR),
    "consignor_shipments_365d": facts_of_count(CONSIGNOR, OTHER_CONSIGNOR, days=365),
    "party_pair_shipments": [
        *facts_of_count(CONSIGNOR | CONSIGNEE, OTHER_CONSIGNOR | OTHER_CONSIGNEE),
        *shipments("""
            the other way round is another pair | 0.0 |
                earlier_shipment(consignor_id="consignee", consignee_id="consignor")
        """),
    ],
    "consignee_goods_shipments": [
        *facts_of_count(
            CONSIGNEE | {"hs_code": "890310"},
            OTHER_CONSIGNEE | {"heading": {"hs_code": "890410"}},
        ),
        *shipments("""
            another code of the heading is such goods | 1.0 | earlier_shipment(hs_code="890399")
            the chapter alone is not enough | 0.0 | earlier_shipment(hs_code="890200")
        """),
    ],
    "forwarder_shipments_90d": [
        *facts_of_count(FORWARDER, OTHER_FORWARDER, days=90),
        *shipments("""
            of any consignee | 1.0 | earlier_shipment(**FORWARDER, consignee_id="any"), **FORWARDER
            no forwarder is named | MISSING | earlier_shipment()
        """),
    ],
    "declarant_consignee_shipments": [
        *facts_of_count(DECLARANT | CONSIGNEE, OTHER_DECLARANT | OTHER_CONSIGNEE),
        shipment("no declarant is named", MISSING, earlier_shipment()),
    ],
    "mass_to_consignee_ratio_365d": [
        *shipments("""
            twice the mean of 100 and 700 kg | 800 / ((100 + 700) / 2) | earlier_shipment(**KG_100),
                earlier_shipment(net_mass_kg=700.0, hs_code="630720"), net_mass_kg=800.0
            a quarter of it | 25 / 100 | earlier_shipment(**KG_100), net_mass_kg=25.0
            net where it is given, gross where not | 30 / 120 |
                earlier_shipment(gross_mass_kg=120.0), net_mass_kg=30.0, gross_mass_kg=50.0
            nothing is none of it | 0 / 100 | earlier_shipment(**KG_100), gross_mass_kg=0.0
            those without a mass have no part in the mean | 800 / 100 | earlier_shipment(**KG_100),
                earlier_shipment(), net_mass_kg=800.0
            no mass was declared | MISSING | earlier_shipment(**KG_100)
            a consignee never seen | MISSING | net_mass_kg=800.0
            never seen with a mass | MISSING | earlier_shipment(), net_mass_kg=800.0
            not seen in a year | MISSING | shipment_declared(before(days=365) - MOMENT, **KG_100),
                net_mass_kg=800.0
            usually nothing | MISSING | earlier_shipment(gross_mass_kg=0.0), net_mass_kg=9.0
        """),
        *facts_of_window(
            800 / ((100 + 700) / 2),
            800 / 100,
            earlier_shipment(**KG_100),
            days=365,
            key=CONSIGNEE,
            others=OTHER_CONSIGNEE,
            event=partial(shipment_declared, net_mass_kg=700.0),
            net_mass_kg=800.0,
        ),
    ],
    "party_pair_shipments_7d": facts_of_count(
        CONSIGNOR | CONSIGNEE, OTHER_CONSIGNOR | OTHER_CONSIGNEE, days=7
    ),
    "seal_reuse_count_90d": [
        *shipments("""
            planted: the same seal on two other boxes | 2.0 |
                earlier_shipment(seal_number="A", container_number="C-1"),
                earlier_shipment(seal_number="A", container_number="C-2"), seal_number="A",
                container_number="C-3"
            innocent: six consignments in one box | 0.0 |
                *(earlier_shipment(seal_number="A", container_number="C-3") for _ in range(5)),
                seal_number="A", container_number="C-3"
            a box that was not named is another | 1.0 | earlier_shipment(seal_number="A"),
                seal_number="A", container_number="C-3"
            never seen | 0.0 | seal_number="A", container_number="C-3"
            no seal | MISSING | earlier_shipment(seal_number="A"), container_number="C-3"
            no container | MISSING | earlier_shipment(seal_number="A"), seal_number="A"
        """),
        *facts_of_window(
            1.0,
            0.0,
            days=90,
            key={"seal_number": "A"},
            others={"seal": {"seal_number": "B"}},
            event=partial(shipment_declared, container_number="C-1"),
            container_number="C-3",
        ),
    ],
    "small_value_consignees_7d": [
        *shipments("""
            planted: three others just under the limit | 3.0 |
                *(earlier_shipment(**SMALL, **LATELY, consignee_id=who) for who in ("A", "B", "C")),
                **SMALL
            innocent: it is worth more itself | 0.0 |
                earlier_shipment(**SMALL, **LATELY, consignee_id="A"), declared_value=900.0,
                currency="EUR"
            innocent: the others are worth more | 0.0 |
                earlier_shipment(**LATELY, declared_value=900.0, currency="EUR"), **SMALL
            of one consignee twice | 1.0 | *(earlier_shipment(**SMALL, **LATELY) for _ in range(2)),
                **SMALL
            no value | MISSING | earlier_shipment(**SMALL, **LATELY)
            no limit is known | MISSING | earlier_shipment(**SMALL, **LATELY), **SMALL | TO_EGYPT
        """),
        *facts_of_window(
            1.0,
            0.0,
            days=7,
            key={"consignor_id": "consignor"},
            others={"consignor": {"consignor_id": "another"}},
            event=partial(shipment_declared, **SMALL),
            **SMALL,
        ),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
