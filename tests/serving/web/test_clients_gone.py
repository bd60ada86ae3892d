"""Whoever goes away before the end of a body is no failure of the service."""

import asyncio
from typing import Any

from structlog.testing import capture_logs

from tests.serving.conftest import Service, app_of

FORM = b"application/x-www-form-urlencoded"
PATHS = {
    "/v1/scores": b"application/json",
    "/v1/scores/batch": b"application/x-ndjson",
    "/v1/records": b"application/json",
    "/v1/messages/ais": b"application/octet-stream",
    "/v1/cases/x/notes": b"application/json",
    "/console/sign-in": FORM,
    "/console/oidc/backchannel-logout": FORM,
}


async def begin_and_go(service: Service, path: str, headers: dict[str, str]) -> None:
    """Send half of a body and go away; what is sent all the same reaches nobody."""
    coming: list[Any] = [{"type": "http.request", "body": b'{"text":', "more_body": True}]

    async def receive() -> Any:
        return coming.pop() if coming else {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        pass

    said = {"content-type": PATHS[path].decode(), "content-length": "99", **headers}
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "server": ("tidegate.example", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in said.items()],
    }
    await app_of(service.client)(scope, receive, send)


def test_clients_that_go_away_in_mid_body_are_told_as_their_own_end(service: Service) -> None:
    caller = service.key("score", "ingest", "review") | {"idempotency-key": "k"}

    with capture_logs() as lines:
        for path in PATHS:
            asyncio.run(begin_and_go(service, path, caller))

    assert [line["event"] for line in lines if line["log_level"] != "info"] == []
    answered = [line["status"] for line in lines if line["event"] == "answered"]
    assert answered == [499] * len(PATHS)
    assert service.services.decisions.size() == 0
    metrics = service.client.get("/metrics", headers=service.key("metrics")).text
    assert 'status="499"' in metrics
    assert 'status="500"' not in metrics
