"""Bodies of requests: media type, size, and the bytes as they came."""

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from serving.errors import BodyTooLarge, MediaTypeUnsupported
from serving.web.admission import guard_of
from serving.web.services import TheServices

JSON = "application/json"
NDJSON = "application/x-ndjson"
OCTETS = "application/octet-stream"


class ClosedModel(BaseModel):
    """Base of bodies and answers: frozen, finite, and without fields that are not described."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


async def json_body(request: Request, services: TheServices) -> bytes:
    """The body's bytes as they came; raises MediaTypeUnsupported or BodyTooLarge."""
    refuse_other_media(request, JSON)
    return await body_within(request, services.settings.max_body_bytes)


def refuse_other_media(request: Request, *media_types: str) -> str:
    """Return the body's media type, one of those given (`""`: none is stated).

    Raises MediaTypeUnsupported, also for a compressed body: a small one can hold more than the
    machine.
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
    """The body's bytes; raises BodyTooLarge as soon as there are more than `most`."""
    refuse_declared_above(request, most)
    if guard := guard_of(request):
        guard.allow(most)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        chunks.append(chunk)
    return b"".join(chunks)


def refuse_declared_above(request: Request, most: int) -> None:
    """Raise BodyTooLarge for a body that says it is larger, before any of it is read."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > most:
        raise _too_large(most)


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"a body may have {most} bytes")
