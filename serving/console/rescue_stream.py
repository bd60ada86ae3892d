"""Server-sent events that tell rescuers' pages when the board has a new version.

A stream carries only a version. A page with another version requests the content, which is
authorised and audited like any other. Streams are limited per session and worker, last minutes
(browsers reconnect by themselves), and end with the service, the session or the holder's role. They
do not prolong the session.
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
# Interval of the check for news, and of the sign of life.
BEAT_S = 1.0

HOLDER_CHECKED_EVERY_S = 5.0

# X-Accel-Buffering stops nginx from holding events back.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def board_stream(
    request: Request, services: Services, caller: Caller, session: Session
) -> StreamingResponse:
    """Return a stream of versions of the board; raises ServingError or TooBusy at a limit."""
    listeners = services.rescue_watch.listeners
    if listeners[session.session_id] >= MAX_STREAMS_OF_SESSION:
        raise ServingError(
            "this session has too many pages open that wait for news: close one",
            code="too-often",
        )
    if listeners.total() >= MAX_STREAMS:
        raise TooBusy("too many open pages wait for news from this service; try again later")
    events = _events(request, services, caller, session.session_id)
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


async def _events(
    request: Request, services: Services, caller: Caller, session_id: str
) -> AsyncIterator[bytes]:
    """Yield an event per beat, until page, session, role or service ends."""
    watch, began = services.rescue_watch, time.monotonic()
    checked_at = began
    watch.listeners[session_id] += 1
    try:
        while not _is_ending(request) and time.monotonic() - began < MAX_LIFE_S:
            # The role may be revoked while the stream is open.
            if time.monotonic() - checked_at >= HOLDER_CHECKED_EVERY_S:
                holder = await run_in_threadpool(signed_in, request, services)
                if holder is None or not holder[0].may("rescue"):
                    return
                caller, checked_at = holder[0], time.monotonic()
            if (version := await _version(watch, caller)) is None:
                # The page falls back to polling, which reports the error.
                return
            yield b"data: " + orjson.dumps({"version": version}) + b"\n\n"
            await asyncio.sleep(BEAT_S)
    finally:
        watch.listeners[session_id] -= 1
        if not watch.listeners[session_id]:
            del watch.listeners[session_id]


async def _version(watch: RescueWatch, caller: Caller) -> str | None:
    """Return the version of the board; None if the database cannot be read."""
    try:
        # A fresh state is in memory; only a database read needs a thread.
        if watch.is_fresh:
            return watch.seen_by(caller.offices).version
        return (await run_in_threadpool(watch.seen_by, caller.offices)).version
    except LogUnavailable:
        return None


def _is_ending(request: Request) -> bool:
    """Return whether the server is shutting down and waits for this answer."""
    return bool(request.scope.get("state", {}).get("is_ending"))
