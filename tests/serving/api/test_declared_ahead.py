"""No entry point takes a declaration ahead of the service's clock; calls for help are kept."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from serving.audit.decision import Decision
from serving.audit.replay import replayed
from tests.serving.api.test_messages import sample, send, stored
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service

Body = dict[str, Any]

LATEST = NOW + timedelta(hours=2)
TOO_LATE = LATEST + timedelta(seconds=1)
HEARD = {
    "journey_id": "J-2",
    "observed_at": NOW.isoformat(),
    "latitude": 38.2,
    "longitude": 26.1,
    "source": "ais",
    "is_distress": True,
}
WHY = "2026-11-24T14:00:01Z is more than 2 hours after the clock of the service, which says "


def set_clock(service: Service, now: datetime) -> None:
    object.__setattr__(service.services, "clock", lambda: now)


def ahead(pointer: str) -> dict[str, str]:
    detail = f"{WHY}2026-11-24T12:00:00Z: want at most 2026-11-24T14:00:00Z"
    return {"pointer": pointer, "code": "declared_ahead", "detail": detail}


def with_journey(at: datetime) -> Body:
    body = shipment()
    return body | {"journey": body["journey"] | {"declared_at": at.isoformat()}}


def send_waybill(service: Service, caller: dict[str, str], received_at: datetime) -> Any:
    """Send a waybill that is declared when it was received."""
    waybill = sample("cargo_xml")
    return send(service, caller, waybill, "cargo_xml", received_at=received_at.isoformat())


SUBMISSIONS: list[tuple[str, Callable[[datetime], Body]]] = [
    ("/shipment/declared_at", lambda at: shipment(declared_at=at.isoformat())),
    ("/journey/declared_at", lambda at: route(declared_at=at.isoformat())),
    ("/journey/declared_at", with_journey),
    ("/as_of", lambda at: shipment() | {"as_of": at.isoformat()}),
]


@pytest.mark.parametrize(("pointer", "body"), SUBMISSIONS)
def test_a_submission_more_than_two_hours_ahead_is_refused_and_says_both_times(
    service: Service, pointer: str, body: Callable[[datetime], Body]
) -> None:
    caller = service.key("score")

    refused = service.score(body(TOO_LATE), caller)
    years_ahead = service.score(body(NOW.replace(year=2031)), caller)

    assert (refused.status_code, years_ahead.status_code) == (422, 422)
    assert refused.json()["errors"] == [ahead(pointer)]
    assert refused.json()["detail"].startswith(f"declared ahead of the clock: {WHY}")
    assert service.services.decisions.size() == 0
    assert service.score(body(LATEST), caller).json()["unscored"] is None


def test_in_a_batch_only_what_lies_ahead_is_refused(service: Service) -> None:
    bodies = [shipment(), shipment(shipment_id="S-2", declared_at=TOO_LATE.isoformat())]
    headers = service.key("score") | {"Idempotency-Key": "batch"}

    lines = service.client.post("/v1/scores/batch", json=bodies, headers=headers).json()

    assert [line["status"] for line in lines] == [200, 422]
    assert lines[1]["answer"]["errors"] == [ahead("/shipment/declared_at")]


def test_records_keep_what_does_not_lie_ahead(service: Service) -> None:
    journeys = [
        {**route()["journey"], "journey_id": name, "declared_at": at.isoformat()}
        for name, at in (("J-7", LATEST), ("J-8", TOO_LATE))
    ]
    shipments = [shipment(declared_at=TOO_LATE.isoformat())["shipment"]]
    caller = service.key("ingest")

    taken = service.client.post(
        "/v1/records", json={"journeys": journeys, "shipments": shipments}, headers=caller
    ).json()
    alone = service.client.post("/v1/records", json={"shipments": shipments}, headers=caller)

    assert taken["accepted"] == 1
    assert taken["errors"] == [ahead("/journeys/1/declared_at"), ahead("/shipments/0/declared_at")]
    assert (alone.status_code, alone.json()["errors"]) == (422, [ahead("/shipments/0/declared_at")])


def test_of_a_message_that_lies_ahead_nothing_is_kept(service: Service) -> None:
    caller = service.key("ingest", "score")

    refused = send_waybill(service, caller, NOW.replace(year=2031))

    assert refused.status_code == 422
    for fault in refused.json()["errors"]:
        assert fault["code"] == "declared_ahead"
        assert fault["pointer"] in ("given with the import", "/Waybill/BusinessHeaderDocument/ID")
        assert "2026-11-24T12:00:00Z" in fault["detail"]
    assert stored(service) == [0, 0, 0, 0]
    assert send_waybill(service, caller, NOW).status_code == 200


@pytest.mark.parametrize("is_clock_doubted", [False, True])
@pytest.mark.parametrize("is_batch", [False, True])
def test_a_call_for_help_in_what_lies_ahead_is_kept(
    service: Service, *, is_batch: bool, is_clock_doubted: bool
) -> None:
    caller = service.key("score")
    service.score(shipment(), caller)
    if is_clock_doubted:
        set_clock(service, NOW - timedelta(days=1))
    body = route(declared_at=TOO_LATE.isoformat()) | {"positions": [HEARD]}
    if is_batch:
        headers = caller | {"Idempotency-Key": "batch"}
        (line,) = service.client.post("/v1/scores/batch", json=[body], headers=headers).json()
        refused = line["answer"]
    else:
        refused = service.score(body, caller).json()

    assert refused["status"] == (503 if is_clock_doubted else 422)
    assert refused["errors"][0]["code"] == "call_kept"
    (call,) = service.services.records.about([("route", "J-2")])["route", "J-2"]
    assert json.loads(call.body)["is_distress"]


def test_a_service_whose_clock_fell_behind_its_log_doubts_the_clock_and_not_the_caller(
    service: Service,
) -> None:
    caller = service.key("score", "ingest")
    first = service.score(shipment(), caller, "first")
    set_clock(service, NOW - timedelta(days=1))
    body = shipment(shipment_id="S-2")
    journey = route()["journey"] | {"declared_at": "2026-11-20T10:00:00Z"}
    records = {"shipments": [body["shipment"]], "journeys": [journey]}

    scored = service.score(body, caller)
    sent = service.client.post("/v1/records", json=records, headers=caller)
    told = send_waybill(service, caller, NOW)

    for answer in (scored, sent, told):
        assert answer.status_code == 503, answer.text
        assert answer.json()["type"] == "/problems/clock-doubted"
        assert "says 2026-11-23T12:00:00Z and may be wrong" in answer.json()["detail"]
        assert answer.headers["Retry-After"] == "60"
    assert service.services.records.about([("route", "J-2")])["route", "J-2"]  # which is not ahead
    again = service.score(shipment(), caller, "first")
    assert (again.status_code, again.content) == (200, first.content)
    set_clock(service, NOW)
    assert service.score(body, caller).status_code == 200
    sent = service.client.post("/v1/records", json=records, headers=caller).json()
    assert sent["repeated"] + sent["accepted"] == 2


def test_a_clock_that_jumped_back_since_the_start_is_doubted(service: Service) -> None:
    set_clock(service, NOW - timedelta(hours=6))

    answer = service.score(shipment(), service.key("score"))

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/clock-doubted")


def test_what_an_earlier_release_decided_ahead_of_the_clock_replays_to_the_bit(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = shipment(declared_at=(NOW + timedelta(hours=23)).isoformat())
    with monkeypatch.context() as earlier:
        for module in ("serving.future_declarations", "serving.scoring.assessment"):
            earlier.setattr(f"{module}.MAX_AHEAD", timedelta(days=1))
        decided = service.score(body, service.key("score")).json()
    record = service.services.decisions.record(decided["decision_id"])
    decision = Decision.model_validate_json(record or "")

    replay = replayed(decision, service.services.models.champion("shipment"))

    assert replay.is_identical
