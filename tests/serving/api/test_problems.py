"""Every error is a problem that repeats nothing of what was sent."""

import asyncio
import gzip
import json
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import Response
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from serving.app import create_app
from serving.observability import Metrics
from serving.settings import Settings
from serving.web.request_ids import RequestIds
from serving.web.security_headers import with_security_headers
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service, app_of

CANARY = "canary7391"
MEMBERS = {"type", "title", "status", "detail", "instance", "request_id", "errors"}


def is_problem(response: Any, status: int) -> bool:
    problem = response.json()
    return (
        response.status_code == status == problem["status"]
        and response.headers["Content-Type"] == "application/problem+json"
        and set(problem) - ({"error"} if response.url.path.startswith("/v2") else set()) == MEMBERS
        and problem["request_id"] == response.headers["X-Request-ID"]
        and CANARY not in response.text + repr(response.headers)
    )


def posted(service: Service, content: bytes, **headers: str) -> Any:
    usual = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    everything = {**service.key("score"), **usual, **headers}
    return service.client.post("/v1/scores", content=content, headers=everything)


def test_an_unknown_address_is_a_problem(service: Service) -> None:
    assert is_problem(service.client.get(f"/v1/{CANARY}"), 404)


def test_an_address_with_a_slash_too_many_leads_nowhere(service: Service) -> None:
    response = service.client.post(f"/v1/scores/?{CANARY}", follow_redirects=False)

    assert is_problem(response, 404)


def test_another_method_is_a_problem_that_names_the_right_one(service: Service) -> None:
    response = service.client.delete("/v1/scores")

    assert is_problem(response, 405)
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_whoever_balances_load_may_ask_for_the_status_alone(service: Service, path: str) -> None:
    assert service.client.head(path).status_code == service.client.get(path).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        f"Bearer {CANARY}",
        f"Basic {CANARY}",
        "Bearer tg_aaaaaaaaaaaa." + "x" * 43,
    ],
)
def test_without_a_live_key_nothing_is_answered(
    service: Service, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    response = service.client.post("/v1/scores", json=shipment(), headers=headers)

    assert is_problem(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_without_the_scope_is_told_which_one_it_needs(service: Service) -> None:
    response = service.score(shipment(), service.key("explain"))

    assert is_problem(response, 403)
    assert "score" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (json.dumps(shipment(gross_mass_kg=CANARY)).encode(), 422),
        (json.dumps(shipment(nationality=CANARY)).encode(), 422),
        (json.dumps(shipment(**{CANARY + "?": 1})).encode(), 422),
        (json.dumps(shipment(goods_description=CANARY)).encode()[:-1], 400),
        (json.dumps(shipment()).replace("1250.5", "NaN").encode(), 400),
        (json.dumps(shipment()).replace("1250.5", "1e400").encode(), 400),
        (json.dumps(shipment(goods_description=CANARY)).encode() + b"\xff", 400),
        (b'{"a":' * 50_000, 400),
        (b"", 400),
        (json.dumps([CANARY]).encode(), 422),
    ],
)
def test_a_bad_body_is_a_problem(service: Service, body: bytes, status: int) -> None:
    assert is_problem(posted(service, body), status)


def test_a_fault_is_named_by_a_pointer_into_the_body(service: Service) -> None:
    body = shipment()
    body["legs"][0]["sequence"] = 0

    response = posted(service, json.dumps(body).encode())

    (fault,) = response.json()["errors"]
    assert fault["pointer"] == "/legs/0/sequence"
    assert fault["code"] == "greater_than_equal"


def test_a_body_beyond_the_limit_is_not_read(service: Service) -> None:
    most = service.services.settings.max_body_bytes

    assert is_problem(posted(service, CANARY.encode() * most), 413)
    assert is_problem(posted(service, b"x", **{"Content-Length": "9" * 30}), 413)


def test_a_body_without_a_declared_length_is_cut_off_at_the_limit(service: Service) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(2 * service.services.settings.max_body_bytes // 65_536):
            yield b" " * 65_536

    headers = {
        **service.key("score"),
        "Idempotency-Key": "k",
        "Content-Type": "application/json",
    }
    response = service.client.post("/v1/scores", content=endless(), headers=headers)

    assert is_problem(response, 413)


def test_the_largest_route_that_records_allow_is_read(service: Service) -> None:
    position = {
        "journey_id": "J-2",
        "observed_at": "2026-11-24T09:00:00.123456Z",
        "latitude": 38.123456,
        "longitude": 26.123456,
        "speed_kn": 11.25,
        "source": "ais",
    }
    leg = {
        "journey_id": "J-2",
        "sequence": 1,
        "origin": "TRIZM",
        "destination": "GRPIR",
        "mode": "sea",
        "departed_at": "2026-11-24T09:00:00Z",
        "arrived_at": "2026-11-24T09:00:00Z",
        "known_at": "2026-11-24T09:00:00Z",
    }
    body = {
        **route(),
        "positions": [position] * 5_000,
        "legs": [{**leg, "sequence": i + 1} for i in range(500)],
    }

    assert posted(service, json.dumps(body).encode()).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "br"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": ""},
    ],
)
def test_only_plain_json_is_read(service: Service, headers: dict[str, str]) -> None:
    body = gzip.compress(json.dumps(shipment()).encode())

    assert is_problem(posted(service, body, **headers), 415)


def test_a_failure_nobody_thought_of_is_a_problem_without_details(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError(CANARY)

    app_of(service.client).add_api_route("/fail", fail)

    assert is_problem(service.client.get("/fail"), 500)
    said = "".join(capfd.readouterr())
    assert "RuntimeError" in said
    assert CANARY not in said


def test_without_a_model_the_answer_says_what_to_do(tmp_path: Any) -> None:
    app = create_app(Settings(home=tmp_path / "empty"), clock=lambda: NOW)
    with TestClient(app) as client:
        ready = client.get("/health/ready")

    assert is_problem(ready, 503)
    assert "tidegate train" in ready.json()["detail"]
    assert ready.headers["Retry-After"] == "60"
    assert client.get("/health/live").status_code == 200


def test_when_the_log_fails_nothing_is_decided_or_answered(service: Service) -> None:
    caller = service.key("score")
    with sqlite3.connect(service.home / "tidegate.db") as broken:
        broken.execute(
            "CREATE TRIGGER full BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    refused = service.score(shipment(), caller, key="k")
    decided = service.services.decisions.size()
    with sqlite3.connect(service.home / "tidegate.db") as mended:
        mended.execute("DROP TRIGGER full")

    assert is_problem(refused, 503)
    assert decided == 0
    assert service.score(shipment(), caller, key="k").status_code == 200


def test_a_decision_that_is_late_is_not_answered_but_found_by_its_key(home: Path) -> None:
    app = create_app(Settings(home=home, commit_deadline_s=0.05), clock=lambda: NOW)
    with TestClient(app) as client:
        service = Service(client, app.state.services, home)
        caller = service.key("score")
        with sqlite3.connect(home / "tidegate.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            late = service.score(shipment(), caller, key="k")
            waiting = service.score(shipment(), caller, key="k")
            other.execute("ROLLBACK")
        while service.services.decisions.size() == 0:
            time.sleep(0.01)
        while (found := service.score(shipment(), caller, key="k")).status_code == 409:
            time.sleep(0.01)  # durable, and about to be told

    assert is_problem(late, 503)
    assert is_problem(waiting, 409)
    assert found.headers["Idempotency-Replayed"] == "true"


def test_no_log_line_holds_a_party_a_key_or_a_body(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    headers = {**service.key("score"), "Idempotency-Key": CANARY}
    body = shipment(consignee_id=CANARY, shipment_id=CANARY)
    scored = service.client.post("/v1/scores", json=body, headers=headers)
    service.client.get(f"/v1/decisions/{CANARY}?{CANARY}={CANARY}", headers=headers)
    service.client.get(f"/{CANARY}", headers={CANARY: CANARY})

    assert scored.status_code == 200
    said = "".join(capfd.readouterr())
    assert "answered" in said
    assert CANARY not in said
    assert headers["Authorization"].removeprefix("Bearer ") not in said
    assert CANARY not in service.client.get("/metrics").text


def test_every_header_of_ours_leaves_once_and_whoever_may_keep_an_answer_says_so() -> None:
    told = [
        (b"content-type", b"text/css"),
        (b"x-request-id", b"theirs"),
        (b"x", b"1"),
        (b"x", b"2"),
    ]
    kept = with_security_headers([*told, (b"cache-control", b"max-age=60")], "ours")

    assert [value for name, value in kept if name == b"x-request-id"] == [b"ours"]
    assert [value for name, value in kept if name == b"cache-control"] == [b"max-age=60"]
    assert [value for name, value in kept if name == b"x"] == [b"1", b"2"]
    assert (b"x-content-type-options", b"nosniff") in kept
    assert (b"cache-control", b"no-store") in with_security_headers(told, "ours")


def test_no_answer_may_be_framed_and_only_pages_load_anything(service: Service) -> None:
    for path in ("/v1/models", "/health/live", "/none", "/console/none", "/console/sign-in"):
        policy = service.client.get(path).headers.get_list("content-security-policy")
        assert len(policy) == 1, path
        assert "default-src 'none'" in policy[0]
        assert "frame-ancestors 'none'" in policy[0]
    assert service.client.get("/v1/models").headers["content-security-policy"].count("'") == 4


async def _bound_to(scope: Scope, receive: Receive, send: Send) -> None:
    bound = structlog.contextvars.get_contextvars()["request_id"]
    await asyncio.sleep(0)
    assert structlog.contextvars.get_contextvars() == {"request_id": bound}
    assert bound == scope["state"]["request_id"]
    await Response()(scope, receive, send)


def test_no_request_is_logged_under_the_id_of_another() -> None:
    client = TestClient(RequestIds(_bound_to, Metrics()))
    with ThreadPoolExecutor(8) as callers:
        answers = [*callers.map(lambda _: client.get("/"), range(40))]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 40
