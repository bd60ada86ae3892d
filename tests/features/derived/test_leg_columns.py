"""What `features/derived/leg.py` makes of the legs of a journey."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
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
    MOMENT,
    Fact,
    Record,
    after,
    before,
    each,
    earlier_journey,
    leg,
    route,
)
from tests.features.families.globe import ANTWERP, ROTTERDAM, SHANGHAI, SINGAPORE, km

OTHER = earlier_journey(journey_id="K", declared_at=DECLARED)
START = before(days=20)


def took(sequence: int, hours: float, **fields: Any) -> Record:
    """A leg from Shanghai to Rotterdam, if nothing else is said, that took so many hours."""
    arrived_at = START + timedelta(hours=hours)
    return leg(sequence, departed_at=START, arrived_at=arrived_at, **fields)


def arriving(hour: int, minute: int = 0, second: int = 0, microsecond: int = 0) -> Record:
    """A leg that ended at this time of the day before the declaration."""
    return leg(1, arrived_at=datetime(2025, 6, 15, hour, minute, second, microsecond, tzinfo=UTC))


FACTS = {
    "subject_id": [
        route("its journey", ["J"], leg(1)),
        route("each", ["J", "J"], leg(1), leg(2)),
        route("not another journey's", ["J"], leg(1), leg(2, journey_id="K"), OTHER),
        route("of no journey that is there", [], leg(1, journey_id="K")),
        route("no leg", []),
    ],
    "known_at": [
        route("when it became known", [before(days=1)], leg(1)),
        route(
            "in the order of knowledge",
            [before(days=3), before(days=2), before(days=1)],
            leg(1, known_at=before(days=2)),
            leg(2, known_at=before(days=3)),
            leg(3, known_at=before(days=1)),
        ),
        route(
            "just before the declaration", [DECLARED - MOMENT], leg(1, known_at=DECLARED - MOMENT)
        ),
        route("at the declaration is too late", [], leg(1, known_at=DECLARED)),
        route("after the declaration is too late", [], leg(1, known_at=after(days=1))),
        route("nobody knows since when", [], leg(1, known_at=None)),
    ],
    "record_id": [
        route("its place in the sequence", [7], leg(7)),
        route("known at one instant: in sequence", [1, 2, 3], leg(3), leg(1), leg(2)),
        route("otherwise as they became known", [2, 1], leg(1), leg(2, known_at=before(days=2))),
    ],
    "distance_m": [
        route("from Shanghai to Rotterdam", [round(km(SHANGHAI, ROTTERDAM) * 1_000)], leg(1)),
        route(
            "from Shanghai to Singapore",
            [round(km(SHANGHAI, SINGAPORE) * 1_000)],
            leg(1, destination="SGSIN"),
        ),
        route("from Antwerp", [round(km(ANTWERP, ROTTERDAM) * 1_000)], leg(1, origin="BEANR")),
        route("to where it starts", [0.0], leg(1, destination="CNSHA")),
        route("an origin that no table has", [MISSING], leg(1, origin="nowhere")),
        route("a destination that no table has", [MISSING], leg(1, destination="nowhere")),
    ],
    "speed_m_per_h": [
        route("in eight hours", [round(km(SHANGHAI, ROTTERDAM) * 1_000 / 8)], took(1, 8)),
        route("in half an hour", [round(km(SHANGHAI, ROTTERDAM) * 1_000 / 0.5)], took(1, 0.5)),
        route(
            "in whole metres",
            [round(km(ANTWERP, ROTTERDAM) * 1_000 / 9)],
            took(1, 9, origin="BEANR"),
        ),
        route("did not move", [0.0], took(1, 8, destination="CNSHA")),
        route("arrived as it departed", [MISSING], took(1, 0)),
        route("arrived before it departed", [MISSING], took(1, -8)),
        route("no departure", [MISSING], leg(1, arrived_at=START)),
        route("no arrival", [MISSING], leg(1, departed_at=START)),
        route("a destination that no table has", [MISSING], took(1, 8, destination="nowhere")),
    ],
    "dwell_minutes": [
        route(
            "each since the arrival before",
            [MISSING, 24 * 60.0, 36 * 60.0],
            leg(1, arrived_at=before(days=9)),
            leg(2, departed_at=before(days=8), arrived_at=before(days=6)),
            leg(3, departed_at=before(days=4, hours=12)),
        ),
        route(
            "told out of order",
            [MISSING, 24 * 60.0],
            leg(2, departed_at=before(days=8)),
            leg(1, arrived_at=before(days=9)),
        ),
        route(
            "in whole minutes, up",
            [MISSING, 2.0],
            leg(1, arrived_at=START),
            leg(2, departed_at=START + timedelta(seconds=91)),
        ),
        route(
            "in whole minutes, down",
            [MISSING, 1.0],
            leg(1, arrived_at=START),
            leg(2, departed_at=START + timedelta(seconds=89)),
        ),
        route(
            "on as it arrives", [MISSING, 0.0], leg(1, arrived_at=START), leg(2, departed_at=START)
        ),
        route(
            "on before it arrived is no stop",
            [MISSING, 0.0],
            leg(1, arrived_at=START),
            leg(2, departed_at=START - timedelta(hours=3)),
        ),
        route(
            "no arrival before",
            [MISSING, MISSING],
            leg(1, departed_at=START),
            leg(2, departed_at=START),
        ),
        route(
            "no departure", [MISSING, MISSING], leg(1, arrived_at=START), leg(2, arrived_at=START)
        ),
        route(
            "the one before is known too late",
            [MISSING],
            leg(1, arrived_at=before(days=9), known_at=DECLARED),
            leg(2, departed_at=before(days=8)),
        ),
        route(
            "the one before is another journey's",
            [MISSING],
            leg(1, journey_id="K", arrived_at=before(days=9)),
            leg(2, departed_at=before(days=8)),
            OTHER,
        ),
        route(
            "a leg between is not known, so it did not stop all that time",
            [MISSING, MISSING],
            leg(1, destination="SGSIN", arrived_at=before(days=9)),
            leg(3, origin="EGPSD", departed_at=before(days=4)),
            today=[MISSING, 5 * 24 * 60.0],
        ),
    ],
    "is_unconnected": [
        route("the first follows none", [0], leg(1, origin="SGSIN")),
        route(
            "starts where the one before ended",
            [0, 0],
            leg(1, destination="SGSIN"),
            leg(2, origin="SGSIN"),
        ),
        route("starts elsewhere", [0, 1], leg(1, destination="SGSIN"), leg(2, origin="EGPSD")),
        route("told out of order", [0, 0], leg(2, origin="SGSIN"), leg(1, destination="SGSIN")),
        route(
            "the one between is known too late",
            [0, 1],
            leg(1, destination="SGSIN"),
            leg(2, origin="SGSIN", destination="EGPSD", known_at=DECLARED),
            leg(3, origin="EGPSD"),
        ),
        route("the one before is another journey's", [0], leg(1, journey_id="K"), leg(2), OTHER),
    ],
    "is_night_arrival": [
        route("at noon", [0], arriving(12)),
        route("just before 22 o'clock", [0], arriving(21, 59, 59, 999_999)),
        route("at 22 o'clock", [1], arriving(22)),
        route("in the hour from 23", [1], arriving(23, 59, 59)),
        route("at midnight", [1], arriving(0)),
        route("just before 5 o'clock", [1], arriving(4, 59, 59, 999_999)),
        route("at 5 o'clock", [0], arriving(5)),
        route(
            "by UTC, wherever it is",
            [1],
            leg(1, arrived_at=datetime(2025, 6, 15, 7, tzinfo=timezone(timedelta(hours=8)))),
        ),
        route("has not arrived", [MISSING], leg(1)),
    ],
    "is_mode_switch": [
        route("as the journey declares", [0], leg(1, mode="sea")),
        route("by another mode", [1], leg(1, mode="road")),
        route("by road, as the journey", [0], leg(1, mode="road"), mode="road"),
        route("no mode is told, so it is the journey's", [0], leg(1)),
        route("each by itself", [1, 0, 1], leg(1, mode="road"), leg(2), leg(3, mode="rail")),
    ],
}


@pytest.mark.parametrize(("column", "fact"), each(FACTS))
def test_a_column_of_a_leg_is_what_its_facts_say(column: str, fact: Fact) -> None:
    check_of_linked("legs", column, fact)


def test_the_first_leg_of_every_journey_follows_none() -> None:
    ids = ("J", "K", "L")
    journeys = columns_of_records([Journey(**JOURNEY | {"journey_id": i}) for i in ids], Journey)
    legs = [Leg(**took(sequence, 0, journey_id=i).row) for i in ids for sequence in (1, 2)]

    events = LINKED_RECORD_TYPES["legs"].derive_events(
        "route", derive_subjects("route", {"journeys": journeys}), columns_of_records(legs, Leg)
    )

    has_dwell = ~np.isnan(events["dwell_minutes"])
    assert [*zip(events["record_id"], has_dwell, strict=True)] == 3 * [(1, False), (2, True)]
    assert [*events["is_unconnected"]] == 3 * [0, 1]
