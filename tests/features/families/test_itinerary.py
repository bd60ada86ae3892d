"""What the features of `features/families/itinerary.py` make of small stories."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    after,
    before,
    check,
    each,
    earlier_journey,
    leg,
    route,
)
from tests.features.families.globe import ANTWERP, PORT_SAID, ROTTERDAM, SHANGHAI, SINGAPORE, km

DIRECT_KM = km(SHANGHAI, ROTTERDAM)
"""From the origin of the subject to its destination."""

OTHER = earlier_journey(journey_id="K", declared_at=DECLARED)

ARRIVED = datetime(2025, 6, 13, 12, tzinfo=UTC)
"""When the first leg of a fact about stops arrived."""


def arriving(hour: int, minute: int = 0, second: int = 0, microsecond: int = 0):
    """A leg that ended at this time of the day before the declaration."""
    return leg(1, arrived_at=datetime(2025, 6, 15, hour, minute, second, microsecond, tzinfo=UTC))


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


IN_8_HOURS = after(hours=8)

FACTS = {
    "direct_distance_km": [
        route("from Shanghai to Rotterdam", DIRECT_KM),
        route("in whole metres", round(km(ANTWERP, ROTTERDAM), 3), origin="BEANR"),
        route("from a place to itself", 0.0, origin="NLRTM", destination="NLRTM"),
        route("an origin that no table has", MISSING, origin="nowhere"),
        route("a destination that no table has", MISSING, destination="nowhere"),
        route("legs by another way are no matter", DIRECT_KM, leg(1, destination="EGPSD")),
    ],
    "leg_count": [
        route("no leg", 0),
        route("one leg", 1, leg(1)),
        route("three legs", 3, leg(1), leg(2), leg(3)),
        route("known just before the declaration", 1, leg(1, known_at=DECLARED - MOMENT)),
        route("known at the declaration is too late", 0, leg(1, known_at=DECLARED)),
        route("known after the declaration is too late", 0, leg(1, known_at=after(hours=1))),
        route("never known to have been known", 0, leg(1, known_at=None)),
        route("known for years", 1, leg(1, known_at=before(days=4_000))),
        route("another journey's leg", 0, leg(1, journey_id="K"), OTHER),
    ],
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
            km(SHANGHAI, SINGAPORE) / DIRECT_KM,
            leg(1, destination="SGSIN"),
        ),
        route("a leg that stays where it is", 0.0, leg(1, destination="CNSHA")),
        route("no leg", MISSING),
        route("no leg known in time", MISSING, leg(1, known_at=DECLARED)),
        route("an origin that no table has", MISSING, leg(1), origin="nowhere"),
        route("a destination that no table has", MISSING, leg(1), destination="nowhere"),
        route("back to where it starts", MISSING, leg(1), destination="CNSHA"),
        route("the only leg ends nowhere", MISSING, leg(1, destination="nowhere"), today=0.0),
        route(
            "one of two legs ends nowhere",
            MISSING,
            leg(1),
            leg(2, origin="NLRTM", destination="nowhere"),
            today=1.0,
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
            today=5 * 24.0,
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
    "unconnected_leg_count": [
        route("no leg", 0),
        route("the first leg follows none", 0, leg(1, origin="SGSIN")),
        route(
            "each starts where the one before ended",
            0,
            leg(1, destination="SGSIN"),
            leg(2, origin="SGSIN"),
        ),
        route("one starts elsewhere", 1, leg(1, destination="SGSIN"), leg(2, origin="EGPSD")),
        route("two start elsewhere", 2, leg(1), leg(2), leg(3)),
        route(
            "legs that are told out of order",
            0,
            leg(2, origin="SGSIN", destination="EGPSD"),
            leg(3, origin="EGPSD"),
            leg(1, destination="SGSIN"),
        ),
        route(
            "the leg between is known too late",
            1,
            leg(1, destination="SGSIN"),
            leg(2, origin="SGSIN", destination="EGPSD", known_at=DECLARED),
            leg(3, origin="EGPSD"),
        ),
        route("known too late", 0, leg(1), leg(2, known_at=DECLARED)),
        route("the one before is another journey's", 0, leg(1, journey_id="K"), leg(2), OTHER),
        route("another journey's", 0, leg(1, journey_id="K"), leg(2, journey_id="K"), OTHER),
    ],
    "night_arrival_count": [
        route("no leg", 0),
        route("has not arrived", 0, leg(1)),
        route("at noon", 0, arriving(12)),
        route("just before 22 o'clock", 0, arriving(21, 59, 59, 999_999)),
        route("at 22 o'clock", 1, arriving(22)),
        route("in the hour from 23", 1, arriving(23, 30)),
        route("at midnight", 1, arriving(0)),
        route("just before 5 o'clock", 1, arriving(4, 59, 59, 999_999)),
        route("at 5 o'clock", 0, arriving(5)),
        route(
            "two of three legs",
            2,
            arriving(23),
            leg(2, arrived_at=before(hours=13)),
            leg(3, arrived_at=before(hours=2)),
        ),
        route(
            "night in Shanghai is the afternoon in UTC",
            0,
            leg(1, arrived_at=datetime(2025, 6, 15, 23, tzinfo=timezone(timedelta(hours=8)))),
        ),
        route(
            "the morning in Shanghai is night in UTC",
            1,
            leg(1, arrived_at=datetime(2025, 6, 15, 7, tzinfo=timezone(timedelta(hours=8)))),
        ),
        route(
            "an arrival that is announced for the night to come",
            0,
            leg(1, arrived_at=after(hours=12)),
            today=1,
        ),
        route("a night before 1970", 1, leg(1, arrived_at=datetime(1969, 7, 20, 23, tzinfo=UTC))),
        route("known too late", 0, leg(1, arrived_at=before(hours=13), known_at=DECLARED)),
        route("another journey's", 0, leg(1, journey_id="K", arrived_at=before(hours=13)), OTHER),
    ],
    "mode_switch_count": [
        route("no leg", 0),
        route("by sea as declared", 0, leg(1, mode="sea")),
        route("by no mode that is told", 0, leg(1)),
        route("by road", 1, leg(1, mode="road")),
        route("by sea where road was declared", 1, leg(1, mode="sea"), mode="road"),
        route("two of three legs", 2, leg(1, mode="road"), leg(2, mode="sea"), leg(3, mode="rail")),
        route("known too late", 0, leg(1, mode="road", known_at=DECLARED)),
        route("another journey's", 0, leg(1, journey_id="K", mode="road"), OTHER),
    ],
    "fastest_leg_ratio": [
        route("as fast as the hours to its arrival need", 8 / 8, flown(1, 8), due_at=IN_8_HOURS),
        route("twice as fast", 8 / 4, flown(1, 4), due_at=IN_8_HOURS),
        route("a third as fast", 8 / 24, flown(1, 24), due_at=IN_8_HOURS),
        route("due in an hour", 1 / 24, flown(1, 24), due_at=after(hours=1)),
        route("due in ten days", 240 / 8, flown(1, 8)),
        route(
            "a shorter way in the time",
            km(SHANGHAI, SINGAPORE) / DIRECT_KM,
            flown(1, 8, destination="SGSIN"),
            due_at=IN_8_HOURS,
        ),
        route("the faster of two", 8 / 4, flown(1, 4), flown(2, 8), due_at=IN_8_HOURS),
        route("did not move", 0.0, flown(1, 8, destination="CNSHA"), due_at=IN_8_HOURS),
        route(
            "departed as long before it was declared: its arrival needs half the speed",
            16 / 8,
            flown(1, 8),
            departed_at=before(hours=8),
            due_at=IN_8_HOURS,
            today=8 / 8,
        ),
        route("no leg", MISSING),
        route("no arrival", MISSING, leg(1, departed_at=before(days=9))),
        route("no departure", MISSING, leg(1, arrived_at=before(days=9))),
        route("arrived as it departed", MISSING, flown(1, hours=0)),
        route("arrived before it departed", MISSING, flown(1, hours=-1)),
        route("the leg ends nowhere", MISSING, flown(1, 8, destination="nowhere")),
        route("an origin that no table has", MISSING, flown(1, 8), origin="nowhere"),
        route("to where it starts", MISSING, flown(1, 8), destination="CNSHA"),
        route("due as it is declared", MISSING, flown(1, 8), due_at=DECLARED),
        route("due before it is declared", MISSING, flown(1, 8), due_at=before(days=1)),
        route("known too late", MISSING, flown(1, 8, known_at=DECLARED)),
        route("another journey's", MISSING, flown(1, 8, journey_id="K"), OTHER),
    ],
    "declared_before_due_hours": [
        route("ten days before", 10 * 24.0),
        route("ninety minutes before", 1.5, due_at=after(minutes=90)),
        route("as it arrives", 0.0, due_at=DECLARED),
        route("a day after it was due", -24.0, due_at=before(days=1)),
    ],
    "booked_before_hours": [
        route("three days before", 3 * 24.0, booked_at=before(days=3)),
        route("ninety minutes before", 1.5, booked_at=before(minutes=90)),
        route("as it is declared", 0.0, booked_at=DECLARED),
        route("a booking that is yet to come", -2.0, booked_at=after(hours=2)),
        route("no booking", MISSING),
    ],
    "is_cross_border": [
        route("from China to the Netherlands", 1),
        route("from Rotterdam to Amsterdam", 0, origin="NLRTM", destination="NLAMS"),
        route("from a place to itself", 0, destination="CNSHA"),
        route("an origin that no table has", MISSING, origin="nowhere"),
        route("a destination that no table has", MISSING, destination="nowhere"),
        route("neither is in a table", MISSING, origin="nowhere", destination="nowhere"),
    ],
}


@pytest.mark.parametrize(("feature", "fact"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, fact: Fact) -> None:
    check(feature, fact)
