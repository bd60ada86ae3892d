"""What the features of `features/families/itinerary.py` make of small stories."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    Fact,
    before,
    check,
    each,
    earlier_journey,
    leg,
    route,
    table,
)
from tests.features.families.globe import PORT_SAID, ROTTERDAM, SHANGHAI, SINGAPORE, km

DIRECT_KM = km(SHANGHAI, ROTTERDAM)
"""From the origin of the subject to its destination."""

OTHER = earlier_journey(journey_id="K", declared_at=DECLARED)

EAST = ROTTERDAM[1] / 15
"""By so many hours the sun is ahead of UTC in Rotterdam, where the legs of facts end."""

ARRIVED = datetime(2025, 6, 13, 12, tzinfo=UTC)
"""When the first leg of a fact about stops arrived."""


def landing(hour_utc: float, sequence: int = 1, **fields):
    """A leg that ended at this time of the day before the declaration."""
    arrived_at = datetime(2025, 6, 15, tzinfo=UTC) + timedelta(hours=hour_utc)
    return leg(sequence, **{"arrived_at": arrived_at, "known_at": before(hours=1)} | fields)


boat = partial(route, conveyance_kind="small_craft")


def stop(hours: float, *, at: str = "SGSIN"):
    """Two legs with a stop of so many hours between them, in the same place."""
    return (
        leg(1, destination=at, arrived_at=ARRIVED),
        leg(2, origin=at, departed_at=ARRIVED + timedelta(hours=hours)),
    )


def flown(sequence: int, hours: float, **fields):
    """A leg from the subject's origin to its destination that took so many hours."""
    start = before(days=20)
    return leg(sequence, departed_at=start, arrived_at=start + timedelta(hours=hours), **fields)


boats = table(boat, globals())
routes = table(route, globals())

FACTS = {
    "direct_distance_km": routes("""
        from Shanghai to Rotterdam | DIRECT_KM
        in whole metres | round(km(ANTWERP, ROTTERDAM), 3) | origin="BEANR"
        from a place to itself | 0.0 | origin="NLRTM", destination="NLRTM"
        an origin that no table has | MISSING | origin="nowhere"
        a destination that no table has | MISSING | destination="nowhere"
        legs by another way are no matter | DIRECT_KM | leg(1, destination="EGPSD")
    """),
    "leg_count": routes("""
        no leg | 0
        one leg | 1 | leg(1)
        three legs | 3 | leg(1), leg(2), leg(3)
        known just before the declaration | 1 | leg(1, known_at=DECLARED - MOMENT)
        known at the declaration is too late | 0 | leg(1, known_at=DECLARED)
        known after the declaration is too late | 0 | leg(1, known_at=after(hours=1))
        never known to have been known | 0 | leg(1, known_at=None)
        known for years | 1 | leg(1, known_at=before(days=4_000))
        another journey's leg | 0 | leg(1, journey_id="K"), OTHER
    """),
    "detour_ratio": [
        route("one leg, straight there", DIRECT_KM / DIRECT_KM, leg(1)),
        route(
            "by way of Singapore and Port Said",
            km(SHANGHAI, SINGAPORE, PORT_SAID, ROTTERDAM) / DIRECT_KM,
            leg(1, destination="SGSIN"),
            leg(2, origin="SGSIN", destination="EGPSD"),
            leg(3, origin="EGPSD"),
        ),
        route(
            "there and back and there",
            3.0,
            leg(1),
            leg(2, origin="NLRTM", destination="CNSHA"),
            leg(3),
        ),
        route(
            "only the first leg is known",
            MISSING,
            leg(1, destination="SGSIN"),
        ),
        route("a leg that stays where it is", MISSING, leg(1, destination="CNSHA")),
        route("only the last leg is known", MISSING, leg(2, origin="SGSIN")),
        route(
            "the leg between is not known",
            MISSING,
            leg(1, destination="SGSIN"),
            leg(3, origin="EGPSD"),
        ),
        route(
            "the leg between is not known, though the others meet",
            MISSING,
            leg(1, destination="SGSIN"),
            leg(3, origin="SGSIN"),
        ),
        route(
            "ends elsewhere",
            MISSING,
            leg(1, destination="SGSIN"),
            leg(2, origin="SGSIN", destination="EGPSD"),
        ),
        route("no leg", MISSING),
        route("no leg known in time", MISSING, leg(1, known_at=DECLARED)),
        route("an origin that no table has", MISSING, leg(1), origin="nowhere"),
        route("a destination that no table has", MISSING, leg(1), destination="nowhere"),
        route("back to where it starts", MISSING, leg(1), destination="CNSHA"),
        route("the only leg ends nowhere", MISSING, leg(1, destination="nowhere")),
        route(
            "one of two legs ends nowhere",
            MISSING,
            leg(1),
            leg(2, origin="NLRTM", destination="nowhere"),
        ),
        route("a leg known too late adds nothing", 1.0, leg(1), leg(2, known_at=DECLARED)),
        route("another journey's leg adds nothing", 1.0, leg(1), leg(1, journey_id="K"), OTHER),
    ],
    "longest_dwell_hours": [
        route("a stop of thirty hours", 30.0, *stop(30)),
        route("a stop of an hour and a quarter", 1.25, *stop(1.25)),
        route("on at once", 0.0, *stop(0)),
        route("on before it arrived is no stop", 0.0, *stop(-3)),
        route(
            "the longer of two stops",
            48.0,
            leg(1, destination="SGSIN", arrived_at=before(days=9)),
            leg(
                2,
                origin="SGSIN",
                destination="EGPSD",
                departed_at=before(days=7),
                arrived_at=before(days=5),
            ),
            leg(3, origin="EGPSD", departed_at=before(days=4)),
        ),
        route(
            "legs that are told out of order",
            24.0,
            leg(2, origin="SGSIN", departed_at=before(days=4)),
            leg(1, destination="SGSIN", arrived_at=before(days=5)),
        ),
        route(
            "legs that became known out of order",
            24.0,
            leg(1, destination="SGSIN", arrived_at=before(days=5), known_at=before(hours=1)),
            leg(2, origin="SGSIN", departed_at=before(days=4), known_at=before(hours=9)),
        ),
        route(
            "a leg between two is not known, so it did not stop all that time",
            MISSING,
            leg(1, destination="SGSIN", arrived_at=before(days=9)),
            leg(3, origin="EGPSD", departed_at=before(days=4)),
        ),
        route("no leg", MISSING),
        route("one leg", MISSING, leg(1, departed_at=before(days=3), arrived_at=before(days=2))),
        route("no arrival", MISSING, leg(1), leg(2, departed_at=before(days=3))),
        route("no departure", MISSING, leg(1, arrived_at=before(days=3)), leg(2)),
        route(
            "the second leg known too late",
            MISSING,
            leg(1, arrived_at=before(days=3)),
            leg(2, departed_at=before(days=2), known_at=DECLARED),
        ),
        route(
            "the second leg is another journey's",
            MISSING,
            leg(1, arrived_at=before(days=3)),
            leg(2, journey_id="K", departed_at=before(days=2)),
            OTHER,
        ),
    ],
    "unconnected_leg_count": routes("""
        no leg | 0
        the first leg follows none | 0 | leg(1, origin="SGSIN")
        each starts where the one before ended | 0 | leg(1, destination="SGSIN"),
            leg(2, origin="SGSIN")
        one starts elsewhere | 1 | leg(1, destination="SGSIN"), leg(2, origin="EGPSD")
        two start elsewhere | 2 | leg(1), leg(2), leg(3)
        legs that are told out of order | 0 | leg(2, origin="SGSIN", destination="EGPSD"),
            leg(3, origin="EGPSD"), leg(1, destination="SGSIN")
        the leg between is known too late, so the two need not meet | 0 |
            leg(1, destination="SGSIN"),
            leg(2, origin="SGSIN", destination="EGPSD", known_at=DECLARED), leg(3, origin="EGPSD")
        known too late | 0 | leg(1), leg(2, known_at=DECLARED)
        the one before is another journey's | 0 | leg(1, journey_id="K"), leg(2), OTHER
        another journey's | 0 | leg(1, journey_id="K"), leg(2, journey_id="K"), OTHER
    """),
    "night_landing_count": [
        *boats("""
            no leg | 0
            has not arrived | 0 | leg(1)
            at noon by the sun | 0 | landing(12 - EAST)
            just before 22 o'clock | 0 | landing(22 - EAST - 0.01)
            just after 22 o'clock | 1 | landing(22 - EAST + 0.01)
            at midnight | 1 | landing(-EAST)
            just before 5 o'clock | 1 | landing(5 - EAST - 0.01)
            just after 5 o'clock | 0 | landing(5 - EAST + 0.01)
            night by UTC in Rotterdam and by the sun | 1 | landing(23)
            23 o'clock UTC is the morning in Shanghai | 0 | landing(23, destination="CNSHA")
            15 o'clock UTC is night in Shanghai | 1 | landing(15, destination="CNSHA")
            at a place in no table, from Shanghai | 1 | landing(15, destination="a beach")
            between places in no table | 0 | landing(23, origin="a creek", destination="a beach")
            two of three legs | 2 | landing(23), landing(12, 2), landing(1, 3)
            by road | 0 | landing(23, mode="road")
            by inland waterway | 1 | landing(23, mode="inland_waterway")
            an arrival that is announced for the night to come | 0 |
                leg(1, arrived_at=after(hours=12))
            a night before 1970 | 1 | leg(1, arrived_at=datetime(1969, 7, 20, 23, tzinfo=UTC))
            known too late | 0 | leg(1, arrived_at=before(hours=13), known_at=DECLARED)
            another journey's | 0 | landing(23, journey_id="K"), OTHER
        """),
        route("a fishing vessel", 1, landing(23), conveyance_kind="fishing_vessel"),
        route("ports work ships by night", MISSING, landing(23)),
        route("a van", MISSING, landing(23), conveyance_kind="van", mode="road"),
    ],
    "mode_switch_count": routes("""
        no leg | 0
        by sea as declared | 0 | leg(1, mode="sea")
        by no mode that is told | 0 | leg(1)
        by road | 1 | leg(1, mode="road")
        by sea where road was declared | 1 | leg(1, mode="sea"), mode="road"
        two of three legs | 2 | leg(1, mode="road"), leg(2, mode="sea"), leg(3, mode="rail")
        known too late | 0 | leg(1, mode="road", known_at=DECLARED)
        another journey's | 0 | leg(1, journey_id="K", mode="road"), OTHER
    """),
    "fastest_leg_ratio": routes("""
        a ship at 75 km/h | 1.0 | flown(1, DIRECT_KM / 75)
        a ship at 25 km/h | 1 / 3 | flown(1, DIRECT_KM / 25)
        a ship that would have flown | 10.0 | flown(1, DIRECT_KM / 750)
        an aircraft as fast | 750 / 1_050 | flown(1, DIRECT_KM / 750, mode="air")
        by road | 55 / 110 | flown(1, DIRECT_KM / 55), mode="road"
        by rail | 125 / 250 | flown(1, DIRECT_KM / 125), mode="rail"
        a barge | 90 / 45 | flown(1, DIRECT_KM / 90), mode="inland_waterway"
        as the leg says, not the journey | 1.0 | flown(1, DIRECT_KM / 110, mode="road")
        whenever it is due | 1.0 | flown(1, DIRECT_KM / 75), due_at=after(hours=1)
        the faster of two | 2.0 | flown(1, DIRECT_KM / 150), flown(2, DIRECT_KM / 75)
        did not move | 0.0 | flown(1, 8, destination="CNSHA")
        no leg | MISSING
        no arrival | MISSING | leg(1, departed_at=before(days=9))
        no departure | MISSING | leg(1, arrived_at=before(days=9))
        arrived as it departed | MISSING | flown(1, hours=0)
        arrived before it departed | MISSING | flown(1, hours=-1)
        the leg ends nowhere | MISSING | flown(1, 8, destination="nowhere")
        known too late | MISSING | flown(1, 8, known_at=DECLARED)
        another journey's | MISSING | flown(1, 8, journey_id="K"), OTHER
    """),
    "declared_before_due_hours": routes("""
        ten days before | 10 * 24.0
        ninety minutes before | 1.5 | due_at=after(minutes=90)
        as it arrives | 0.0 | due_at=DECLARED
        a day after it was due | -24.0 | due_at=before(days=1)
    """),
    "booked_before_hours": routes("""
        three days before | 3 * 24.0 | booked_at=before(days=3)
        ninety minutes before | 1.5 | booked_at=before(minutes=90)
        as it is declared | 0.0 | booked_at=DECLARED
        a booking that is yet to come | -2.0 | booked_at=after(hours=2)
        it left before it was declared | 24.0 | booked_at=before(days=3), departed_at=before(days=2)
        it leaves after it was declared, which a request could not tell | 3 * 24.0 |
            booked_at=before(days=3), departed_at=after(days=2)
        no booking | MISSING
        no booking, but it left | MISSING | departed_at=before(days=1)
    """),
    "is_cross_border": routes("""
        from China to the Netherlands | 1
        from Rotterdam to Amsterdam | 0 | origin="NLRTM", destination="NLAMS"
        from a place to itself | 0 | destination="CNSHA"
        an origin that no table has | MISSING | origin="nowhere"
        a destination that no table has | MISSING | destination="nowhere"
        neither is in a table | MISSING | origin="nowhere", destination="nowhere"
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
