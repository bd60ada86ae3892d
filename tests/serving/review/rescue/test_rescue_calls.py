"""Calls to rescuers: who may be called, what proves the caller, what it says, and when it ends."""

import base64
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from features.records import Position
from serving.access.errors import AddressRefused
from serving.audit.logged_decision import StoredAnswer
from serving.outbox.outbox import POLL_INTERVAL_S, Outbox
from serving.outbox.rescue import RETRY, DueRescueCall, RescueChannel
from serving.review.rescue.rescue_calls import (
    RescueDirectory,
    call_content,
)
from serving.review.rescue.rescue_centres import RescueCentre, RescueCentres
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.rescue_call_repository import RescueCallRepository
from serving.storage.write_lock import write_transaction
from serving.triage.life_at_risk import DangerSignal
from tests.serving.bodies import route, shipment
from tests.serving.databases import database
from tests.serving.people import person
from tests.serving.review.cases.decisions import AT, decision

KEY = bytes(range(24))
ADDRESS = "https://rescue.example/calls"


def secret(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def position(minutes: int, latitude: float) -> dict[str, Any]:
    at = AT - timedelta(minutes=minutes)
    return {
        "journey_id": "J-2",
        "observed_at": at.isoformat(),
        "latitude": latitude,
        "longitude": 24.25,
        "source": "ais",
    }


def directory(*addresses: str, patience_minutes: float = 5.0) -> RescueDirectory:
    """One centre for everything, with these addresses."""
    centre = RescueCentre(
        name="MRCC Piraeus",
        receives_for_state="GR",
        brings_to_place_of_safety=True,
        telephone="+30 210 411 2500",
        addresses=addresses or (ADDRESS,),
        covers=("sea", "land"),
    )
    centres = RescueCentres(
        centres=(centre,),
        desk_telephone="+49 40 555 0100",
        acknowledge_within_minutes=patience_minutes,
    )
    return RescueDirectory(centres, secret(KEY), "https://tidegate.example/")


def content(body: Any, later: timedelta = timedelta(), step: int = 0, **fields: Any) -> Any:
    made = decision(body, lane="rescue", life_at_risk="41 persons", **fields)
    return call_content(made, made.submission, directory(), step, AT + later)


def test_a_call_says_what_to_find_where_it_was_heard_last_and_where_it_goes() -> None:
    found_by = {"imo_number": "9074729", "mmsi": "255805587", "call_sign": "CQKR7"}
    body = route(persons_on_board=41, certified_capacity=12, **found_by)
    last = position(3, 36.5) | {"course_degrees": 214.0, "speed_kn": 4.5, "error_radius_m": 50.0}
    body |= {"positions": [position(9, 35.0), last, position(5, 37.0)]}

    call = content(body, timedelta(minutes=1), danger_signals=(DangerSignal("L03", "41 persons"),))

    assert (call["type"], call["timestamp"]) == ("rescue.placed", AT)
    assert call["data"] == {
        "case_id": "d-1",
        "signal": "41 persons",
        "signals": [{"code": "L03", "words": "41 persons"}],
        "is_declared": True,
        "earlier_alerts": [],
        "office_id": "DE004600",
        "persons_on_board": 41,
        "certified_capacity": 12,
        "mode": "sea",
        "conveyance_id": "v-10",
        "conveyance_kind": "fishing_vessel",
        **found_by,
        "plate_number": None,
        "registration_country": body["journey"].get("registration_country"),
        "cargo_unit": None,
        "origin": "TRIZM",
        "destination": "GRPIR",
        "departed_at": None,
        "due_at": datetime(2026, 11, 25, 10, tzinfo=UTC),
        "last_heard": {
            "at": AT - timedelta(minutes=3),
            "age_minutes": 4.0,
            "latitude": 36.5,
            "longitude": 24.25,
            "source": "ais",
            "error_radius_m": 50.0,
            "course_degrees": 214.0,
            "speed_kn": 4.5,
            "is_distress": None,
        },
        "ground": "sea",
        "centre": {
            "name": "MRCC Piraeus",
            "telephone": "+30 210 411 2500",
            "receives_for_state": "GR",
        },
        "desk_telephone": "+49 40 555 0100",
        "advice": None,
        "step": 0,
        "acknowledge": {
            "address": "https://tidegate.example/v1/rescue-calls/d-1/acknowledgement",
            "within_minutes": 5.0,
        },
    }


def test_on_land_a_call_says_the_number_for_everybody_and_the_plate() -> None:
    lorry = route(mode="road", conveyance_kind="truck", plate_number="34 ABC 123")

    data = content(lorry)["data"]

    assert data["ground"] == "land"
    assert data["advice"] == "On land: call 112, for an ambulance and the fire brigade."
    assert data["plate_number"] == "34 ABC 123"
    assert data["last_heard"] is None


def test_a_call_names_no_party() -> None:
    assert not re.search(r"c-00|k-3", str(content(shipment())))


def test_every_address_of_every_centre_is_checked_at_the_start() -> None:
    with pytest.raises(AddressRefused, match="whsec_ and 24 bytes"):
        RescueDirectory(directory().centres, "")


TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


@contextmanager
def station(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers every call with the next of these bytes; its address and calls."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                with server.accept()[0] as caller:
                    heard.append(caller.recv(65_536))
                    while not heard[-1].endswith(b"}}"):
                        heard[-1] += caller.recv(65_536)
                    caller.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        thread.join(5)


class Rescued:
    """An outbox in a real database, decisions in it, and a clock that is told the time."""

    def __init__(self, folder: Path) -> None:
        self.engine = database(folder / "log.db")
        self.log, self.outbox = DecisionRepository(self.engine), RescueCallRepository(self.engine)
        self.outbox.begin()
        self.now = AT

    def clock(self) -> datetime:
        return self.now

    def decide(self, decision_id: str) -> None:
        made = decision(route(), decision_id=decision_id, lane="rescue")
        answer = StoredAnswer("c", decision_id, "digest", decision_id, AT.isoformat(), b"")
        self.log.append([(made.logged(), answer)])

    def calls(self, *addresses: str) -> RescueChannel:
        return RescueChannel(self.outbox, directory(*addresses), self.clock)

    def steps(self, decision_id: str) -> list[tuple[str, str]]:
        return [(each.action, each.by.name) for each in self.outbox.events(decision_id)]

    @contextmanager
    def without_table_of_calls(self) -> Iterator[None]:
        self._rename_table("rescue_calls", "elsewhere")
        yield
        self._rename_table("elsewhere", "rescue_calls")

    def _rename_table(self, before: str, after: str) -> None:
        with write_transaction(self.engine) as connection:
            connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")


@pytest.fixture
def rescued(tmp_path: Path) -> Iterator[Rescued]:
    made = Rescued(tmp_path)
    yield made
    made.log.close()


def test_waits_double_from_ten_seconds_to_five_minutes() -> None:
    waits = [RETRY.delay(attempts).total_seconds() for attempts in (1, 2, 3, 4, 5, 6, 7, 10_000)]
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]


def test_a_call_that_was_taken_waits_for_a_person_and_is_made_no_more_once_one_acts(
    rescued: Rescued,
) -> None:
    for number in (1, 2):
        rescued.decide(f"d-{number}")
    with station(TAKEN, TAKEN) as (address, heard):
        calls = rescued.calls(address)
        calls.deliver_due()
        rescued.now += timedelta(minutes=5, seconds=-1)
        calls.deliver_due()
        assert [
            rescued.outbox.acknowledge(f"d-{n}", person("watch officer"), rescued.now)
            for n in (1, 2)
        ]
        rescued.now += timedelta(days=1)
        calls.deliver_due()

    assert sorted(b'"d-1"' in each for each in heard) == [False, True]
    assert (calls.is_refused, calls.is_unheard) == (False, False)
    assert rescued.steps("d-1") == [
        ("called", "MRCC Piraeus, address 1"),
        ("acknowledged", "watch officer"),
    ]


def test_a_call_that_nobody_acknowledges_goes_on_to_the_next_address_and_round_again(
    rescued: Rescued,
) -> None:
    rescued.decide("d-1")
    with station(TAKEN, TAKEN) as (first, heard), station(TAKEN) as (second, also_heard):
        calls = rescued.calls(first, second)
        for unheard in (False, True, True):
            calls.deliver_due()
            calls.deliver_due()
            assert calls.is_unheard == unheard
            rescued.now += timedelta(minutes=5)
        rescued.outbox.acknowledge("d-1", person("watch officer"), rescued.now)
        calls.deliver_due()

    assert (len(heard), len(also_heard)) == (2, 1)
    assert [action for action, _ in rescued.steps("d-1")] == [
        "called",
        *("escalated", "called") * 2,
        "acknowledged",
    ]
    assert not calls.is_unheard


def test_a_centre_that_is_down_keeps_no_call_from_the_next_address(rescued: Rescued) -> None:
    rescued.decide("d-1")
    with station(TAKEN) as (second, heard):
        calls = rescued.calls("http://127.0.0.1:9", second)
        for _ in range(61):
            calls.deliver_due()
            rescued.now += timedelta(seconds=5)

    assert len(heard) == 1
    assert ("refused", "MRCC Piraeus, address 1") in rescued.steps("d-1")
    assert ("called", "MRCC Piraeus, address 2") in rescued.steps("d-1")


def test_only_the_first_acknowledgement_counts_and_all_are_written_down(rescued: Rescued) -> None:
    rescued.decide("d-1")
    with station(TAKEN) as (address, _):
        rescued.calls(address).deliver_due()

    assert rescued.outbox.acknowledge("d-1", person("Piraeus"), AT)
    assert not rescued.outbox.acknowledge("d-1", person("Rome"), AT)
    assert rescued.steps("d-1")[1:] == [("acknowledged", "Piraeus"), ("acknowledged", "Rome")]
    assert rescued.outbox.unacknowledged() == []


def test_a_call_says_where_the_conveyance_was_heard_since(rescued: Rescued) -> None:
    rescued.decide("d-1")
    since = Position.model_validate_json(json.dumps(position(-2, 38.5)))
    with station(TAKEN) as (address, heard):
        calls = RescueChannel(
            rescued.outbox,
            directory(address),
            rescued.clock,
            lambda known: known.model_copy(update={"positions": (since,)}),
        )
        calls.deliver_due()

    assert b'"latitude":38.5' in heard[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 500 Internal Server Error\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
)
def test_whatever_is_answered_but_a_yes_the_call_is_made_again(
    rescued: Rescued, answer: bytes
) -> None:
    rescued.decide("d-1")
    with station(answer, TAKEN) as (address, heard):
        calls = rescued.calls(address)
        with capture_logs() as written:
            calls.deliver_due()
        assert calls.is_refused
        (line,) = written
        assert (line["event"], line["attempts"]) == ("rescue_not_called", 1)
        assert line["exception"] in {"HTTPError", "RemoteDisconnected", "OSError"}
        rescued.now += RETRY.first - timedelta(seconds=1)
        calls.deliver_due()
        assert (len(heard), calls.is_refused) == (1, True)
        rescued.now += timedelta(seconds=1)
        calls.deliver_due()

    assert len(heard) == 2
    assert not calls.is_refused


def test_a_decision_that_was_erased_before_its_call_is_told_and_called_no_one(
    rescued: Rescued,
) -> None:
    calls = rescued.calls("http://127.0.0.1:9")

    with capture_logs() as written:
        calls.call(DueRescueCall("d-1", None, 3))

    assert [(w["event"], w["attempts"]) for w in written] == [("rescue_erased_uncalled", 3)]


def test_after_its_end_no_further_call_is_made(rescued: Rescued) -> None:
    rescued.decide("d-1")
    with station() as (address, heard):
        calls = rescued.calls(address)
        calls.stop()
        calls.deliver_due()

    assert heard == []


@contextmanager
def started(calls: RescueChannel) -> Iterator[None]:
    outbox = Outbox([calls])
    outbox.start()
    try:
        yield
    finally:
        outbox.stop()


def wait_until(is_so: Callable[[], bool], at_most_s: float = 60) -> None:
    ends_at = time.monotonic() + at_most_s
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.01)


def test_what_is_decided_after_the_start_is_called_by_itself(rescued: Rescued) -> None:
    assert POLL_INTERVAL_S == 0.5
    with station(TAKEN) as (address, heard):
        calls = rescued.calls(address)
        assert not calls.is_refused
        with started(calls):
            rescued.decide("d-1")
            wait_until(lambda: bool(heard))

    assert b'"d-1"' in heard[0]


def test_calls_outlive_a_log_that_fails_for_a_while(rescued: Rescued) -> None:
    rescued.decide("d-1")
    with (
        station(TAKEN) as (address, heard),
        capture_logs() as written,
        ExitStack() as running,
    ):
        with rescued.without_table_of_calls():
            running.enter_context(started(rescued.calls(address)))
            wait_until(lambda: bool(written))
        wait_until(lambda: bool(heard))

    assert {line["event"] for line in written} == {"outbox_waits"}
    assert "the database failed (OperationalError)" in written[0]["reason"]
    assert b'"d-1"' in heard[0]
