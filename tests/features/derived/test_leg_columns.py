"""What `features/derived/leg.py` makes of the legs of a journey."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.derived.subject import derive_subjects
from features.engine.columns import columns_of_records
from features.linked_records import LINKED_RECORD_TYPES
from features.records import Journey, Leg
from tests.features.derived.columns import check_of_linked
from tests.features.families.facts import (
    DECLARED,
    JOURNEY,
    MISSING,
    Fact,
    Record,
    before,
    each,
    earlier_journey,
    leg,
    route,
    table,
)

OTHER = earlier_journey(journey_id="K", declared_at=DECLARED)
START = before(days=20)


def took(sequence: int, hours: float, **fields: Any) -> Record:
    """A leg from Shanghai to Rotterdam, if nothing else is said, that took so many hours."""
    arrived_at = START + timedelta(hours=hours)
    return leg(sequence, departed_at=START, arrived_at=arrived_at, **fields)


def arriving(hour: int, minute: int = 0, **fields: Any) -> Record:
    """A leg that ended at this time of the day before the declaration.

    In Rotterdam the sun is 17.8 minutes ahead of UTC.
    """
    arrived_at = datetime(2025, 6, 15, hour, minute, tzinfo=UTC)
    return leg(1, **{"arrived_at": arrived_at, "known_at": before(hours=1)} | fields)


routes = table(route, globals())

FACTS = {
    "subject_id": routes("""
        its journey | ["J"] | leg(1)
        each | ["J", "J"] | leg(1), leg(2)
        not another journey's | ["J"] | leg(1), leg(2, journey_id="K"), OTHER
        of no journey that is there | [] | leg(1, journey_id="K")
        no leg | []
    """),
    "known_at": routes("""
        when it became known | [before(days=1)] | leg(1)
        in the order of knowledge | [before(days=3), before(days=2), before(days=1)] |
            leg(1, known_at=before(days=2)), leg(2, known_at=before(days=3)),
            leg(3, known_at=before(days=1))
        just before the declaration | [DECLARED - MOMENT] | leg(1, known_at=DECLARED - MOMENT)
        at the declaration is too late | [] | leg(1, known_at=DECLARED)
        after the declaration is too late | [] | leg(1, known_at=after(days=1))
        nobody knows since when | [] | leg(1, known_at=None)
    """),
    "record_id": routes("""
        its place in the sequence | [7] | leg(7)
        known at one instant: in sequence | [1, 2, 3] | leg(3), leg(1), leg(2)
        otherwise as they became known | [2, 1] | leg(1), leg(2, known_at=before(days=2))
    """),
    "distance_m": routes("""
        from Shanghai to Rotterdam | [round(km(SHANGHAI, ROTTERDAM) * 1_000)] | leg(1)
        from Shanghai to Singapore | [round(km(SHANGHAI, SINGAPORE) * 1_000)] |
            leg(1, destination="SGSIN")
        from Antwerp | [round(km(ANTWERP, ROTTERDAM) * 1_000)] | leg(1, origin="BEANR")
        to where it starts | [0.0] | leg(1, destination="CNSHA")
        an origin that no table has | [MISSING] | leg(1, origin="nowhere")
        a destination that no table has | [MISSING] | leg(1, destination="nowhere")
    """),
    "dwell_minutes": [
        route(
            "each since the arrival before",
            [MISSING, 24 * 60.0, 36 * 60.0],
            leg(1, destination="SGSIN", arrived_at=before(days=9)),
            leg(
                2,
                origin="SGSIN",
                destination="EGPSD",
                departed_at=before(days=8),
                arrived_at=before(days=6),
            ),
            leg(3, origin="EGPSD", departed_at=before(days=4, hours=12)),
        ),
        route(
            "told out of order",
            [MISSING, 24 * 60.0],
            leg(2, origin="NLRTM", departed_at=before(days=8)),
            leg(1, arrived_at=before(days=9)),
        ),
        route(
            "in whole minutes, up",
            [MISSING, 2.0],
            leg(1, arrived_at=START),
            leg(2, origin="NLRTM", departed_at=START + timedelta(seconds=91)),
        ),
        route(
            "in whole minutes, down",
            [MISSING, 1.0],
            leg(1, arrived_at=START),
            leg(2, origin="NLRTM", departed_at=START + timedelta(seconds=89)),
        ),
        route(
            "on as it arrives",
            [MISSING, 0.0],
            leg(1, arrived_at=START),
            leg(2, origin="NLRTM", departed_at=START),
        ),
        route(
            "on before it arrived is no stop",
            [MISSING, 0.0],
            leg(1, arrived_at=START),
            leg(2, origin="NLRTM", departed_at=START - timedelta(hours=3)),
        ),
        route(
            "no arrival before",
            [MISSING, MISSING],
            leg(1, departed_at=START),
            leg(2, origin="NLRTM", departed_at=START),
        ),
        route(
            "no departure",
            [MISSING, MISSING],
            leg(1, arrived_at=START),
            leg(2, origin="NLRTM", arrived_at=START),
        ),
        route(
            "the one before is known too late",
            [MISSING],
            leg(1, arrived_at=before(days=9), known_at=DECLARED),
            leg(2, origin="NLRTM", departed_at=before(days=8)),
        ),
        route(
            "the one before is another journey's",
            [MISSING],
            leg(1, journey_id="K", arrived_at=before(days=9)),
            leg(2, origin="NLRTM", departed_at=before(days=8)),
            OTHER,
        ),
        route(
            "a leg between is not known, so it did not stop all that time",
            [MISSING, MISSING],
            leg(1, destination="SGSIN", arrived_at=before(days=9)),
            leg(3, origin="EGPSD", departed_at=before(days=4)),
        ),
        route(
            "a leg between there and back is not known",
            [MISSING, MISSING],
            leg(1, destination="SGSIN", arrived_at=before(days=9)),
            leg(3, origin="SGSIN", departed_at=before(days=4)),
        ),
        route(
            "starts elsewhere, so where it stopped is not known",
            [MISSING, MISSING],
            leg(1, destination="SGSIN", arrived_at=before(days=9)),
            leg(2, origin="EGPSD", departed_at=before(days=4)),
        ),
    ],
    "is_unconnected": routes("""
        the first follows none | [0] | leg(1, origin="SGSIN")
        starts where the one before ended | [0, 0] | leg(1, destination="SGSIN"),
            leg(2, origin="SGSIN")
        starts elsewhere | [0, 1] | leg(1, destination="SGSIN"), leg(2, origin="EGPSD")
        told out of order | [0, 0] | leg(2, origin="SGSIN"), leg(1, destination="SGSIN")
        the one between is known too late | [0, 0] | leg(1, destination="SGSIN"),
            leg(2, origin="SGSIN", destination="EGPSD", known_at=DECLARED), leg(3, origin="EGPSD")
        the one before is another journey's | [0] | leg(1, journey_id="K"), leg(2), OTHER
    """),
    "is_after_gap": routes("""
        the first that is known | [0] | leg(5)
        the next by its number | [0, 0] | leg(1), leg(2)
        one left out | [0, 1] | leg(1), leg(3)
        told out of order | [0, 1] | leg(4), leg(1)
        the one between is another journey's | [0, 1] | leg(1), leg(2, journey_id="K"), leg(3),
            OTHER
    """),
    "is_measured": routes("""
        between known places | [1] | leg(1)
        to a place that no table has | [0] | leg(1, destination="nowhere")
        from one | [0] | leg(1, origin="nowhere")
    """),
    "speed_to_fastest_ppm": routes("""
        a ship, of 75 km/h | [round(round(km(SHANGHAI, ROTTERDAM) * 1_000 / 500) * 1_000 / 75)] |
            took(1, 500)
        a truck, of 110 km/h | [round(round(km(ANTWERP, ROTTERDAM) * 1_000 / 9) * 1_000 / 110)] |
            took(1, 9, origin="BEANR", mode="road")
        did not move | [0.0] | took(1, 8, destination="CNSHA")
        arrived as it departed | [MISSING] | took(1, 0)
        arrived before it departed | [MISSING] | took(1, -8)
        no departure | [MISSING] | leg(1, arrived_at=START)
        no arrival | [MISSING] | leg(1, departed_at=START)
        a destination that no table has | [MISSING] | took(1, 8, destination="nowhere")
    """),
    "is_start": routes("""
        from the journey's origin | [1] | leg(1)
        from elsewhere | [0] | leg(1, origin="SGSIN")
        the second is no start | [1, 0] | leg(1), leg(2)
        the first that is known | [1] | leg(5)
    """),
    "is_arrival": routes("""
        at the journey's destination | [1] | leg(1)
        elsewhere | [0] | leg(1, destination="SGSIN")
        each by itself | [0, 1] | leg(1, destination="SGSIN"), leg(2, origin="SGSIN")
    """),
    "is_arrived": routes("""
        at the journey's destination | [1] | arriving(12)
        elsewhere | [0] | arriving(12, destination="SGSIN")
        not yet | [0] | leg(1)
        announced for later | [0] | leg(1, arrived_at=after(hours=12))
    """),
    "is_night_landing": routes("""
        at noon | [0] | arriving(12)
        just before 22 o'clock by the sun of Rotterdam | [0] | arriving(21, 42)
        just after it | [1] | arriving(21, 43)
        at midnight | [1] | arriving(0)
        just before 5 o'clock by the sun | [1] | arriving(4, 42)
        just after it | [0] | arriving(4, 43)
        night in UTC, morning in Shanghai | [0] | arriving(23, destination="CNSHA")
        by the sun where it begins, in no table where it ends | [0] | arriving(23, destination="x")
        nowhere near a table | [MISSING] | arriving(23, origin="y", destination="x")
        by road | [MISSING] | arriving(23, mode="road")
        by road, as the journey | [MISSING] | arriving(23), mode="road"
        announced for a night to come | [MISSING] | leg(1, arrived_at=after(hours=12))
        has not arrived | [MISSING] | leg(1)
    """),
    "is_mode_switch": routes("""
        as the journey declares | [0] | leg(1, mode="sea")
        by another mode | [1] | leg(1, mode="road")
        by road, as the journey | [0] | leg(1, mode="road"), mode="road"
        no mode is told, so it is the journey's | [0] | leg(1)
        each by itself | [1, 0, 1] | leg(1, mode="road"), leg(2), leg(3, mode="rail")
    """),
}


@pytest.mark.parametrize(("column", "facts"), each(FACTS))
def test_a_column_of_a_leg_is_what_its_facts_say(column: str, facts: list[Fact]) -> None:
    check_of_linked("legs", column, facts)


def test_the_first_leg_of_every_journey_follows_none() -> None:
    ids = ("J", "K", "L")
    journeys = columns_of_records([Journey(**JOURNEY | {"journey_id": i}) for i in ids], Journey)
    legs = [Leg(**took(sequence, 0, journey_id=i).row) for i in ids for sequence in (1, 2)]

    events = LINKED_RECORD_TYPES["legs"].derive_events(
        "route", derive_subjects("route", {"journeys": journeys}), columns_of_records(legs, Leg)
    )

    follows = [*zip(events["record_id"], events["is_unconnected"], strict=True)]
    assert follows == 3 * [(1, 0), (2, 1)]
