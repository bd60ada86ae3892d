"""The door: what is turned away before it is read, and what requests inside may take.

Plain ASGI around everything else, so that turning away costs no parsing, no thread and no database.
Of a body nothing can be read before its caller is admitted, whatever a route does: then as much as
the call may have. Health, metrics and the reviewers' pages keep their way in however many machines
ask, and no caller takes all the room.
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

# The bytes that a body may have where its call does not say otherwise; these are not counted.
SMALL_BODY = 64 * 1024

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


@dataclass(frozen=True)
class AdmissionLimits:
    """What one process has room for at a time.

    `requests` of machines, `of_one_caller` those of one caller to any address, `body_bytes` of
    bodies that are not small, of which one caller may have half.
    """

    requests: int
    of_one_caller: int
    body_bytes: int

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """As the settings say."""
        return cls(
            settings.max_in_flight,
            settings.max_in_flight_per_caller,
            settings.max_body_bytes_in_flight,
        )


@dataclass
class CallerShare:
    """What one caller has inside: requests, and bytes of bodies that are not small."""

    requests: int = 0
    body_bytes: int = 0


class Occupancy:
    """What is inside now, of all and of each caller."""

    def __init__(self, limits: AdmissionLimits, metrics: RequestMetrics):
        self._limits = limits
        self._metrics = metrics
        self._shares: dict[str, CallerShare] = {}
        self._body_bytes = 0
        self._lock = threading.Lock()  # callers of pages are admitted in threads

    def take_place(self) -> None:
        """Let a machine's request in; raises TooBusy."""
        if self._metrics.inside >= self._limits.requests:
            self._metrics.shed.inc()
            raise TooBusy("more requests are here than can be answered soon")
        self._metrics.inside += 1

    def leave_place(self) -> None:
        """Make room for another request of a machine."""
        self._metrics.inside -= 1

    def admit(self, caller_id: str) -> None:
        """Count a request of a caller; raises `too-often`."""
        with self._lock:
            share = self._shares.setdefault(caller_id, CallerShare())
            if share.requests >= self._limits.of_one_caller:
                raise ServingError(
                    "this caller has as many requests here as one may have at a time",
                    code="too-often",
                )
            share.requests += 1

    def add_bytes(self, caller_id: str, count: int) -> None:
        """Count bytes of a body; raises TooBusy where there are too many, or of this caller."""
        with self._lock:
            share = self._shares.setdefault(caller_id, CallerShare())
            is_full = self._body_bytes + count > self._limits.body_bytes
            if is_full or share.body_bytes + count > self._limits.body_bytes // 2:
                raise TooBusy("more bytes of bodies are here than can be answered soon")
            share.body_bytes += count
            self._body_bytes += count

    def leave(self, caller_id: str, requests: int, body_bytes: int) -> None:
        """Forget a request of a caller, and its bytes."""
        with self._lock:
            share = self._shares.get(caller_id)
            if share is None:
                return
            share.requests -= requests
            share.body_bytes -= body_bytes
            self._body_bytes -= body_bytes
            if not share.requests and not share.body_bytes:
                del self._shares[caller_id]


class RequestGuard:
    """One request inside: whose it is, the place it has, and what may be read of its body.

    While its body arrives a request has no place: whoever sends slowly keeps nobody out.
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
        # Nothing is read yet. Files listen for the end of the connection while they are sent, and
        # so read the body that their request does not have.
        self._most_bytes: int | None = 0 if is_without_body else None
        self._bytes_read = 0
        self._bytes_counted = 0
        self._is_whole = False
        self._take_place()

    @property
    def is_admitted(self) -> bool:
        """Return whether its caller is known, and let in."""
        return self._is_admitted

    def admit(self, caller_id: str) -> None:
        """Let the request of a caller in, with a small body; raises ServingError.

        Whoever was admitted stays who it is.
        """
        if not self._is_admitted:
            self._occupancy.admit(caller_id)
            self._caller_id, self._is_admitted = caller_id, True
            self._most_bytes = SMALL_BODY

    def allow_stranger(self, most: int) -> None:
        """Let up to `most` bytes be read of the body of somebody who is not known yet."""
        if not self._is_admitted:
            self._most_bytes = most

    def allow(self, most: int, declared: int = 0) -> None:
        """Let up to `most` bytes be read of a body, where anything may be.

        Room for the `declared` length is taken at once, so that of several bodies that do not fit
        together the first ones are read. Raises TooBusy.
        """
        if self._most_bytes is not None:
            self._most_bytes = most
            if declared > SMALL_BODY:
                self._take_room(declared)

    async def receive(self) -> Message:
        """The next part of the body; raises BodyTooLarge or TooBusy where there is no room.

        Raises RuntimeError where nobody was admitted: no route may read so early.
        """
        if self._is_whole:
            return await self._receive()
        if self._most_bytes is None:
            raise RuntimeError("a body can be read when its caller was admitted, and not before")
        self._leave_place()
        message = await self._receive()
        self._take_place()
        if message["type"] == "http.request":
            self._count(len(message.get("body", b"")), self._most_bytes)
            self._is_whole = not message.get("more_body", False)
        return message

    def leave(self) -> None:
        """End the guard."""
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
        """Count a body as so large, if it was not yet; one that finds no room gives all back."""
        uncounted = max(0, size - self._bytes_counted)
        try:
            self._occupancy.add_bytes(self._caller_id, uncounted)
        except TooBusy:
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
    """The guard of a request; None where it did not come through the door."""
    guard: RequestGuard | None = request.scope.get("state", {}).get("guard")
    return guard


def admit(request: Request, caller_id: str) -> None:
    """Let the body of a caller's request be read; raises `too-often`."""
    guard = guard_of(request)
    if guard is not None:
        guard.admit(caller_id)


class Admission:
    """Middleware: as many requests to paths that begin like `paths` as there is room for."""

    def __init__(
        self, app: ASGIApp, paths: tuple[str, ...], limits: AdmissionLimits, metrics: Metrics
    ):
        self._app = app
        self._paths = paths
        self._metrics = metrics.requests
        self._occupancy = Occupancy(limits, metrics.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request in, or answer that it is not read or that there is no room."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = DrainingAnswer(scope, receive, send)
        try:
            await self._pass_in(scope, answer.receive, answer.send)
        finally:
            await answer.end()

    async def _pass_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
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
    """Status, headers and body of a problem that is answered before a request has an id."""
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
