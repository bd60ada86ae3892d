"""How much is let in: by caller, at once, and how slowly a request may arrive."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from serving.access.rate_limits import RateLimits
from serving.app import create_app
from serving.observability import Metrics
from serving.settings import Settings
from serving.web.admission import Admission, AdmissionLimits
from serving.web.connections import BoundedConnection
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.refusals import refused_with


def test_a_caller_waits_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("serving.access.rate_limits.time.monotonic", lambda: now[0])
    limits = RateLimits(per_s=2, burst=3)
    for _ in range(3):
        limits.take("a")

    with refused_with("too-often") as refusal:
        limits.take("a", 3)
    limits.take("b")

    assert refusal.value.retry_after_s == 2
    now[0] += 2
    limits.take("a", 3)


def test_a_crowd_of_callers_is_not_remembered_for_ever() -> None:
    limits = RateLimits(per_s=1, burst=1)
    for number in range(10_500):
        limits.take(str(number))

    assert len(limits._buckets.by_caller) == 10_000


def test_who_asks_too_often_is_told_when_to_come_again(home: Path) -> None:
    app = create_app(
        Settings(home=home, rate_per_s=0.5, rate_burst=3, max_batch_subjects=2), clock=lambda: NOW
    )
    with TestClient(app) as client:
        service = Service(client, app.state.services, home)
        caller, other = service.key("score"), service.key("score")
        statuses = [client.get("/v1/models", headers=caller).status_code for _ in range(4)]
        refused = client.get("/v1/models", headers=caller)
        batches = [
            client.post(
                "/v1/scores/batch",
                json=[shipment(shipment_id=f"S-{i}") for i in range(2)],
                headers={**other, "Idempotency-Key": f"b-{n}"},
            )
            for n in range(2)
        ]

        assert statuses == [200, 200, 200, 429]
        assert refused.headers["Retry-After"] == "2"
        assert refused.headers["RateLimit"] == '"caller";r=0;t=6'
        assert refused.headers["RateLimit-Policy"] == '"caller";q=3;w=6'
        assert refused.json()["type"] == "/problems/too-often"
        assert [each.status_code for each in batches] == [200, 429]
        assert batches[0].headers["RateLimit"] == '"caller";r=1;t=4'
        assert "RateLimit" not in client.get("/health/live").headers


def test_who_finds_the_service_full_is_told_at_once_and_pages_stay_open() -> None:
    inside, leave = threading.Event(), threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        inside.set()
        await asyncio.get_running_loop().run_in_executor(None, leave.wait, 5)

    sent: list[Any] = []

    async def scenario() -> None:
        door = Admission(app, ("/v1/scores",), AdmissionLimits(1, 8, 1 << 20), Metrics())

        async def ask(path: str, to: list[Any]) -> None:
            async def send(message: Any) -> None:
                to.append(message)

            scope = {"type": "http", "method": "GET", "path": path, "query_string": b""}
            await door(scope | {"headers": []}, None, send)  # type: ignore[arg-type]  # no body is read

        first = asyncio.create_task(ask("/v1/scores", []))
        page = asyncio.create_task(ask("/console/decisions", []))
        await asyncio.sleep(0.05)
        await ask("/v1/scores", sent)
        leave.set()
        await first
        await page
        await ask("/v1/scores", [])

    asyncio.run(scenario())

    assert inside.is_set()
    headers = dict(sent[0]["headers"])
    assert sent[0]["status"] == 503
    assert headers[b"retry-after"] == b"1"
    assert headers[b"content-type"] == b"application/problem+json"
    assert len(sent) == 2


@contextmanager
def listening(app: Any) -> Iterator[int]:
    config = uvicorn.Config(
        app, port=0, http=BoundedConnection, log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(
    "said",
    [b"", b"POST / HTTP/1.1\r\nHost: a\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1"],
)
def test_a_request_that_does_not_arrive_in_time_is_cut_off(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedConnection, "deadline_s", 0.4)
    with listening(echo) as port, socket.create_connection(("127.0.0.1", port)) as stalled:
        began = time.monotonic()
        stalled.settimeout(5)
        stalled.sendall(said)
        try:
            end = stalled.recv(1)
        except ConnectionResetError:
            end = b""

        assert end == b""
        assert 0.3 < time.monotonic() - began < 3


def test_a_request_in_pieces_is_answered_and_the_next_one_has_its_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BoundedConnection, "deadline_s", 0.6)
    with listening(echo) as port, socket.create_connection(("127.0.0.1", port)) as honest:
        honest.settimeout(5)
        for _ in range(2):
            for piece in (b"POST / HTTP/1.1\r\n", b"Content-Length: 2\r\n\r\n", b"ab"):
                honest.sendall(piece)
                time.sleep(0.15)
            assert honest.recv(100).startswith(b"HTTP/1.1 204")
