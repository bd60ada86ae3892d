"""An id for every request, a log line and a metric when it is answered, and the last resort.

Plain ASGI, so that it wraps the handlers of errors too: what they let through becomes a problem
here, and goes no further, because a server that logs it would log what the caller sent. The id is
always our own: one that a caller chose would bring the caller's text into logs and answers.
"""

import time
import uuid
from collections.abc import Iterator

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.acting import whoever_acts
from serving.access.actors import SERVICE
from serving.access.rate_limits import RateLimit
from serving.errors import TooOften
from serving.observability import Metrics
from serving.web.problems import log_failure, unforeseen
from serving.web.security_headers import with_security_headers

log = structlog.get_logger(__name__)


def _rate_limit(scope: Scope, status: int) -> Iterator[tuple[bytes, bytes]]:
    """What the caller may still ask for, where it was counted; a refusal says it itself."""
    limit: RateLimit | None = scope["state"].get("rate_limit")
    if limit is not None and status != TooOften.status:
        for name, value in limit.headers().items():
            yield name.lower().encode(), value.encode()


class RequestIds:
    """Middleware: sets `request.state.request_id` and says how the request ended."""

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

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = with_security_headers(message.get("headers", ()), request_id)
                message["headers"] = [*headers, *_rate_limit(scope, status)]
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)  # in this task and no other
        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:  # the last resort: no error may leave with its text
            log_failure(error)
            if status is None:
                await unforeseen(Request(scope))(scope, receive, send_with_id)
        finally:
            self._ended(scope, status or 500, time.perf_counter() - began)

    def _ended(self, scope: Scope, status: int, seconds: float) -> None:
        # The route's template, not the path: a path holds ids.
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in {"GET", "POST", "HEAD"} else "other"
        self._metrics.requests.observe(method, route, status, seconds)
        actor = whoever_acts()
        caller = None if actor is SERVICE else actor.identity
        told = {"status": status, "seconds": round(seconds, 4), "caller": caller}
        log.info("answered", method=method, route=route, **told)
