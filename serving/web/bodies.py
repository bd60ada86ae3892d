"""Request bodies: media type, size limit and raw bytes."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect

from features.records import NullIsAbsent
from serving.errors import BodyTooLarge, MediaTypeUnsupported
from serving.web.admission import guard_of
from serving.web.services import TheServices

JSON = "application/json"
NDJSON = "application/x-ndjson"
OCTETS = "application/octet-stream"

Result = TypeVar("Result")


class ClosedModel(BaseModel):
    """Base of answers and bodies: frozen, finite, and without fields that are not described."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RequestBody(NullIsAbsent, ClosedModel):
    """Base of bodies: in an optional field, null is the same as leaving it out."""


async def json_body(request: Request, services: TheServices) -> bytes:
    """Return the raw bytes of a JSON body; raises ServingError or BodyTooLarge."""
    refuse_other_media(request, JSON)
    return await body_within(request, services.settings.max_body_bytes)


def refuse_other_media(request: Request, *media_types: str) -> str:
    """Return the media type of a body, one of those given (`""` if none is stated).

    Raises ServingError, also for a compressed body, because a small one can expand to
    more than the memory of the machine.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise MediaTypeUnsupported("send the body without Content-Encoding")
    given, _, parameter = request.headers.get("content-type", "").lower().partition(";")
    is_utf8 = parameter.strip().replace('"', "") in {"", "charset=utf-8"}
    if given.strip() not in media_types or not is_utf8:
        named = " or ".join(filter(None, media_types))
        raise MediaTypeUnsupported(f"send the body as {named} in UTF-8")
    return given.strip()


async def body_within(request: Request, most: int) -> bytes:
    """Return the bytes of a body; raises BodyTooLarge as soon as there are more than `most`."""
    return bytes(await growing_body(request, most))


async def growing_body(request: Request, most: int) -> bytearray:
    """Return the bytes of a body in a buffer that callers can empty, without a second copy.

    Raises BodyTooLarge as soon as there are more than `most`.
    """
    declared = refuse_declared_above(request, most)
    if guard := guard_of(request):
        guard.allow(most, declared)
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > most:
            raise _too_large(most)
        body += chunk
    return body


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of `work`; cancel it and raise ClientDisconnect if the caller disconnects.

    The body must have been read before.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        # Neither task may outlive the request.
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def refuse_declared_above(request: Request, most: int) -> int:
    """Return the declared length, 0 if absent; raises BodyTooLarge before any byte is read."""
    declared = request.headers.get("content-length", "0")
    # Convert at most 20 digits: `int` takes quadratic time on long texts of digits.
    if not declared.isdecimal() or int(declared[:20]) > most:
        raise _too_large(most)
    return int(declared)


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"a body may have {most} bytes")
