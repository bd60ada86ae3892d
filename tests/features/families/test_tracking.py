"""What the features of `features/families/tracking.py` make of small stories."""

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    Fact,
    Record,
    before,
    check,
    each,
    earlier_journey,
    event,
    leg,
    position,
    route,
    table,
)
from tests.features.families.globe import ROTTERDAM, SHANGHAI, km

DEGREE_KM = km((0.0, 0.0), (1.0, 0.0))
"""Of latitude, or of longitude at the equator."""


def heard(hours: float, latitude: float = 0.0, longitude: float = 0.0, **fields) -> Record:
    """A position heard so many hours before the declaration."""
    at = before(hours=hours)
    return position(observed_at=at, latitude=latitude, longitude=longitude, **fields)


def arrived(hours: float, **fields) -> Record:
    """A leg that ended at the destination, which became known so many hours before."""
    at = before(hours=hours)
    return leg(1, **{"arrived_at": at, "known_at": at} | fields)


def reported(hours: float, **fields) -> Record:
    """An arrival at the destination that was reported so many hours before."""
    at = before(hours=hours)
    return event("arrived", **{"occurred_at": at, "known_at": at} | fields)


def off_island(hours: float, km_north: float, **fields) -> Record:
    """A position so many hours before, so far north of the port of Saint Helena.

    No other port lies within a thousand kilometres.
    """
    return heard(hours, -15.9333 + km_north / DEGREE_KM, -5.7167, **fields)


def at_speed(hours: float, knots: float | None) -> Record:
    """A position heard so many hours before the declaration, at this speed."""
    return heard(hours, speed_kn=knots)


def knots(way_km: float, hours: float) -> float:
    """A speed in nautical miles of 1852 m per hour, in whole metres per hour."""
    return round(way_km * 1_000 / hours) / 1_852


def drifting(
    *hours: float, journey: str = "J", at: tuple[float, float] = (0.0, 0.0), **fields
) -> list[Record]:
    """Positions so many hours before the declaration, in one place of the Gulf of Guinea, at
    which a journey hardly moved.
    """
    speed = {"speed_kn": 0.5} | fields
    return [heard(each, *at, journey_id=journey, **speed) for each in hours]


def others(*hours: float) -> list[Record]:
    """As many other journeys, each of which drifted there at one instant."""
    return [drifting(at, journey=f"K{number}")[0] for number, at in enumerate(hours)]


OTHER = earlier_journey(journey_id="K", declared_at=DECLARED)

routes = table(route, globals())

FACTS = {
    "longest_silence_hours": routes("""
        three hours between two positions | 3.0 | heard(4), heard(1)
        three quarters of an hour | 0.75 | heard(1), heard(0.25)
        the longest of three | 9.0 | heard(15), heard(12), heard(3), heard(1)
        positions that are told out of order | 9.0 | heard(3), heard(1), heard(15), heard(12)
        the last one just before the declaration | 5.0 | heard(5),
            position(observed_at=DECLARED - MOMENT)
        months | 90 * 24.0 | heard(90 * 24 + 1), heard(1)
        heard twice at one instant | 0.001 | heard(0.001), heard(0.001, 1.0)
        not heard since, and that for longer | 69.0 | heard(70), heard(69)
        not heard since, but before that for longer | 30.0 | heard(40), heard(10)
        never heard | MISSING
        known to have arrived since | 2.0 | heard(7), arrived(5)
        reported to have arrived since | 2.0 | heard(7), reported(5)
        reported to have arrived on the way | 7.0 | heard(7), reported(5, place="SGSIN")
        by a leg, and reported earlier | 1.0 | heard(7), arrived(5), reported(6)
        reported, and by a leg earlier | 2.0 | heard(7), arrived(5), reported(1)
        heard before it arrived and after | 3.0 | heard(9), heard(6), heard(3), arrived(5)
        heard once, and not since | 7.0 | heard(7)
        heard again at the declaration is too late | 1.0 | heard(1), position(observed_at=DECLARED)
        heard again after the declaration is too late | 1.0 | heard(1),
            position(observed_at=after(hours=1))
        another journey was heard | 5.0 | heard(5), heard(1, journey_id="K"), OTHER
        only another journey was heard | MISSING | heard(1, journey_id="K"), OTHER
        another journey was heard between | 4.0 | heard(5), heard(3, journey_id="K"), heard(1),
            OTHER
    """),
    "hours_since_last_heard": routes("""
        heard an hour ago | 1.0 | heard(9), heard(1)
        told out of order | 1.0 | heard(1), heard(9)
        dark for three days | 72.0 | heard(73), heard(72)
        known to have arrived two days ago | 24.0 | heard(72), arrived(48)
        heard after it arrived | 0.0 | heard(1), arrived(48)
        arrived at a port on its way | 72.0 | heard(72), arrived(48, destination="SGSIN")
        its arrival is announced | 72.0 | heard(72), leg(1, arrived_at=after(hours=1))
        another journey arrived | 9.0 | heard(9), arrived(3, journey_id="K"), OTHER
        heard as it is declared is too late | 2.0 | heard(2), heard(0)
        another journey was heard since | 5.0 | heard(5), heard(1, journey_id="K"), OTHER
        never heard | MISSING
    """),
    "coastal_silence_hours": routes("""
        silent for six hours from 20 km off the island | 6.0 | off_island(8, 20),
            off_island(2, 200), off_island(1, 250)
        silent since it was heard there | 9.0 | off_island(10, 200), off_island(9, 20)
        the longer of two | 7.0 | off_island(20, 20), off_island(17, 200), off_island(11, 30),
            off_island(4, 200), off_island(1, 200)
        until it arrived | 5.0 | off_island(9, 20), arrived(4)
        just within 30 nautical miles | 3.0 | off_island(3, 55.5)
        just beyond 30 nautical miles | MISSING | off_island(3, 55.6)
        silent far out at sea | MISSING | off_island(70, 300), off_island(1, 400)
        silent as it lies in port | MISSING | off_island(70, 1), off_island(1, 2)
        silent in port, then heard off the coast until now | 0.25 | off_island(70, 1),
            off_island(0.5, 12), off_island(0.25, 14)
        a vehicle on the island | MISSING | off_island(9, 20), mode="road"
        on inland waters | 9.0 | off_island(9, 20), mode="inland_waterway"
        another journey | MISSING | off_island(9, 20, journey_id="K"), OTHER
        heard there too late | MISSING | off_island(0, 20)
        never heard | MISSING
    """),
    "implied_speed_kn": [
        route(
            "a degree of latitude in ten hours",
            knots(DEGREE_KM, 10),
            heard(11),
            heard(1, 1.0),
        ),
        route(
            "a degree of longitude in six minutes",
            knots(DEGREE_KM, 0.1),
            heard(1),
            heard(0.9, 0.0, 1.0),
        ),
        route(
            "from Shanghai to Rotterdam in four hours",
            knots(km(SHANGHAI, ROTTERDAM), 4),
            heard(5, *SHANGHAI),
            heard(1, *ROTTERDAM),
        ),
        route(
            "over the date line it is a step",
            knots(2 * DEGREE_KM, 2),
            heard(3, 0.0, 179.0),
            heard(1, 0.0, -179.0),
        ),
        route(
            "the fastest of three movements",
            knots(5 * DEGREE_KM, 2),
            heard(9, 0.0),
            heard(7, 1.0),
            heard(5, 6.0),
            heard(3, 7.0),
        ),
        route(
            "positions that are told out of order",
            knots(DEGREE_KM, 2),
            heard(3, 3.0),
            heard(7, 1.0),
            heard(5, 2.0),
        ),
        route(
            "40 m of error in a second are what they are in five minutes",
            knots(round(0.040, 3), 5 / 60),
            heard(1),
            heard(1 - 1 / 3_600, 0.040 / DEGREE_KM),
        ),
        route(
            "a jump of ten degrees in a second is one all the same",
            knots(10 * DEGREE_KM, 5 / 60),
            heard(1),
            heard(1 - 1 / 3_600, 10.0),
        ),
        route("did not move", 0.0, heard(3, 1.0, 1.0), heard(1, 1.0, 1.0)),
        route(
            "the speed that was sent along is no matter", 0.0, at_speed(3, 20.0), at_speed(1, 20.0)
        ),
        route("never heard", MISSING),
        route("heard once", MISSING, heard(1)),
        route("heard at two places at one instant", MISSING, heard(1), heard(1, 1.0)),
        route(
            "heard again at the declaration is too late",
            MISSING,
            heard(1),
            position(observed_at=DECLARED, latitude=1.0),
        ),
        route(
            "another journey was heard elsewhere",
            MISSING,
            heard(5),
            heard(1, 1.0, journey_id="K"),
            OTHER,
        ),
        route(
            "another journey was heard between",
            0.0,
            heard(5),
            heard(3, 1.0, journey_id="K"),
            heard(1),
            OTHER,
        ),
    ],
    "meeting_count_30d": routes("""
        alone | 0.0 | drifting(5, 4.25)
        beside one other | 1.0 | drifting(5, 4.25), others(4.9)
        beside two others | 2.0 | drifting(5, 4.25), others(4.9, 4.1)
        beside three others | 3.0 | drifting(5, 4.25), others(4.9, 4.1, 5)
        among a fishing fleet | MISSING | drifting(5, 4.25), others(4.9, 4.1, 5, 4.5)
        one other that was heard twice | 1.0 | drifting(5, 4.25), drifting(4.9, 4.1, journey="K")
        in the hour before | 0.0 | drifting(5, 4.25), others(5.1)
        in the hour after | 0.0 | drifting(5, 4.25), others(4)
        on the edge of the square | 1.0 | drifting(5, 4.25),
            drifting(5, journey="K", at=(0.049, 0.049))
        north of the square | 0.0 | drifting(5, 4.25), drifting(5, journey="K", at=(0.051, 0))
        east of the square | 0.0 | drifting(5, 4.25), drifting(5, journey="K", at=(0, 0.051))
        over the date line | 1.0 | drifting(5, 4.25, at=(0.0, 180.0)),
            drifting(5, journey="K", at=(0.0, -180.0))
        passed by another | 0.0 | drifting(5, 4.25), drifting(5, journey="K", speed_kn=12.0)
        another's speed is not known | 0.0 | drifting(5, 4.25),
            drifting(5, journey="K", speed_kn=None)
        passed another | MISSING | drifting(5, 4.25, speed_kn=12.0), others(4.9)
        for half an hour | 1.0 | drifting(4.75, 4.25), others(4.9)
        for less | MISSING | drifting(4.74, 4.25), others(4.9)
        heard there once | MISSING | drifting(4.25), others(4.9)
        by the last place and hour in which it drifted | 0.0 | drifting(20, 19.25),
            drifting(20, journey="K"), drifting(5, 4.25, at=(9.0, -30.0))
        moved on since | 1.0 | drifting(5, 4.25), others(4.9),
            drifting(3, 2, at=(2.0, 0.0), speed_kn=12.0)
        a pilot boat off a port | MISSING |
            [off_island(hours, 18.4, speed_kn=0.5) for hours in (5, 4.25)],
            off_island(4.9, 18.4, speed_kn=0.5, journey_id="K")
        bunkering at anchor off a port | MISSING |
            [off_island(hours, 12, speed_kn=0.1) for hours in (20, 5, 4.25)],
            off_island(4.9, 12, speed_kn=0.1, journey_id="K")
        just beyond ten nautical miles | 1.0 |
            [off_island(hours, 18.6, speed_kn=0.5) for hours in (5, 4.25)],
            off_island(4.9, 18.6, speed_kn=0.5, journey_id="K")
        a driver who rests | MISSING | drifting(5, 4.25), others(4.9), mode="road"
        a barge | 1.0 | drifting(5, 4.25), others(4.9), mode="inland_waterway"
        another was heard just before the declaration | 1.0 | drifting(0.2, -0.49),
            drifting(-0.5 + 1e-9, journey="K"), declared_at=after(minutes=30)
        another was heard at the declaration | 0.0 | drifting(0.2, -0.49),
            drifting(-0.5, journey="K"), declared_at=after(minutes=30) - MOMENT
        30 days before | 1.0 | drifting(721, 720), others(720)
        longer ago | MISSING | drifting(722, 721), others(721)
        another drifted, and it was never heard | MISSING | others(4.9)
        never heard | MISSING
    """),
    "slow_position_ratio": routes("""
        one of four | 1 / 4 | at_speed(4, 1.0), *(at_speed(hours, 12.0) for hours in (1, 2, 3))
        three of four | 3 / 4 | at_speed(4, 12.0), *(at_speed(hours, 1.0) for hours in (1, 2, 3))
        never slow | 0.0 | at_speed(1, 12.0)
        stands still | 1.0 | at_speed(1, 0.0)
        just slower than two knots | 1.0 | at_speed(1, 1.999)
        two knots are not slow | 0.0 | at_speed(1, 2.0)
        a speed that was not sent along tells nothing | 1 / 1 | at_speed(2, 1.0), at_speed(1, None)
        no speed was ever sent along | MISSING | at_speed(1, None)
        slow in port is no matter | 0.0 | off_island(9, 2, speed_kn=0.1),
            off_island(8, 9.9, speed_kn=0.1), off_island(1, 90, speed_kn=12.0)
        slow off the coast | 1.0 | off_island(1, 20, speed_kn=1.0)
        only ever heard in port | MISSING | off_island(9, 2, speed_kn=0.1)
        a driver who rests | MISSING | at_speed(1, 0.0), mode="road"
        a barge | 1.0 | at_speed(1, 0.0), mode="inland_waterway"
        never heard | MISSING
        heard at the declaration is too late | MISSING |
            position(observed_at=DECLARED, speed_kn=1.0)
        heard after the declaration is too late | 0.0 | at_speed(-1, 1.0), at_speed(1, 12.0)
        heard just before the declaration | 1.0 |
            position(observed_at=DECLARED - MOMENT, speed_kn=1.0)
        another journey was slow | 0.0 | at_speed(2, 12.0), heard(1, speed_kn=1.0, journey_id="K"),
            OTHER
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
