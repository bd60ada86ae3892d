"""Request ids, the log line and metric of each answer, and the last error handler.

This is plain ASGI, so that it wraps the error handlers too. An error that they miss becomes a
problem here and goes no further, because a server that logged it would log what the caller sent.
The id is always generated here: one chosen by the caller would put the caller's text into logs
and answers.
"""

import time
import uuid
from collections.abc import Mapping

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.acting import current_actor
from serving.access.actors import SERVICE
from serving.observability import Metrics
from serving.web.problems import log_failure, unforeseen
from serving.web.security_headers import with_security_headers

log = structlog.get_logger(__name__)

EVENT_STREAM = b"text/event-stream"


def add_headers(request: Request, headers: Mapping[str, str]) -> None:
    """Add headers to the answer to a request, unless the answer sets them itself."""
    request.scope.setdefault("state", {}).setdefault("headers", {}).update(headers)


def _with_added(headers: list[tuple[bytes, bytes]], scope: Scope) -> list[tuple[bytes, bytes]]:
    added: dict[str, str] = scope["state"].get("headers", {})
    said = {name.lower() for name, _ in headers}
    encoded = ((name.lower().encode(), value.encode()) for name, value in added.items())
    return [*headers, *(header for header in encoded if header[0] not in said)]


class RequestIds:
    """Middleware that sets `request.state.request_id` and reports how the request ended."""

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through with an id of its own."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status: int | None = None
        streamed_after: float | None = None

        async def send_with_id(message: Message) -> None:
            nonlocal status, streamed_after
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = with_security_headers(message.get("headers", ()), request_id)
                message["headers"] = _with_added(headers, scope)
                if EVENT_STREAM in dict(message["headers"]).get(b"content-type", b""):
                    # The duration of a stream depends on the reader, so measure only the time to
                    # its start.
                    streamed_after = time.perf_counter() - began
            await send(message)

        # The binding is visible in this request's task only.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, send_with_id)
        # The last handler: no error may leave with its text, which may hold caller data.
        except Exception as error:
            log_failure(error)
            # Once the status is sent, no other answer is possible; the connection just ends.
            if status is None:
                await unforeseen(Request(scope))(scope, receive, send_with_id)
        finally:
            seconds = streamed_after or time.perf_counter() - began
            self._ended(scope, status or 500, seconds)

    def _ended(self, scope: Scope, status: int, seconds: float) -> None:
        # Use the route's template, because a path contains ids.
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in {"GET", "POST", "HEAD"} else "other"
        self._metrics.requests.observe(method, route, status, seconds)
        actor = current_actor()
        caller = None if actor is SERVICE else actor.identity
        told = {"status": status, "seconds": round(seconds, 4), "caller": caller}
        log.info("answered", method=method, route=route, **told)
