"""What the features of `features/families/carrier_history.py` make of small stories."""

import pytest

from tests.features.families.facts import (
    DECLARED,
    MOMENT,
    Fact,
    Record,
    after,
    before,
    check,
    each,
    earlier_journey,
    route,
    shipment,
    table,
)

MICROSECOND_HOURS = 1e-6 / 3_600


def journeys(count: int, **fields) -> list[Record]:
    """So many earlier journeys, alike in what is not named."""
    return [earlier_journey(**fields) for _ in range(count)]


def ago(**span: float) -> Record:
    """An earlier journey declared so long before."""
    return earlier_journey(declared_at=before(**span))


AT_ONCE = earlier_journey(declared_at=DECLARED)
LATER = earlier_journey(declared_at=after(days=1))
JUST_BEFORE = earlier_journey(declared_at=DECLARED - MOMENT)

routes = table(route, globals())
shipments = table(shipment, globals())

FACTS = {
    "conveyance_journeys_7d": routes("""
        a new conveyance | 0
        three journeys | 3 | journeys(3, declared_at=before(days=3))
        whoever runs it, wherever it goes | 1 |
            journey_alike_in("conveyance_id", declared_at=before(days=3))
        seven days ago | 1 | ago(days=7)
        a microsecond more than seven days ago | 0 | ago(days=7, microseconds=1)
        just before | 1 | JUST_BEFORE
        at the same instant | 0 | AT_ONCE
        later | 0 | LATER
        another conveyance of the carrier | 0 |
            journeys(1, declared_at=before(days=3), conveyance_id="other")
    """),
    "conveyance_journeys_365d": routes("""
        a new conveyance | 0
        three journeys | 3 | journeys(3)
        whoever runs it, wherever it goes | 1 | journey_alike_in("conveyance_id")
        a year ago | 1 | ago(days=365)
        a microsecond more than a year ago | 0 | ago(days=365, microseconds=1)
        just before | 1 | JUST_BEFORE
        at the same instant | 0 | AT_ONCE
        later | 0 | LATER
        another conveyance of the carrier | 0 | journeys(1, conveyance_id="other")
    """),
    "conveyance_days_since_latest": routes("""
        three days | 3.0 | ago(days=3)
        ninety minutes | 1.5 / 24 | ago(minutes=90)
        the latest of three | 1.0 | ago(days=3), ago(days=1), ago(days=2)
        years | 4_000.0 | ago(days=4_000)
        just before | MICROSECOND_HOURS / 24 | JUST_BEFORE
        whoever ran it, wherever it went | 10.0 | journey_alike_in("conveyance_id")
        another conveyance since | 3.0 | ago(days=3),
            earlier_journey(declared_at=before(days=1), conveyance_id="other")
        another at the same instant, and one later | 3.0 | ago(days=3), AT_ONCE, LATER
        only at the same instant | MISSING | AT_ONCE
        only later | MISSING | LATER
        another conveyance | MISSING | journeys(1, conveyance_id="other")
        a new conveyance | MISSING
    """),
    "conveyance_carriers_90d": routes("""
        a new conveyance | 0
        one carrier, often | 1 | journeys(3)
        three carriers | 3 | *(journeys(2, carrier_id=carrier) for carrier in ("A", "B", "C"))
        whoever runs it, wherever it goes | 1 | journey_alike_in("conveyance_id")
        ninety days ago | 1 | ago(days=90)
        a microsecond more than ninety days ago | 0 | ago(days=90, microseconds=1)
        just before | 1 | JUST_BEFORE
        at the same instant | 0 | AT_ONCE
        later | 0 | LATER
        another conveyance | 0 | journeys(1, conveyance_id="other")
    """),
    "carrier_journeys_30d": routes("""
        a new carrier | 0
        three journeys | 3 | journeys(3)
        whatever it runs, wherever it goes | 1 | journey_alike_in("carrier_id")
        thirty days ago | 1 | ago(days=30)
        a microsecond more than thirty days ago | 0 | ago(days=30, microseconds=1)
        just before | 1 | JUST_BEFORE
        at the same instant | 0 | AT_ONCE
        later | 0 | LATER
        another carrier of the conveyance | 0 | journeys(1, carrier_id="other")
    """),
    "carrier_days_since_first": routes("""
        three days | 3.0 | ago(days=3)
        half a day | 0.5 | ago(hours=12)
        the first of three | 30.0 | ago(days=3), ago(days=30), ago(days=2)
        a year less a day | 364.0 | ago(days=364)
        years, capped | 365.0 | ago(days=4_000)
        whatever it ran, wherever it went | 10.0 | journey_alike_in("carrier_id")
        another carrier before | 3.0 | ago(days=3),
            earlier_journey(declared_at=before(days=9), carrier_id="other")
        just before | MICROSECOND_HOURS / 24 | JUST_BEFORE
        only at the same instant | MISSING | AT_ONCE
        only later | MISSING | LATER
        another carrier | MISSING | journeys(1, carrier_id="other")
        a new carrier | MISSING
    """),
    "journey_carrier_journeys_90d": shipments("""
        only the journey that brings it | 1 | journey(), journey_id="J"
        and three before | 4 | journey(), journeys(3), journey_id="J"
        whatever it runs, wherever it goes | 2 | journey(), journey_alike_in("carrier_id"),
            journey_id="J"
        ninety days before the shipment | 2 | journey(), ago(days=90), journey_id="J"
        a microsecond more than ninety days | 1 | journey(), ago(days=90, microseconds=1),
            journey_id="J"
        its own journey more than ninety days ago | 0 | journey(declared_at=before(days=91)),
            journey_id="J"
        just before the shipment | 2 | journey(), JUST_BEFORE, journey_id="J"
        at the same instant as the shipment | 1 | journey(), AT_ONCE, journey_id="J"
        later | 1 | journey(), LATER, journey_id="J"
        another carrier | 1 | journey(), journeys(1, carrier_id="other"), journey_id="J"
        brought by another carrier | 2 | journey(carrier_id="other"), journeys(1),
            journeys(1, carrier_id="other"), journey_id="J"
        its journey is declared just before it | 1 | journey(declared_at=DECLARED - MOMENT),
            journey_id="J"
        its journey is declared as it is | MISSING | journey(declared_at=DECLARED), journeys(1),
            journey_id="J"
        its journey is declared after it | MISSING | journey(declared_at=after(hours=1)),
            journeys(1), journey_id="J"
        its journey is not known | MISSING | journeys(1), journey_id="J"
        it names no journey | MISSING | journey(), journeys(1)
    """),
    "carrier_journeys": routes("""
        a new carrier | 0
        three journeys | 3 | journeys(3)
        whatever it runs, wherever it goes | 1 | journey_alike_in("carrier_id")
        years ago | 1 | ago(days=4_000)
        just before | 1 | JUST_BEFORE
        at the same instant | 0 | AT_ONCE
        later | 0 | LATER
        another carrier of the conveyance | 0 | journeys(1, carrier_id="other")
    """),
    "journey_carrier_days_since_first": shipments("""
        on the journey that brings it | 1 / 24 | journey(), journey_id="J"
        ten days before | 10.0 | journey(), journeys(1), journey_id="J"
        the first of three | 30.0 | journey(), ago(days=3), ago(days=30), ago(days=2),
            journey_id="J"
        a year less a day | 364.0 | journey(), ago(days=364), journey_id="J"
        years, capped | 365.0 | journey(), ago(days=4_000), journey_id="J"
        whatever it ran, wherever it went | 10.0 | journey(), journey_alike_in("carrier_id"),
            journey_id="J"
        another carrier before | 1 / 24 | journey(), journeys(1, carrier_id="other"), journey_id="J"
        brought by another carrier | 2.0 | journey(carrier_id="other", declared_at=before(days=2)),
            journeys(1), journey_id="J"
        its journey is declared as it is | MISSING | journey(declared_at=DECLARED), journeys(1),
            journey_id="J"
        its journey is declared after it | MISSING | journey(declared_at=after(hours=1)),
            journeys(1), journey_id="J"
        its journey is not known | MISSING | journeys(1), journey_id="J"
        it names no journey | MISSING | journey(), journeys(1)
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
