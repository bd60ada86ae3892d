"""The door: as many requests inside as can be answered soon, the rest turned away at once.

Plain ASGI around everything else, so that turning away costs no parsing, no thread and no database.
Health, metrics and the reviewers' pages keep their way in however many machines ask.
"""

import uuid
from collections.abc import Callable, Iterable
from typing import TypeVar

import orjson
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import TooBusy
from serving.observability import Metrics
from serving.web.problems import MEDIA_TYPE, problem_content
from serving.web.security_headers import ANSWER_HEADERS

FULL = TooBusy("more requests are here than can be answered soon")

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_limited: set[Callable[..., object]] = set()


def limited_in_flight(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint of machines, whose requests are turned away where too many are inside."""
    _limited.add(endpoint)
    return endpoint


def limited_paths(routes: Iterable[BaseRoute]) -> tuple[str, ...]:
    """The beginnings, up to the first parameter, of the paths of marked endpoints."""
    marked = (r for r in routes if isinstance(r, Route) and r.endpoint in _limited)
    return tuple(sorted({route.path.partition("{")[0] for route in marked}))


class Admission:
    """Middleware: lets `most` requests to paths that begin like `paths` in at once."""

    def __init__(self, app: ASGIApp, paths: tuple[str, ...], most: int, metrics: Metrics):
        self._app = app
        self._paths = paths
        self._most = most
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request in, or answer that there is no room."""
        if scope["type"] != "http" or not scope["path"].startswith(self._paths):
            await self._app(scope, receive, send)
        elif self._metrics.requests.inside >= self._most:
            self._metrics.requests.shed.inc()
            for message in _full():
                await send(message)
        else:
            self._metrics.requests.inside += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._metrics.requests.inside -= 1


def _full() -> tuple[Message, Message]:
    request_id = str(uuid.uuid4())
    body = orjson.dumps(problem_content(request_id, FULL))
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Retry-After": str(FULL.retry_after_s),
        "X-Request-ID": request_id,
        "Cache-Control": "no-store",
        **ANSWER_HEADERS,
    }
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return (
        {"type": "http.response.start", "status": FULL.status, "headers": encoded},
        {"type": "http.response.body", "body": body},
    )
