"""Which ship is on which journey is noted with what says so, found by tokens, and ends with it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from serving.access.actors import Actor
from serving.audit.erasure import ErasureLimits, RetainedUnits
from serving.audit.logged_decision import StoredAnswer
from serving.audit.retention_log import RetentionAct
from serving.audit.ship_journey import ShipJourney
from serving.history.received_records import ReceivedRecord
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.log_positions import SHIP_JOURNEYS
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.repositories.ship_journey_repository import ShipJourneyRepository
from serving.storage.tables.audit import log_positions
from serving.storage.tables.scoring import ship_journeys
from tests.serving.bodies import route, submission
from tests.serving.conftest import NOW
from tests.serving.databases import database
from tests.serving.review.cases.decisions import decision
from tests.serving.scoring.test_ships import shipped
from tests.serving.storage.test_rotated_subjects import rotated

SHIP = "255805587"
LONG_AGO = NOW - timedelta(days=400)
BY = Actor("cli:1000@host", "ada")


def decide(engine: Engine, name: str, at: datetime = NOW, **journey: Any) -> None:
    """Decide about a route."""
    decide_about(engine, name, route(journey_id=name, mmsi=SHIP, **journey), at)


def decide_about(engine: Engine, name: str, body: dict[str, Any], at: datetime = NOW) -> None:
    """Decide about a subject."""
    ship = ShipJourney.of_submission(submission(body))
    made = decision(body, decision_id=f"{name} {at}", scored_at=at).logged(None, ship)
    answer = StoredAnswer("c", f"{name} {at}", "digest", made.decision_id, made.scored_at, b"")
    DecisionRepository(engine).append([(made, answer)])


def receive(engine: Engine, name: str) -> None:
    """Receive a journey as a record."""
    journey = submission(route(journey_id=name, mmsi=SHIP)).subject.model_dump_json()
    record = ReceivedRecord("journeys", name, "route", name, NOW.isoformat(), "c", journey)
    RecordRepository(engine).add_new([record])


def on(engine: Engine) -> list[str | None]:
    """The journeys that the ship is found on."""
    ships = ShipJourneyRepository(engine)
    return sorted(str(ships.journey_id(each.token)) for each in ships.noted({SHIP}, LONG_AGO)[SHIP])


def rows(engine: Engine) -> list[Any]:
    """What is noted."""
    with engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(select(ship_journeys)))


def note_all(engine: Engine) -> None:
    """Note what is not noted yet."""
    for _ in range(4):
        ShipJourneyRepository(engine).note_older()


@pytest.fixture
def engine(where: Path | str) -> Engine:
    """A database in which a ship is on one journey that was decided about, and on one received."""
    engine = database(where)
    decide(engine, "J-2")
    receive(engine, "J-3")
    return engine


def test_journeys_of_before_are_noted_as_those_that_are_noted_when_they_come(
    engine: Engine,
) -> None:
    decide(engine, "J-2", NOW + timedelta(hours=1), due_at="2026-11-26T10:00:00Z")
    before = rows(engine)
    assert (len(before), on(engine)) == (2, ["J-2", "J-3"])
    with engine.begin() as connection:
        connection.execute(ship_journeys.delete())
        SHIP_JOURNEYS.move(connection, 3, record_id="")

    note_all(engine)

    assert rows(engine) == before
    with engine.connect() as connection:
        own = log_positions.c.name == SHIP_JOURNEYS.name
        place = connection.execute(select(log_positions).where(own)).one()
    assert (place.seq, place.record_id) == (1, None)


def test_a_ship_is_found_when_tokens_are_rotated_and_by_the_new_key_alone_soon_after(
    where: Path | str, engine: Engine
) -> None:
    rotated(where)
    former = {ship for _, _, ship, *_ in rows(engine)}
    assert on(engine) == ["J-2", "J-3"]

    note_all(engine)

    assert on(engine) == ["J-2", "J-3"]
    assert {ship for _, _, ship, *_ in rows(engine)}.isdisjoint(former)


def test_a_journey_that_came_with_a_shipment_is_noted_as_long_as_a_decision_about_that(
    where: Path | str,
) -> None:
    engine = database(where)
    decide_about(engine, "S-1", shipped(SHIP))
    assert on(engine) == ["J-1"]

    rotated(where)
    assert rows(engine) == []
    decide_about(engine, "S-1 again", shipped(SHIP))
    assert on(engine) == ["J-1"]

    ends = (NOW + timedelta(days=2)).isoformat()[:10]
    erasure = DatabaseErasure(engine)
    erasure.sweep(ErasureLimits(decisions="", records=ends))
    assert on(engine) == ["J-1"]
    limits = ErasureLimits(decisions=ends, records="")
    act = RetentionAct(NOW.isoformat(), "erase", "ada", "its time is over", {})
    erasure.erase(limits, lambda _: RetainedUnits(), act)
    erasure.sweep(limits)
    assert rows(engine) == []


def test_what_is_noted_of_a_journey_ends_with_what_says_it(engine: Engine) -> None:
    erasure = DatabaseErasure(engine)
    ends = (NOW + timedelta(days=2)).isoformat()[:10]
    act = RetentionAct(NOW.isoformat(), "erase", "ada", "its time is over", {})

    limits = ErasureLimits(decisions=ends, records="")
    erasure.erase(limits, lambda _: RetainedUnits(), act)
    erasure.sweep(limits)
    assert on(engine) == ["J-3"]
    assert len(rows(engine)) == 1

    limits = ErasureLimits(decisions=ends, records=ends)
    erasure.erase(limits, lambda _: RetainedUnits(), act)
    erasure.sweep(limits)
    assert rows(engine) == []


def test_a_masked_journey_is_found_no_more_once_it_was_due(engine: Engine) -> None:
    decide(engine, "J-4", due_at="2027-01-01T00:00:00Z")
    erasure = DatabaseErasure(engine)

    erasure.remove_masked_terms("2026-11-26", RetainedUnits())

    assert on(engine) == ["J-4"]
