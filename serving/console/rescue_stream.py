"""Server-sent events for open pages of rescuers: that the board has another version.

A stream says nothing but a version; a page that sees another one than its own asks for what is new,
by a request that is checked and audited like any other. Streams are few for each session and each
worker, live for minutes (a browser opens the next by itself), and end with the service, the session
or the role of its holder. They do not count as use of the session.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import orjson
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.browser_session import signed_in
from serving.container import Services
from serving.errors import LogUnavailable, ServingError, TooBusy
from serving.review.rescue.rescue_watch import RescueWatch

MAX_STREAMS = 256
MAX_STREAMS_OF_SESSION = 4
MAX_LIFE_S = 300.0
# How often a stream looks for news, and says that it is alive.
BEAT_S = 1.0

HOLDER_CHECKED_EVERY_S = 5.0

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def board_stream(
    request: Request, services: Services, caller: Caller, session: Session
) -> StreamingResponse:
    """A stream of versions of the board; raises ServingError or TooBusy where too many are open."""
    listeners = services.rescue_watch.listeners
    if listeners[session.session_id] >= MAX_STREAMS_OF_SESSION:
        raise ServingError(
            "this session has as many pages open that are told of news as it may have",
            code="too-often",
        )
    if listeners.total() >= MAX_STREAMS:
        raise TooBusy("as many pages are told of news as this service can tell")
    events = _events(request, services, caller, session.session_id)
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


async def _events(
    request: Request, services: Services, caller: Caller, session_id: str
) -> AsyncIterator[bytes]:
    """One event a beat, until the page, the session, the role or the service ends."""
    watch, began = services.rescue_watch, time.monotonic()
    checked_at = began
    watch.listeners[session_id] += 1
    try:
        while not _is_ending(request) and time.monotonic() - began < MAX_LIFE_S:
            if time.monotonic() - checked_at >= HOLDER_CHECKED_EVERY_S:
                holder = await run_in_threadpool(signed_in, request, services)
                if holder is None or not holder[0].may("rescue"):
                    return
                caller, checked_at = holder[0], time.monotonic()
            if (version := await _version(watch, caller)) is None:
                return  # the page polls, and learns there what is wrong
            yield b"data: " + orjson.dumps({"version": version}) + b"\n\n"
            await asyncio.sleep(BEAT_S)
    finally:
        watch.listeners[session_id] -= 1
        if not watch.listeners[session_id]:
            del watch.listeners[session_id]


async def _version(watch: RescueWatch, caller: Caller) -> str | None:
    """The version of the board; None where the database cannot be read."""
    try:
        if watch.is_fresh:
            return watch.seen_by(caller.offices).version
        return (await run_in_threadpool(watch.seen_by, caller.offices)).version
    except LogUnavailable:
        return None


def _is_ending(request: Request) -> bool:
    """Return whether the server shuts down, and waits for this answer to end."""
    return bool(request.scope.get("state", {}).get("is_ending"))
