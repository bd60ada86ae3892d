"""Positions that AIS tells of a ship belong to the journey that was declared of it."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyais import encode_dict
from sqlalchemy import func, select

from features.build_training_set import feature_matrix
from features.ingest.record_folder import RecordFolder
from features.messages.encoded_message import Leftovers, read_once
from features.messages.options import Options
from features.rescoring_rules import RescoringRules
from features.scoring_instants import at_instants, later_instants
from serving.access.callers import Caller
from serving.access.pseudonyms import Pseudonyms
from serving.history.export_records import HomeRecords
from serving.scoring.message_plan import ReadMessage
from serving.scoring.ships import NotedJourney, ShipPositions
from serving.storage.tables.scoring import records
from tests.serving.bodies import route, shipment
from tests.serving.scoring.test_danger_watch import Overdue, started

SHIP, OTHER_SHIP, BEACON = "255805587", "211331640", "970123456"
CALLS = 14
"""The navigational status of a ship that calls for help."""

_OF_POSITIONS = ("longest_silence_hours", "hours_since_last_heard")
HEARD = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def sentence(at: datetime = HEARD, mmsi: str = SHIP, status: int = 0) -> str:
    """A report of a ship's position, with the tag block that says when it was heard."""
    told = {"msg_type": 1, "mmsi": mmsi, "lat": 38.2, "lon": 26.1, "speed": 4, "status": status}
    tags = f"c:{int(at.timestamp())}"
    checksum = reduce(xor, tags.encode())
    (report,) = encode_dict(told, talker_id="AI")
    return f"\\{tags}*{checksum:02X}\\{report}"


def hear(overdue: Overdue, *sentences: str, key: str = "a", **query: Any) -> list[str]:
    """The journeys that the positions of a message went to."""
    headers = overdue.service.key("ingest", **query) | {"Idempotency-Key": key}
    body = "\n".join(sentences).encode()
    answer = overdue.service.client.post("/v1/messages/ais", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    told = answer.json()["positions"]
    assert [each["place"] for each in told] == [f"line {n}" for n in range(1, len(sentences) + 1)]
    return [each["journey_id"] for each in told]


def shipped(mmsi: str, journey_id: str = "J-1") -> dict[str, Any]:
    """A shipment that comes with its ship's journey, which nobody declares by itself."""
    body = shipment(journey_id=journey_id) | {"legs": []}
    return body | {"journey": body["journey"] | {"journey_id": journey_id, "mmsi": mmsi}}


@pytest.fixture
def overdue(home: Path) -> Iterator[Overdue]:
    with started(home, arrivals_are_reported=False) as made:
        yield made


def amended(overdue: Overdue, **changed: Any) -> None:
    """Send a later version of the journey."""
    at = overdue.now.isoformat()
    overdue.send(journeys=[{**route(mmsi=SHIP)["journey"], "known_at": at, **changed}])


def test_a_ship_that_calls_for_help_makes_its_declared_journey_a_rescue(overdue: Overdue) -> None:
    overdue.score(route(mmsi=SHIP))

    assert hear(overdue, sentence(mmsi=BEACON), sentence(status=CALLS)) == [f"mmsi-{BEACON}", "J-2"]

    assert overdue.run() == 1
    first, again = overdue.decisions()
    assert (first.lane, again.lane, again.subject_id) == ("release", "rescue", "J-2")
    assert [signal.code for signal in again.danger_signals] == ["L04"]


def test_the_silence_of_a_ship_that_was_heard_is_waited_for(overdue: Overdue) -> None:
    overdue.score(route(mmsi=SHIP))

    hear(overdue, sentence())
    overdue.at(HEARD + 2 * DAY)
    overdue.run()

    assert overdue.decisions()[-1].lane == "rescue"


def test_positions_of_a_ship_count_in_its_next_score_as_in_a_training_set(
    overdue: Overdue, tmp_path: Path
) -> None:
    overdue.score(route(mmsi=SHIP, conveyance_kind="container_ship"))
    reports = [sentence(HEARD + timedelta(minutes=n)) for n in range(3)]
    assert {*hear(overdue, *reports)} == {"J-2"}
    assert hear(overdue, reports[0], key="again") == ["J-2"]
    engine = overdue.service.services.decisions._engine
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(records)) == 3
    overdue.at(HEARD + DAY)
    while overdue.run():
        pass

    services = overdue.service.services
    stored = (services.decisions, services.records, Pseudonyms(b"of a test"))
    (exported := tmp_path / "exported").mkdir()
    HomeRecords(tmp_path / "none", *stored).write(exported, HEARD + 2 * DAY)
    folder = RecordFolder(exported)
    later = later_instants("route", folder, RescoringRules())
    rows = feature_matrix("route", folder, at_instants(later)).to_pandas().set_index("as_of")
    first, *again = overdue.decisions()
    assert first.vector["longest_silence_hours"] is None
    assert [each.scoring_instant for each in again] == [*rows.index[1:]]
    for each in again:
        row = rows.loc[pd.Timestamp(each.scoring_instant)]
        heard = {name: each.vector[name] for name in _OF_POSITIONS}
        assert None not in heard.values()
        assert heard == {name: row[name] for name in _OF_POSITIONS}


def test_an_amended_or_withdrawn_journey_gets_what_its_ship_says_since(overdue: Overdue) -> None:
    overdue.score(route(mmsi=SHIP))
    amended(overdue, mmsi=OTHER_SHIP, version=2)

    both = sentence(), sentence(mmsi=OTHER_SHIP)
    assert hear(overdue, *both, key="1") == [f"mmsi-{SHIP}", "J-2"]

    amended(overdue, mmsi=OTHER_SHIP, version=3, withdrawn=True)
    told = sentence(mmsi=OTHER_SHIP), sentence(mmsi=OTHER_SHIP, status=CALLS)
    assert hear(overdue, *told, key="2") == [f"mmsi-{OTHER_SHIP}", "J-2"]


@pytest.mark.parametrize("called_at", ["before", "after"])
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_call_that_was_heard_before_its_journey_was_declared_makes_it_a_rescue_all_the_same(
    home: Path, engine: str, called_at: str, request: pytest.FixtureRequest
) -> None:
    where = request.getfixturevalue("postgres").new_database() if engine == "postgresql" else ""
    with started(home, where, arrivals_are_reported=False) as overdue:
        declared = route(mmsi=SHIP, departed_at=(HEARD - DAY).isoformat())
        declared_at = datetime.fromisoformat(declared["journey"]["declared_at"])
        at = declared_at - timedelta(minutes=5) if called_at == "before" else HEARD
        assert hear(overdue, sentence(at), sentence(at, status=CALLS)) == [f"mmsi-{SHIP}"] * 2

        overdue.score(declared)
        overdue.run()

        newest = overdue.decisions()[-1]
        assert (newest.lane, newest.subject_id) == ("rescue", "J-2")
        assert [signal.code for signal in newest.danger_signals] == ["L04"]
        of_ship, of_journey = (
            overdue.service.services.records.about([("route", each)])[("route", each)]
            for each in (f"mmsi-{SHIP}", "J-2")
        )
        assert len(of_ship) == 2
        assert [json.loads(row.body)["is_distress"] for row in of_journey] == [True]


@pytest.mark.parametrize(
    ("at", "mmsi", "status"),
    [
        pytest.param(HEARD - 5 * DAY, SHIP, CALLS, id="of an earlier journey"),
        pytest.param(HEARD, OTHER_SHIP, CALLS, id="of another ship"),
        pytest.param(HEARD, BEACON, CALLS, id="of a beacon"),
        pytest.param(HEARD, SHIP, 0, id="no call"),
    ],
)
def test_nothing_follows_to_a_journey_that_is_declared_afterwards_but_a_call_from_it(
    overdue: Overdue, at: datetime, mmsi: str, status: int
) -> None:
    hear(overdue, sentence(at, mmsi, status))

    overdue.score(route(mmsi=SHIP, departed_at=(HEARD - DAY).isoformat()))
    overdue.run()

    assert [each.lane for each in overdue.decisions()] == ["release"]


def test_a_journey_that_only_a_shipment_named_gets_what_its_ship_says(overdue: Overdue) -> None:
    overdue.score(shipped(SHIP))
    assert hear(overdue, sentence(), key="1") == ["J-1"]
    assert hear(overdue, sentence(), key="2", offices=("DE004600",)) == [f"mmsi-{SHIP}"]

    overdue.score(shipped(SHIP, journey_id="J-5"))
    assert hear(overdue, sentence(), key="3") == ["J-5"]


def test_no_shipment_says_otherwise_than_who_declares_the_journey(overdue: Overdue) -> None:
    overdue.score(shipped(SHIP, journey_id="J-2"))
    overdue.score(route(mmsi=SHIP))
    overdue.score(shipped(OTHER_SHIP, journey_id="J-2"))
    overdue.score(shipped(SHIP, journey_id="J-2"))

    both = sentence(), sentence(mmsi=OTHER_SHIP)
    assert hear(overdue, *both) == ["J-2", f"mmsi-{OTHER_SHIP}"]
    assert hear(overdue, sentence(), key="office", offices=("DE004600",)) == ["J-2"]


def test_a_call_follows_once_however_often_its_journey_is_scored(overdue: Overdue) -> None:
    hear(overdue, sentence(status=CALLS))
    for _ in range(3):
        overdue.score(route(mmsi=SHIP))

    with overdue.service.services.decisions._engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(records)) == 2


def test_what_another_office_decides_about_gets_nothing_from_a_key_of_one(overdue: Overdue) -> None:
    caller = overdue.service.key("score", offices=("DE1",))
    overdue.service.score(route(mmsi=SHIP), caller)

    assert hear(overdue, sentence(), key="1", offices=("DE2",)) == [f"mmsi-{SHIP}"]
    assert hear(overdue, sentence(), key="2", offices=("DE1",)) == ["J-2"]


@dataclass
class Noted:
    """Journeys of one ship, each known by its token."""

    journeys: list[NotedJourney]

    def noted(self, mmsis: Collection[str], due_since: datetime) -> dict[str, list[NotedJourney]]:
        found = [each for each in self.journeys if each.due_at >= due_since]
        return dict.fromkeys(mmsis, found)

    def journey_id(self, token: str) -> str | None:
        return None if token == "erased" else token


def journey(name: str, begins: float, due: float, **changed: Any) -> NotedJourney:
    """A journey that begins and is due so many days after the ship was heard."""
    begins_at, due_at = HEARD + begins * DAY, HEARD + due * DAY
    told = {"declared_at": begins_at, "noted_at": begins_at, "version": 1}
    said = {"is_withdrawn": False, "is_of_ship": True} | told | changed
    return NotedJourney(name, begins_at=begins_at, due_at=due_at, **said)


A, B = journey("A", -3, 1), journey("B", -1, 2)
AGAIN = journey("again", -3, 1, declared_at=HEARD - 2 * DAY)
LATE, LESS_LATE = journey("late", -20, -6.9), journey("less late", -30, -5)
LONG_LATE, LOST = journey("long late", -30, -7.1), journey("lost", -300, -89.9)
GONE = journey("gone", -300, -90.1)
TO_BEGIN = journey("to begin", 1, 3, declared_at=HEARD - DAY, noted_at=HEARD - DAY)
AHEAD = journey("ahead", 365, 367, noted_at=HEARD - DAY)
AFTER = journey("after", 0.1, 3)
WITHDRAWN = journey("A", -3, 1, version=2, is_withdrawn=True, noted_at=HEARD)
NEW_SHIP = journey("A", -3, 1, version=2, is_of_ship=False, noted_at=HEARD)

NONE = f"mmsi-{SHIP}"


@pytest.mark.parametrize(
    ("journeys", "heard", "called"),
    [
        pytest.param([], NONE, NONE, id="nobody declared any"),
        pytest.param([A, B], "A", "A", id="the one that is due next"),
        pytest.param([B, A], "A", "A", id="in any order"),
        pytest.param([A, AGAIN], "again", "again", id="of two alike the one declared last"),
        pytest.param([LATE, B], "B", "B", id="not yet due before overdue"),
        pytest.param([LATE, LESS_LATE], "less late", "less late", id="the least overdue"),
        pytest.param([A, TO_BEGIN], "A", "A", id="not one that begins later"),
        pytest.param([TO_BEGIN], NONE, "to begin", id="who leaves early may call"),
        pytest.param([AHEAD], NONE, "ahead", id="by a clock that is ahead"),
        pytest.param([AFTER], NONE, NONE, id="declared afterwards"),
        pytest.param([LATE], "late", "late", id="late"),
        pytest.param([LONG_LATE], NONE, "long late", id="long overdue"),
        pytest.param([LOST], NONE, "lost", id="missing for long"),
        pytest.param([GONE], NONE, NONE, id="over for long"),
        pytest.param([A, LONG_LATE], "A", "A", id="under way before overdue"),
        pytest.param([A, WITHDRAWN], NONE, "A", id="withdrawn"),
        pytest.param([A, NEW_SHIP], NONE, NONE, id="another ship since"),
        pytest.param([journey("erased", -1, 1), A], "A", "A", id="erased"),
    ],
)
def test_the_journey_of_a_position_is_the_one_that_is_under_way_and_of_a_call_who_may_call(
    journeys: list[NotedJourney], heard: str, called: str
) -> None:
    told = sentence(), sentence(status=CALLS), sentence(mmsi=BEACON)
    body = "\n".join(told).encode()
    said = read_once("ais", body, Options(key=bytes(32), received_at=HEARD))
    read = ReadMessage(said, Leftovers.of(said))
    ships: Any = ShipPositions(Noted(journeys), None)  # type: ignore[arg-type]  # of all offices
    caller = Caller("feed", "feed", frozenset({"ingest"}), frozenset())

    made = ships.assigned(read, caller).conversion.records

    assert [each.fields["journey_id"] for each in made] == [heard, called, f"mmsi-{BEACON}"]
