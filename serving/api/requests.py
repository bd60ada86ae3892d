"""What calls need before they can be answered: the services behind them, the caller, the body."""

import re
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from serving.access.api_keys import PresentedKey, Scope
from serving.access.callers import Caller
from serving.audit.purpose import HEADER
from serving.container import Services
from serving.errors import (
    BodyTooLarge,
    IdempotencyKeyMissing,
    MediaTypeUnsupported,
    NotSignedIn,
    Unprocessable,
)
from serving.explanation.language import ENGLISH, Language, best_of, languages_in

_BEARER = HTTPBearer(auto_error=False, description="An API key, or an access token.")
LONGEST_ACCEPTED = 512  # characters of Accept-Language
OF_THE_PURPOSE = "What the call is for; what the installation is for, without."
OF_THE_KEY = "1 to 255 visible ASCII characters, chosen anew for every submission."
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


async def the_services(request: Request) -> Services:
    """All that the application was assembled from."""
    services: Services = request.app.state.services
    return services


TheServices = Annotated[Services, Depends(the_services)]


async def the_language(
    services: TheServices, accept_language: Annotated[str, Header(max_length=LONGEST_ACCEPTED)] = ""
) -> Language:
    """The language that the caller likes best among those in `HOME/languages`."""
    return best_of(languages_in(services.settings.home / "languages"), accept_language)


TheLanguage = Annotated[Language, Depends(the_language)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


async def the_caller(
    request: Request,
    services: TheServices,
    credentials: Bearer,
    acts_for: Annotated[str | None, Header(alias=HEADER, description=OF_THE_PURPOSE)] = None,
) -> Caller:
    """Whoever the bearer in `Authorization: Bearer …` is; raises NotSignedIn or TooOften.

    What is remembered is answered at once; only what must be read waits for a thread. Raises
    Forbidden for whoever acts for another purpose than data came for.
    """
    text = credentials.credentials if credentials else ""
    return await _known_caller(services, text, request, acts_for)


async def _known_caller(
    services: Services, text: str, request: Request, acts_for: str | None
) -> Caller:
    caller = _remembered(services, text)
    if caller is None:
        caller = await run_in_threadpool(_caller_behind, services, text)
    services.rate_limits.take(caller.key_id)
    services.purpose.require(caller, acts_for, called(request))
    return caller


def called(request: Request) -> str:
    """What was called, without the ids in it."""
    route = request.scope.get("route")
    return f"{request.method} {getattr(route, 'path', 'elsewhere')}"


def _remembered(services: Services, text: str) -> Caller | None:
    presented = PresentedKey.parse(text)
    if presented is None:
        return services.tokens.remembered(text) if services.tokens else None
    kept = services.api_keys.remembered(presented.key_id)
    if kept is None or not kept.admits(presented.secret, services.clock()):
        return None
    return Caller.of(kept)


def _caller_behind(services: Services, text: str) -> Caller:
    presented = PresentedKey.parse(text)
    if presented is None and services.tokens is not None:
        return services.tokens.caller(text)
    return caller_behind(services, presented)


def caller_behind(services: Services, presented: PresentedKey | None) -> Caller:
    """The caller behind a key that was presented; raises NotSignedIn and never says why."""
    kept = services.api_keys.find(presented.key_id) if presented else None
    if presented is None or kept is None or not kept.admits(presented.secret, services.clock()):
        raise NotSignedIn("send a live API key as `Authorization: Bearer tg_….…`")
    return Caller.of(kept)


class WithScope:
    """A dependency: the caller, who must have a scope."""

    def __init__(self, scope: Scope):
        self.scope = scope

    async def __call__(self, caller: Annotated[Caller, Depends(the_caller)]) -> Caller:
        """The caller; raises Forbidden without the scope."""
        caller.require(self.scope)
        return caller


AnyCaller = Annotated[Caller, Depends(the_caller)]
MayScore = Annotated[Caller, Depends(WithScope("score"))]
MayExplain = Annotated[Caller, Depends(WithScope("explain"))]
MayIngest = Annotated[Caller, Depends(WithScope("ingest"))]


async def idempotency_key(
    given: Annotated[str | None, Header(alias="Idempotency-Key", description=OF_THE_KEY)] = None,
) -> str:
    """The header `Idempotency-Key`; raises IdempotencyKeyMissing."""
    return _usable(given)


def _usable(key: str | None) -> str:
    if key is None or not _IDEMPOTENCY_KEY.fullmatch(key):
        raise IdempotencyKeyMissing(
            "send the header Idempotency-Key with 1 to 255 visible ASCII characters; "
            "a retry with the same key and body gets the same answer"
        )
    return key


IdempotencyKey = Annotated[str, Depends(idempotency_key)]


JSON = "application/json"
NDJSON = "application/x-ndjson"


async def json_body(request: Request, services: TheServices) -> bytes:
    """The body's bytes as they came; raises MediaTypeUnsupported or BodyTooLarge."""
    refuse_other_media(request, JSON)
    return await body_within(request, services.settings.max_body_bytes)


def refuse_other_media(request: Request, *media_types: str) -> str:
    """The body's media type, one of those given; raises MediaTypeUnsupported.

    Nothing is inflated: a small compressed body can hold more than the machine.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise MediaTypeUnsupported("send the body without Content-Encoding")
    given, _, parameter = request.headers.get("content-type", "").lower().partition(";")
    is_utf8 = parameter.strip().replace('"', "") in {"", "charset=utf-8"}
    if given.strip() not in media_types or not is_utf8:
        raise MediaTypeUnsupported(f"send the body as {' or '.join(media_types)} in UTF-8")
    return given.strip()


async def body_within(request: Request, most: int) -> bytes:
    """The body's bytes; raises BodyTooLarge as soon as there are more than `most`."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > most:
        raise _too_large(most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"a body may have {most} bytes")


JsonBody = Annotated[bytes, Depends(json_body)]


class ReadDirectly(APIRoute):
    """A route whose endpoint takes services, caller with scope `score`, key, language and body.

    They are read here one after another, as their dependencies would, and the answer is sent from
    here: the framework's way of finding that out takes longer for each request than deciding it.
    The description is still made of what the endpoint declares.
    """

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request; what is raised becomes a problem where all errors do."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response: Response = await self.endpoint(**await _submitted(Request(scope, receive)))
        await response(scope, receive, send)


async def _submitted(request: Request) -> dict[str, Any]:
    services: Services = request.app.state.services
    headers = request.headers
    scheme, _, text = headers.get("authorization", "").partition(" ")
    text = text.strip() if scheme.lower() == "bearer" else ""
    caller = await _known_caller(services, text, request, headers.get(HEADER))
    caller.require("score")
    accepted = headers.get("accept-language", "")
    if len(accepted) > LONGEST_ACCEPTED:
        raise Unprocessable(f"Accept-Language may have {LONGEST_ACCEPTED} characters")
    return {
        "services": services,
        "caller": caller,
        "idempotency_key": _usable(headers.get("idempotency-key")),
        "language": await the_language(services, accepted) if accepted else ENGLISH,
        "body": await json_body(request, services),
    }
