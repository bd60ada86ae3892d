"""What `features/derived/position.py` makes of the positions of a journey."""

import numpy as np
import pytest

from features.derived.subject import derive_subjects
from features.engine.columns import columns_of_records
from features.linked_records import LINKED_RECORD_TYPES
from features.records import Journey, Position
from tests.features.derived.columns import check_of_linked
from tests.features.families.facts import (
    DECLARED,
    JOURNEY,
    MOMENT,
    Fact,
    Record,
    after,
    before,
    each,
    earlier_journey,
    position,
    route,
    table,
)
from tests.features.families.globe import km

DEGREE_M = km((0.0, 0.0), (1.0, 0.0)) * 1_000
OTHER = earlier_journey(journey_id="K", declared_at=DECLARED)


def heard(hours: float, latitude: float = 0.0, longitude: float = 0.0, **fields) -> Record:
    """A position heard so many hours before the declaration."""
    at = before(hours=hours)
    return position(observed_at=at, latitude=latitude, longitude=longitude, **fields)


def off_island(hours: float, km_north: float, **fields) -> Record:
    """A position so far north of the port of Saint Helena, which has no other near it."""
    return heard(hours, -15.9333 + km_north * 1_000 / DEGREE_M, -5.7167, **fields)


def drifting(hours: float, latitude: float = 0.0, longitude: float = 0.0, **fields) -> Record:
    """A position so many hours before at which it hardly moved."""
    return heard(hours, latitude, longitude, **{"speed_kn": 0.5} | fields)


def cell(row: int, place: int, hours: int) -> float:
    """The square in a row from the South Pole and a place from the date line, so many hours ago."""
    hour = int(DECLARED.timestamp()) // 3_600 - hours
    return float((row * 7_200 + place) * 2**21 + hour)


routes = table(route, globals())

FACTS = {
    "drift_cell": routes("""
        on the equator | [cell(1_800, 3_600, 2)] | drifting(2)
        until the hour is over | [cell(1_800, 3_600, 2)] | drifting(1 + 1 / 3_600)
        in the next hour | [cell(1_800, 3_600, 1)] | drifting(1)
        in the next row | [cell(1_801, 3_600, 2)] | drifting(2, 0.0501)
        in the next place | [cell(1_800, 3_601, 2)] | drifting(2, 0.0, 0.0501)
        west and south | [cell(1_799, 3_599, 2)] | drifting(2, -0.001, -0.001)
        at the date line from the east | [cell(1_800, 0, 2)] | drifting(2, 0.0, -180.0)
        at the date line from the west | [cell(1_800, 0, 2)] | drifting(2, 0.0, 180.0)
        just slower than two knots | [cell(1_800, 3_600, 2)] | drifting(2, speed_kn=1.999)
        two knots | [MISSING] | drifting(2, speed_kn=2.0)
        no speed | [MISSING] | drifting(2, speed_kn=None)
        ten nautical miles off a port | [MISSING] | off_island(2, 18.4, speed_kn=0.5)
        in port | [MISSING] | off_island(2, 1, speed_kn=0.5)
    """),
    "drift_minutes": routes("""
        two hours | [MISSING, 120.0] | drifting(3), drifting(1)
        each since the one before | [MISSING, 60.0, 30.0] | *map(drifting, (3, 2, 1.5))
        it moved between | [MISSING, MISSING] | drifting(3), drifting(1, 0.1)
        it drifted five kilometres | [MISSING, 120.0] | drifting(3), drifting(1, 0.045)
        it was under way before | [MISSING, MISSING] | heard(3, speed_kn=9.0), drifting(1)
        it is under way since | [MISSING, MISSING] | drifting(3), heard(1, speed_kn=9.0)
        by road | [MISSING, MISSING] | drifting(3), drifting(1), mode="road"
        a barge | [MISSING, 120.0] | drifting(3), drifting(1), mode="inland_waterway"
    """),
    "subject_id": routes("""
        its journey | ["J"] | heard(1)
        each | ["J", "J"] | heard(1), heard(2)
        not another journey's | ["J"] | heard(1), heard(2, journey_id="K"), OTHER
        of no journey that is there | [] | heard(1, journey_id="K")
        never heard | []
    """),
    "known_at": routes("""
        when it was heard | [before(hours=2)] | heard(2)
        in the order of hearing | [before(hours=5), before(hours=3), before(hours=1)] | heard(3),
            heard(1), heard(5)
        just before the declaration | [DECLARED - MOMENT] | position(observed_at=DECLARED - MOMENT)
        at the declaration is too late | [] | position(observed_at=DECLARED)
        after the declaration is too late | [] | position(observed_at=after(hours=1))
    """),
    "record_id": routes("""
        when it was heard | [before(hours=2), before(hours=1)] | heard(1), heard(2)
        never heard | []
    """),
    "gap_minutes": routes("""
        three hours | [MISSING, 180.0] | heard(4), heard(1)
        each since the one before | [MISSING, 60.0, 120.0] | heard(4), heard(3), heard(1)
        told out of order | [MISSING, 60.0, 120.0] | heard(1), heard(4), heard(3)
        in whole minutes, up | [MISSING, 1.0] | heard(1), heard(1 - 31 / 3_600)
        in whole minutes, down | [MISSING, 0.0] | heard(1), heard(1 - 29 / 3_600)
        at one instant | [MISSING, 0.0] | heard(1), heard(1)
        not since another journey's | [MISSING] | heard(3, journey_id="K"), heard(1), OTHER
        over another journey's | [MISSING, 180.0] | heard(4), heard(3, journey_id="K"), heard(1),
            OTHER
    """),
    "implied_m_per_h": routes("""
        a degree of latitude in four hours | [MISSING, round(DEGREE_M / 4)] | heard(5),
            heard(1, 1.0)
        a degree of longitude in six minutes | [MISSING, round(DEGREE_M / 0.1)] | heard(1),
            heard(0.9, 0.0, 1.0)
        on the globe, not on a plane | [MISSING, round(km(SHANGHAI, ROTTERDAM) * 1_000 / 2)] |
            heard(3, *SHANGHAI), heard(1, *ROTTERDAM)
        each since the one before | [MISSING, round(DEGREE_M), round(2 * DEGREE_M)] | heard(3),
            heard(2, 1.0), heard(1, 3.0)
        over the date line | [MISSING, round(2 * DEGREE_M)] | heard(2, 0.0, 179.0),
            heard(1, 0.0, -179.0)
        the way in whole metres: 10.4 m in six minutes | [MISSING, round(10 / 0.1)] | heard(1),
            heard(0.9, 10.4 / DEGREE_M)
        in less than five minutes, as if in five: 40 m in a second | [MISSING, (40 * 12)] |
            heard(1), heard(1 - 1 / 3_600, 40 / DEGREE_M)
        did not move | [MISSING, 0.0] | heard(2, 1.0, 1.0), heard(1, 1.0, 1.0)
        whatever speed was sent along | [MISSING, 0.0] | heard(2, speed_kn=9.0),
            heard(1, speed_kn=9.0)
        elsewhere at one instant | [MISSING, MISSING] | heard(1), heard(1, 1.0)
        not since another journey's | [MISSING] | heard(3, 9.0, journey_id="K"), heard(1), OTHER
    """),
    "is_slow": routes("""
        stands still | [1] | heard(1, speed_kn=0.0)
        just slower than two knots | [1] | heard(1, speed_kn=1.999)
        two knots | [0] | heard(1, speed_kn=2.0)
        twelve knots | [0] | heard(1, speed_kn=12.0)
        each by itself | [0, 1, 0] | heard(3, speed_kn=12.0), heard(2, speed_kn=1.0),
            heard(1, speed_kn=12.0)
        no speed was sent along | [MISSING] | heard(1)
        in port | [MISSING] | off_island(1, 9.9, speed_kn=0.0)
        off the coast | [1] | off_island(1, 10.1, speed_kn=0.0)
        a driver rests | [MISSING] | heard(1, speed_kn=0.0), mode="road"
        a barge waits | [1] | heard(1, speed_kn=0.0), mode="inland_waterway"
    """),
    "coastal_gap_minutes": routes("""
        from off the coast | [MISSING, 180.0] | off_island(4, 20), off_island(1, 400)
        to off the coast | [MISSING, MISSING] | off_island(4, 400), off_island(1, 20)
        from port | [MISSING, MISSING] | off_island(4, 9.9), off_island(1, 400)
        from the open sea | [MISSING, MISSING] | off_island(4, 55.6), off_island(1, 400)
        by road | [MISSING, MISSING] | off_island(4, 20), off_island(1, 400), mode="road"
    """),
    "is_off_coast": routes("""
        off the coast | [1] | off_island(1, 20)
        in port | [0] | off_island(1, 9.9)
        just outside of it | [1] | off_island(1, 10.1)
        just within 30 nautical miles | [1] | off_island(1, 55.5)
        just beyond | [0] | off_island(1, 55.6)
        far out | [0] | off_island(1, 400)
        by road | [0] | off_island(1, 20), mode="road"
    """),
}


@pytest.mark.parametrize(("column", "facts"), each(FACTS))
def test_a_column_of_a_position_is_what_its_facts_say(column: str, facts: list[Fact]) -> None:
    check_of_linked("positions", column, facts)


def test_the_first_position_of_every_journey_follows_none() -> None:
    ids = ("J", "K", "L")
    journeys = columns_of_records([Journey(**JOURNEY | {"journey_id": i}) for i in ids], Journey)
    positions = [Position(**heard(hours, journey_id=i).row) for i in ids for hours in (2, 1)]

    events = LINKED_RECORD_TYPES["positions"].derive_events(
        "route",
        derive_subjects("route", {"journeys": journeys}),
        columns_of_records(positions, Position),
    )

    for column in ("gap_minutes", "implied_m_per_h"):
        assert [*np.isnan(events[column])] == 3 * [True, False], column


def test_where_a_conveyance_drifts_since_the_declaration_is_missing() -> None:
    journeys = columns_of_records([Journey(**JOURNEY | {"journey_id": "J"})], Journey)
    instants = (DECLARED - MOMENT, DECLARED, after(hours=1))
    positions = [Position(**drifting(1).row | {"observed_at": at}) for at in instants]

    events = LINKED_RECORD_TYPES["positions"].derive_events(
        "route",
        derive_subjects("route", {"journeys": journeys}),
        columns_of_records(positions, Position),
    )

    assert [*np.isnan(events["drift_cell"])] == [False, True, True]
