"""No body is read before its caller is known and may do what the call does: on every route.

What is left of it after the answer is drained (`serving/web/drain_after_early_response.py`).
"""

import asyncio
import gzip
import re
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from serving.access.roles import Scope
from serving.app import RESOURCES
from serving.console.all_pages import PAGES
from tests.serving.conftest import Service, app_of

# Whoever signs in is not known yet.
FOR_STRANGERS = {"/console/sign-in", "/console/oidc/backchannel-logout"}


def routes_with_bodies() -> list[APIRoute]:
    routers: list[Any] = [module.router for module in (*RESOURCES, *PAGES)]
    every: list[BaseRoute] = [route for router in routers for route in router.routes]
    return [route for route in every if isinstance(route, APIRoute) and "POST" in route.methods]


ROUTES = routes_with_bodies()


async def ask(service: Service, path: str, caller: dict[str, str], declared: int = 9) -> int:
    """The status of a call whose body never comes; nothing of it is asked for before the answer."""
    status = -1

    async def receive() -> Any:
        assert status != -1, "the body is read"
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    headers = {"content-type": "application/json", "content-length": str(declared), **caller}
    headers |= {"idempotency-key": "k"}
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": re.sub(r"\{\w+\}", "x", path),
        "query_string": b"",
        "scheme": "http",
        "server": ("tidegate.example", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await app_of(service.client)(scope, receive, send)
    return status


def test_there_are_routes_to_ask() -> None:
    assert len(ROUTES) > 30


def test_nobody_unknown_has_a_body_read(service: Service) -> None:
    for route in ROUTES:
        if route.path not in FOR_STRANGERS:
            status = asyncio.run(ask(service, route.path, {}))
            assert status in ({303} if route.path.startswith("/console") else {401}), route.path


def test_nobody_without_the_scope_has_a_body_read(service: Service) -> None:
    caller = service.key("audit")
    for route in ROUTES:
        if not route.path.startswith("/console"):
            assert asyncio.run(ask(service, route.path, caller)) == 403, route.path


@pytest.mark.parametrize(
    ("path", "scope", "most"),
    [
        ("/v1/cases/{case_id}/notes", "review", 65_536),
        ("/v1/switches", "switch", 65_536),
        ("/v1/rescue-calls/{case_id}/acknowledgement", "rescue", 65_536),
        ("/v1/cases/{case_id}/accounts", "supervise", 65_536),
        ("/v1/scores", "score", 1 << 20),
        ("/v1/scores/batch", "score", 8 << 20),
        ("/v1/records", "ingest", 8 << 20),
    ],
)
def test_a_body_that_says_it_is_too_large_is_never_waited_for(
    service: Service, path: str, scope: Scope, most: int
) -> None:
    assert asyncio.run(ask(service, path, service.key(scope), most + 1)) == 413


@pytest.mark.parametrize("path", ["/v1/cases/x/notes", "/v1/switches", "/v1/cases/x/letters"])
def test_a_body_that_is_larger_than_it_says_is_cut_off(service: Service, path: str) -> None:
    def endless() -> Any:
        for _ in range(2_000):
            yield b'{"text":"' + b"x" * 9_000

    caller = service.key("review", "switch")
    headers = {**caller, "Content-Type": "application/json"}

    assert service.client.post(path, content=endless(), headers=headers).status_code == 413


def test_a_form_of_a_stranger_is_small(service: Service) -> None:
    for size, status in ((8_192, 401), (8_193, 413)):
        content = b"name=" + b"x" * (size - 5)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = service.client.post("/console/sign-in", content=content, headers=form)
        assert answer.status_code == status


def test_a_caller_is_counted_once_for_a_call(service: Service) -> None:
    caller = service.key("review")
    before = service.services.rate_limits._buckets.by_caller.copy()
    service.client.post("/v1/cases/x/notes", json={"text": "x"}, headers=caller)

    (bucket,) = (
        b for k, b in service.services.rate_limits._buckets.by_caller.items() if k not in before
    )
    assert bucket.permits == pytest.approx(service.services.settings.rate_burst - 1)


def told(service: Service, path: str, body: bytes, **headers: str) -> tuple[int, str]:
    """Status and detail of a call of a reviewer."""
    said = service.key("review") | {name.replace("_", "-"): to for name, to in headers.items()}
    answer = service.client.post(path, content=body, headers=said)
    return answer.status_code, answer.json()["detail"]


@pytest.mark.parametrize("act", ["notes", "agreements"])
def test_a_small_body_is_plain_json_as_any_other(service: Service, act: str) -> None:
    path, note = f"/v1/cases/x/{act}", b'{"text":"as it is written"}'
    plain = (415, "send the body as application/json in UTF-8")
    as_it_is = (415, "send the body without Content-Encoding")
    form = "application/x-www-form-urlencoded"

    assert told(service, path, note, Content_Type="application/json")[0] == 404
    assert told(service, path, note) == plain
    assert told(service, path, note, Content_Type="text/plain") == plain
    assert told(service, path, b"text=as+it+is", Content_Type=form) == plain
    for body in (note, gzip.compress(note)):
        zipped = {"Content_Type": "application/json", "Content_Encoding": "gzip"}
        assert told(service, path, body, **zipped) == as_it_is


def test_a_body_that_need_not_be_may_be_left_out(service: Service) -> None:
    assert told(service, "/v1/cases/x/agreements", b"")[0] == 404
    assert told(service, "/v1/cases/x/notes", b"")[0] == 415


def test_a_call_that_describes_no_body_takes_none_but_an_empty_object(service: Service) -> None:
    for act in ("claim", "release", "undo", "letter-deferrals/confirm"):
        path = f"/v1/cases/x/{act}"
        json = {"Content_Type": "application/json"}
        assert told(service, path, b"")[0] == 404
        assert told(service, path, b"{}", **json)[0] == 404
        assert told(service, path, b'{"foo":1}', **json)[0] == 422
        assert told(service, path, b"\xff" * 100, **json)[0] == 400
        assert told(service, path, b"\xff" * 100)[0] == 415
        assert told(service, path, b"\xff" * 100_000)[0] == 413
