"""Calls to rescuers: signed, made again until taken, by any worker, and in nobody's way."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine

from serving.access.errors import AddressRefused
from serving.access.signed_webhook import SignedWebhook
from serving.app import create_app
from serving.degraded_modes import degradations
from serving.outbox.rescue import RETRY, RescueChannel
from serving.review.cases.case_of_decision import case_of_decision
from serving.review.cases.case_records import CaseAccess
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.repositories.rescue_call_repository import RescueCallRepository
from serving.storage.tables.review import cases
from tests.serving.bodies import route, shipment
from tests.serving.clock import Clock
from tests.serving.conftest import NOW, Service
from tests.serving.people import person
from tests.serving.postgres import Server
from tests.serving.review.cases.stated import HELPED

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
IN_DANGER = {"certified_capacity": 12, "persons_on_board": 41}


@dataclass
class Station:
    """A real server that answers what `answers` says, and in the end with 204."""

    address: str = ""
    answers: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def station(*answers: int) -> Iterator[Station]:
    told = Station(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
            status = told.answers.pop(0) if told.answers else 204
            self.send_response(status)
            if status == 307:
                self.send_header("Location", told.address + "/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the output of the tests clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def calling(home: Path, to: Station, clock: Clock, where: str | None = None) -> Iterator[Service]:
    """A service that calls a station, whose thread only looks when it is told to."""
    settings = Settings(
        home=home,
        rescue_webhook=to.address,
        rescue_secret=SecretStr(SECRET),
        database_url=SecretStr(where) if where else None,
    )
    app = create_app(settings, clock=clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.outbox.outbox.POLL_INTERVAL_S", 3600.0)
        with TestClient(app) as client:
            yield Service(client, app.state.services, home)


def calls(service: Service) -> RescueChannel:
    made = service.services.rescue_calls
    assert made is not None
    return made


def test_a_call_that_fails_is_made_again_until_it_is_taken(home: Path) -> None:
    clock = Clock()
    with station(500, 307, 429) as to, calling(home, to, clock) as service:
        answer = service.score(route(**IN_DANGER), service.key("score"))
        assert answer.json()["lane"] == "rescue"

        for attempts in range(1, 5):
            calls(service).deliver_due()
            calls(service).deliver_due()
            assert len(to.heard) == attempts
            held = degradations(service.services)
            assert ("rescue_not_called" in held) == (attempts < 4)
            clock.now += RETRY.delay(attempts)
        case_id = answer.json()["decision_id"]
        assert calls(service).outbox.acknowledge(case_id, person("watch officer"), clock.now)
        clock.now += timedelta(days=1)
        calls(service).deliver_due()

    assert len(to.heard) == 4
    assert len({json.loads(body)["data"]["case_id"] for _, body in to.heard}) == 1


def test_a_call_proves_who_makes_it_and_when(home: Path) -> None:
    with station() as to, calling(home, to, Clock()) as service:
        service.score(route(**IN_DANGER), service.key("score"))
        calls(service).deliver_due()

    ((headers, body),) = to.heard
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    proof = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{proof}"
    assert int(headers["webhook-timestamp"]) == int(NOW.timestamp())
    assert headers["webhook-id"] == json.loads(body)["data"]["case_id"]


def test_a_call_says_what_to_find_and_names_no_party(home: Path) -> None:
    seen = {"observed_at": "2026-11-24T09:00:00Z", "latitude": 36.5, "longitude": 24.25}
    journey = route(**IN_DANGER)
    journey["positions"] = [
        {
            "journey_id": journey["journey"]["journey_id"],
            **seen,
            "source": "ais",
        }
    ]
    with station() as to, calling(home, to, Clock()) as service:
        answer = service.score(journey, service.key("score"))
        assert answer.status_code == 200, answer.text
        calls(service).deliver_due()

    ((_, body),) = to.heard
    data = json.loads(body)["data"]
    assert data["signal"] == "41 persons on board of a fishing vessel certified for 12"
    assert data["conveyance_id"] == journey["journey"]["conveyance_id"]
    assert (data["last_heard"]["latitude"], data["last_heard"]["longitude"]) == (36.5, 24.25)
    for party in ("carrier_id", "consignor", "consignee", "payer"):
        assert party not in body.decode()
    assert journey["journey"]["carrier_id"] not in body.decode()


def test_a_call_says_where_the_craft_was_heard_by_the_time_of_the_call(home: Path) -> None:
    heard = {"observed_at": "2026-11-24T11:59:00Z", "latitude": 36.25, "longitude": 24.5}
    with station() as to, calling(home, to, Clock()) as service:
        body = route(**IN_DANGER)
        journey_id = body["journey"]["journey_id"]
        service.score(body, service.key("score"))
        later = {"positions": [{"journey_id": journey_id, "source": "radar", **heard}]}
        taken = service.client.post("/v1/records", json=later, headers=service.key("ingest"))
        assert taken.json()["accepted"] == 1
        calls(service).deliver_due()

    last = json.loads(to.heard[0][1])["data"]["last_heard"]
    assert (last["latitude"], last["source"]) == (36.25, "radar")


def test_a_person_acknowledges_by_call_and_it_is_told_to_nobody_else(home: Path) -> None:
    clock = Clock()
    with station() as to, calling(home, to, clock) as service:
        case_id = service.score(route(**IN_DANGER), service.key("score")).json()["decision_id"]
        calls(service).deliver_due()
        clock.now += timedelta(minutes=5)
        calls(service).deliver_due()
        assert len(to.heard) == 2
        assert "rescue_not_acknowledged" in degradations(service.services)
        address = f"/v1/rescue-calls/{case_id}"
        body, rescuer = {"by": "watch officer"}, service.key("rescue")

        for caller in (service.key("review"), service.key("score"), service.key("explain")):
            for answer in (
                service.client.get(address, headers=caller),
                service.client.post(f"{address}/acknowledgement", json=body, headers=caller),
            ):
                assert answer.status_code == 403
        told = service.client.post(f"{address}/acknowledgement", json=body, headers=rescuer)
        clock.now += timedelta(days=1)
        calls(service).deliver_due()

        assert "rescue_not_acknowledged" not in degradations(service.services)
    assert told.json()["acknowledged_by"].startswith("watch officer (caller-")
    assert [step["action"] for step in told.json()["steps"]] == [
        *("called", "escalated", "called", "acknowledged"),
    ]
    assert len(to.heard) == 2


def test_a_call_about_a_subject_that_was_scored_again_is_acknowledged_by_its_case(
    home: Path,
) -> None:
    clock = Clock()
    with station() as to, calling(home, to, clock) as service:
        first = service.score(route(), service.key("score")).json()
        again = route() | {"as_of": "2026-11-24T11:00:00Z"}
        again["positions"] = [{"journey_id": "J-2", **CALLING}]
        assert service.score(again, service.key("score")).json()["lane"] == "rescue"
        calls(service).deliver_due()
        acknowledge = json.loads(to.heard[0][1])["data"]["acknowledge"]["address"]

        told = service.client.post(
            acknowledge, json={"by": "watch officer"}, headers=service.key("rescue")
        )
        clock.now += timedelta(days=1)
        calls(service).deliver_due()

        assert acknowledge == f"/v1/rescue-calls/{first['decision_id']}/acknowledgement"
        assert told.status_code == 200, told.text
        assert [step["action"] for step in told.json()["steps"]] == ["called", "acknowledged"]
        assert calls(service).outbox.unacknowledged() == []
    assert len(to.heard) == 1


CALLING = {
    **{"observed_at": "2026-11-24T10:30:00Z", "latitude": 38.2, "longitude": 26.1},
    "is_distress": True,
}


def test_a_rescue_of_a_subject_whose_case_ended_has_a_case_of_its_own(home: Path) -> None:
    clock = Clock()
    (home / "lanes.toml").write_text(WATCHED)
    with station() as to, calling(home, to, clock) as service:
        listed = service.score(route(**LISTED), service.key("score")).json()
        store = service.services.case_store
        store.open_new(case_of_decision)
        with store._engine.begin() as connection:
            connection.execute(cases.update().values(status="closed", owner="ada"))
        again = route(**LISTED) | {"as_of": "2026-11-24T11:00:00Z"}
        again["positions"] = [{"journey_id": "J-2", **CALLING}]
        rescued = service.score(again, service.key("score")).json()
        calls(service).deliver_due()
        rescuer = service.key("rescue")

        told = json.loads(to.heard[0][1])["data"]
        assert told["case_id"] == rescued["decision_id"]
        ended = service.client.get(f"/v1/cases/{listed['decision_id']}", headers=rescuer)
        assert ended.status_code == 404
        acknowledge = told["acknowledge"]["address"]
        body = {"by": "watch officer"}
        assert service.client.post(acknowledge, json=body, headers=rescuer).status_code == 200
        for act, body in (("claim", {}), ("results", HELPED)):
            address = f"/v1/cases/{told['case_id']}/{act}"
            assert service.client.post(address, json=body, headers=rescuer).status_code == 200
        before = store.case(listed["decision_id"], CaseAccess(frozenset(), is_rescue=False))
        assert before is not None
        assert (before.status, before.owner) == ("closed", "ada")
        assert calls(service).outbox.unacknowledged() == []


LISTED = {"conveyance_id": "v-watched"}
WATCHED = """edition = "1"

[[watched]]
kind = "conveyance"
value = "v-watched"
list = "wanted"
reason = "file 7"
"""


@pytest.mark.parametrize("is_called_before", [True, False])
def test_whoever_ends_a_rescue_has_acknowledged_its_call(
    home: Path, *, is_called_before: bool
) -> None:
    clock = Clock()
    with station() as to, calling(home, to, clock) as service:
        case_id = service.score(route(**IN_DANGER), service.key("score")).json()["decision_id"]
        if is_called_before:
            calls(service).deliver_due()
        rescuer = service.key("rescue")
        name = f"caller-{service.posted}"
        clock.now += timedelta(seconds=30)

        for act, body in (("claim", None), ("results", HELPED)):
            address = f"/v1/cases/{case_id}/{act}"
            answer = service.client.post(address, json=body, headers=rescuer)
            assert answer.status_code == 200, answer.text
        clock.now += timedelta(days=1)
        calls(service).deliver_due()

        assert calls(service).outbox.unacknowledged() == []
        assert "rescue_not_acknowledged" not in degradations(service.services)
        acknowledged = calls(service).outbox.events(case_id)[-1]
        assert (acknowledged.action, acknowledged.by.name) == ("acknowledged", name)
        service.client.post(f"/v1/cases/{case_id}/reopen", json=NOTE, headers=rescuer)
        calls(service).deliver_due()
    assert len(to.heard) == is_called_before


NOTE = {"text": "two of them were not counted"}


def test_an_acknowledgement_of_nothing_or_by_nobody_is_refused(home: Path) -> None:
    with station() as to, calling(home, to, Clock()) as service:
        inspected = service.score(shipment(), service.key("score")).json()["decision_id"]
        rescued = service.score(route(**IN_DANGER), service.key("score")).json()["decision_id"]
        rescuer = service.key("rescue")

        def status(case_id: str, **body: str) -> int:
            address = f"/v1/rescue-calls/{case_id}/acknowledgement"
            return service.client.post(address, json=body, headers=rescuer).status_code

        assert status("none", by="watch officer") == 404
        assert status(inspected, by="watch officer") == 404
        assert status(rescued) == status(rescued, by="") == 422
        assert calls(service).outbox.events(rescued) == []


def test_no_other_lane_is_called(home: Path) -> None:
    with station() as to, calling(home, to, Clock()) as service:
        for number in range(5):
            service.score(shipment(shipment_id=f"S-{number}"), service.key("score"))
        calls(service).deliver_due()

    assert to.heard == []


def test_a_decision_waits_for_no_call_and_survives_a_station_that_is_gone(home: Path) -> None:
    with station() as gone:
        pass
    clock = Clock()
    with calling(home, gone, clock) as service:
        answer = service.score(route(**IN_DANGER), service.key("score"))
        calls(service).deliver_due()
        assert answer.json()["lane"] == "rescue"
        assert calls(service).outbox.count_refused() == 1
    clock.now += RETRY.delay(1)

    with station() as to, calling(home, to, clock) as service:
        calls(service).deliver_due()

    ((_, body),) = to.heard
    assert json.loads(body)["data"]["case_id"] == answer.json()["decision_id"]


def test_what_was_decided_before_there_was_a_webhook_is_not_called(home: Path) -> None:
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app) as client:
        earlier = Service(client, app.state.services, home)
        earlier.score(route(**IN_DANGER), earlier.key("score"))

    with station() as to, calling(home, to, Clock()) as service:
        service.posted = earlier.posted
        service.score(route(journey_id="J-later", **IN_DANGER), service.key("score"))
        calls(service).deliver_due()

    assert len(to.heard) == 1


def opened(where: str, home: Path) -> Engine:
    return open_database(where, is_service=False, keys=home / "keys")


def test_of_several_workers_one_makes_the_call(home: Path, postgres: Server) -> None:
    where, clock = postgres.new_database(), Clock()
    with station() as to, calling(home, to, clock, where) as service:
        for number in range(6):
            service.score(route(journey_id=f"J-{number}", **IN_DANGER), service.key("score"))
        directory = calls(service).directory
        others = [
            RescueChannel(RescueCallRepository(engine), directory, clock)
            for engine in (opened(where, home) for _ in range(3))
        ]
        threads = [threading.Thread(target=each.deliver_due) for each in (calls(service), *others)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    ids = [headers["webhook-id"] for headers, _ in to.heard]
    assert len(ids) == len(set(ids)) == 6


class Killed(Exception):
    """The process ended here."""


def killed(*_: Any) -> None:
    raise Killed


def test_a_call_that_a_killed_worker_had_taken_is_made_by_another(
    home: Path, where: Path | str
) -> None:
    clock, url = Clock(), where if isinstance(where, str) else None
    with station() as to, calling(home, to, clock, url) as service:
        case_id = service.score(route(**IN_DANGER), service.key("score")).json()["decision_id"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SignedWebhook, "post", killed)
            with pytest.raises(Killed):
                calls(service).deliver_due()
        other = RescueChannel(
            RescueCallRepository(service.services.decisions._engine),
            calls(service).directory,
            clock,
        )
        other.deliver_due()
        assert to.heard == []
        clock.now += RETRY.delay(1)
        other.deliver_due()
        calls(service).deliver_due()

        assert len(to.heard) == 1
        assert other.outbox.acknowledge(case_id, person("watch officer"), clock.now)
        assert not calls(service).outbox.acknowledge(case_id, person("another"), clock.now)


def test_the_calls_are_made_by_themselves(home: Path) -> None:
    with station(503) as to:
        settings = Settings(home=home, rescue_webhook=to.address, rescue_secret=SecretStr(SECRET))
        clock = Clock()
        app = create_app(settings, clock=clock)
        with TestClient(app) as client:
            service = Service(client, app.state.services, home)
            service.score(route(**IN_DANGER), service.key("score"))
            is_heard = threading.Event()
            for _ in range(100):
                if len(to.heard) == 2 or is_heard.wait(0.1):
                    break
                clock.now += RETRY.delay(1)

    assert len(to.heard) >= 2


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("http://station.example/", SECRET),
        ("ftp://127.0.0.1/", SECRET),
        ("https://name:word@station.example/", SECRET),
        ("https://station.example/", "whsec_c2hvcnQ="),
        ("https://station.example/", base64.b64encode(KEY).decode()),
        ("https://station.example/", "whsec_???"),
        ("https://station.example/", ""),
    ],
)
def test_a_webhook_that_nobody_could_trust_is_refused(address: str, secret: str) -> None:
    with pytest.raises(AddressRefused) as refusal:
        SignedWebhook.from_secret(address, secret)
    assert not secret or secret not in str(refusal.value)
