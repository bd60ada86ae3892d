"""Admission control: limits on requests and body bytes in flight, overall and per caller.

This is plain ASGI around everything else, so a rejected request costs no parsing, no thread and no
database query. No body can be read before its caller is admitted, whatever a route does, and then
only up to the limit of that call. Health, metrics and the console stay reachable under any load of
machine requests, and no caller can use all the capacity.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self, TypeVar

import structlog
from fastapi import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import BodyTooLarge, ServingError, TooBusy
from serving.language import say
from serving.observability import Metrics, RequestMetrics
from serving.settings import Settings
from serving.web.drain_after_early_response import DrainingAnswer
from serving.web.problems import MEDIA_TYPE, problem_body
from serving.web.request_head import refuse_head
from serving.web.security_headers import ANSWER_HEADERS, DEFAULT_HEADERS

log = structlog.get_logger(__name__)

# A body up to this size is not counted against the byte limits, so ordinary calls never compete for
# them.
# Bytes that a body may have unless its route allows more. Bodies up to this size are not counted.
SMALL_BODY = 64 * 1024

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_limited: set[Callable[..., object]] = set()


def limited_in_flight(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint for machines, whose requests are refused when too many are in flight."""
    _limited.add(endpoint)
    return endpoint


def limited_paths(routes: Iterable[BaseRoute]) -> tuple[str, ...]:
    """Return the prefixes, up to the first parameter, of the paths of marked endpoints."""
    marked = (r for r in routes if isinstance(r, Route) and r.endpoint in _limited)
    return tuple(sorted({route.path.partition("{")[0] for route in marked}))


@dataclass(frozen=True)
class AdmissionLimits:
    """Limits on what one process handles at a time.

    `requests` counts requests of machines, `of_one_caller` all requests of one caller, and
    `body_bytes` the bytes of bodies above `SMALL_BODY`, of which one caller may use half.
    """

    requests: int
    of_one_caller: int
    body_bytes: int

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the limits that the settings configure."""
        return cls(
            settings.max_in_flight,
            settings.max_in_flight_per_caller,
            settings.max_body_bytes_in_flight,
        )


@dataclass
class CallerShare:
    """Requests and counted body bytes of one caller in flight."""

    requests: int = 0
    body_bytes: int = 0


class Occupancy:
    """Requests and body bytes in flight, in total and by caller."""

    def __init__(self, limits: AdmissionLimits, metrics: RequestMetrics):
        self._limits = limits
        self._metrics = metrics
        self._shares: dict[str, CallerShare] = {}
        self._body_bytes = 0
        # Handlers of pages run in threads and admit their callers there.
        self._lock = threading.Lock()

    def take_place(self) -> None:
        """Count a request of a machine; raises TooBusy at the limit."""
        if self._metrics.inside >= self._limits.requests:
            self._metrics.shed.inc()
            raise TooBusy("too many requests are waiting; try again later")
        self._metrics.inside += 1

    def leave_place(self) -> None:
        """Release the slot of a machine's request."""
        self._metrics.inside -= 1

    def admit(self, caller_id: str) -> None:
        """Count a request of a caller; raises `too-often` at the caller's limit."""
        with self._lock:
            share = self._shares.setdefault(caller_id, CallerShare())
            if share.requests >= self._limits.of_one_caller:
                raise ServingError(
                    "this caller has as many requests here as one may have at a time",
                    code="too-often",
                )
            share.requests += 1

    def add_bytes(self, caller_id: str, count: int) -> None:
        """Count bytes of a body; raises TooBusy above the total or the caller's limit."""
        with self._lock:
            share = self._shares.setdefault(caller_id, CallerShare())
            is_full = self._body_bytes + count > self._limits.body_bytes
            # One caller gets at most half, so that its large uploads cannot lock out all others.
            if is_full or share.body_bytes + count > self._limits.body_bytes // 2:
                raise TooBusy("too many bytes of bodies are waiting; try again later")
            share.body_bytes += count
            self._body_bytes += count

    def leave(self, caller_id: str, requests: int, body_bytes: int) -> None:
        """Release requests and body bytes of a caller."""
        with self._lock:
            share = self._shares.get(caller_id)
            if share is None:
                return
            share.requests -= requests
            share.body_bytes -= body_bytes
            self._body_bytes -= body_bytes
            # Drop empty entries: otherwise the table would grow with every caller ever seen.
            if not share.requests and not share.body_bytes:
                del self._shares[caller_id]


class RequestGuard:
    """Admission state of one request: its caller, its slot, and how much of its body may be read.

    The slot is released while body bytes are awaited, so that slow senders block nobody.
    """

    def __init__(
        self,
        occupancy: Occupancy,
        receive: Receive,
        *,
        is_limited: bool,
        is_without_body: bool = False,
    ):
        self._occupancy = occupancy
        self._receive = receive
        self._is_limited = is_limited
        self._has_place = False
        self._is_admitted = False
        self._caller_id = ""
        # None: reading is not allowed yet. GET and HEAD are set to 0 instead, because file
        # responses listen for a disconnect while they send, which reads the (empty) body.
        self._most_bytes: int | None = 0 if is_without_body else None
        self._bytes_read = 0
        self._bytes_counted = 0
        self._is_whole = False
        self._take_place()

    @property
    def is_admitted(self) -> bool:
        """Return whether the caller is known and admitted."""
        return self._is_admitted

    def admit(self, caller_id: str) -> None:
        """Admit the request of a caller, with a small body; raises ServingError.

        A second call has no effect: the first caller stays.
        """
        if not self._is_admitted:
            self._occupancy.admit(caller_id)
            self._caller_id, self._is_admitted = caller_id, True
            self._most_bytes = SMALL_BODY

    def allow_stranger(self, most: int) -> None:
        """Allow up to `most` body bytes from a caller who is not identified yet."""
        # An admitted caller keeps the limit that it already has.
        if not self._is_admitted:
            self._most_bytes = most

    def allow(self, most: int, declared: int = 0) -> None:
        """Raise the limit of a body to `most` bytes if its caller is admitted.

        The `declared` length is reserved at once: of several bodies that do not fit together,
        the first ones are then read to the end instead of all failing halfway. Raises TooBusy.
        """
        if self._most_bytes is not None:
            self._most_bytes = most
            if declared > SMALL_BODY:
                self._take_room(declared)

    async def receive(self) -> Message:
        """Return the next part of the body; raises BodyTooLarge or TooBusy at a limit.

        Raises RuntimeError if no caller was admitted, which is a bug in the route.
        """
        if self._is_whole:
            return await self._receive()
        if self._most_bytes is None:
            raise RuntimeError("a body can be read when its caller was admitted, and not before")
        # A sender may take minutes. Hold no slot while waiting for it, and compete for one
        # afterwards.
        self._leave_place()
        message = await self._receive()
        self._take_place()
        if message["type"] == "http.request":
            self._count(len(message.get("body", b"")), self._most_bytes)
            self._is_whole = not message.get("more_body", False)
        return message

    def leave(self) -> None:
        """Release everything that the request holds."""
        self._leave_place()
        if self._is_admitted or self._bytes_counted:
            self._occupancy.leave(self._caller_id, int(self._is_admitted), self._bytes_counted)

    def _count(self, count: int, most: int) -> None:
        self._bytes_read += count
        if self._bytes_read > most:
            raise BodyTooLarge(say("a body may have {most} bytes", most=str(most)))
        if self._bytes_read > SMALL_BODY:
            self._take_room(self._bytes_read)

    def _take_room(self, size: int) -> None:
        """Count the bytes of a body not counted so far; without room, release all of them."""
        uncounted = max(0, size - self._bytes_counted)
        try:
            self._occupancy.add_bytes(self._caller_id, uncounted)
        except TooBusy:
            # The request fails now, so the bytes counted so far must not block others.
            self._occupancy.leave(self._caller_id, 0, self._bytes_counted)
            self._bytes_counted = 0
            raise
        self._bytes_counted += uncounted

    def _take_place(self) -> None:
        if self._is_limited and not self._has_place:
            self._occupancy.take_place()
            self._has_place = True

    def _leave_place(self) -> None:
        if self._has_place:
            self._occupancy.leave_place()
            self._has_place = False


def guard_of(request: Request) -> RequestGuard | None:
    """Return the guard of a request; None if it did not pass through the middleware."""
    guard: RequestGuard | None = request.scope.get("state", {}).get("guard")
    return guard


def admit(request: Request, caller_id: str) -> None:
    """Admit the caller of a request, so that its body can be read; raises `too-often`."""
    guard = guard_of(request)
    if guard is not None:
        guard.admit(caller_id)


class Admission:
    """Middleware that limits the requests in flight to paths with one of the prefixes `paths`."""

    def __init__(
        self, app: ASGIApp, paths: tuple[str, ...], limits: AdmissionLimits, metrics: Metrics
    ):
        self._app = app
        self._paths = paths
        self._metrics = metrics.requests
        self._occupancy = Occupancy(limits, metrics.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that its head is refused or that there is no capacity."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # An answer sent before the body is read must still reach the client: drain the rest.
        answer = DrainingAnswer(scope, receive, send)
        try:
            await self._pass_in(scope, answer.receive, answer.send)
        finally:
            await answer.end()

    async def _pass_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        # The head is checked first: it bounds what later code, such as the cookie parser, has to
        # handle.
        if refusal := refuse_head(scope):
            self._metrics.observe("other", "unknown", refusal.status, time.perf_counter() - began)
            log.info("head_refused", status=refusal.status)
            await _answer(refusal, scope, send)
            return
        is_limited = scope["path"].startswith(self._paths)
        try:
            guard = RequestGuard(
                self._occupancy,
                receive,
                is_limited=is_limited,
                is_without_body=scope["method"] in ("GET", "HEAD"),
            )
        except TooBusy as full:
            await _answer(full, scope, send)
            return
        scope.setdefault("state", {})["guard"] = guard
        try:
            await self._app(scope, guard.receive, send)
        finally:
            guard.leave()


async def _answer(refusal: ServingError, scope: Scope, send: Send) -> None:
    status, headers, body = early_answer(refusal)
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def early_answer(refusal: ServingError) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an error that is answered before a request has an id."""
    request_id = str(uuid.uuid4())
    body = problem_body(request_id, refusal)
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "X-Request-ID": request_id,
        **DEFAULT_HEADERS,
        **ANSWER_HEADERS,
    }
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(refusal.retry_after_s)
    return refusal.status, headers, body
