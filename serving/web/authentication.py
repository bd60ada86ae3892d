"""Authentication of callers by API key or access token, and their scopes."""

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from serving.access.acting import identify
from serving.access.actors import Actor
from serving.access.api_keys import PresentedKey
from serving.access.callers import Caller
from serving.access.roles import Scope
from serving.audit.purpose import HEADER
from serving.container import Services
from serving.errors import NotSignedIn
from serving.web.admission import admit
from serving.web.hosts import is_from_open_network
from serving.web.request_ids import add_headers
from serving.web.services import TheServices

_BEARER = HTTPBearer(auto_error=False, description="An API key, or an access token.")
PURPOSE_MEANING = "What the call is for; what the installation is for, without."
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


async def authenticated_caller(
    request: Request,
    services: TheServices,
    credentials: Bearer,
    _: Annotated[str | None, Header(alias=HEADER, description=PURPOSE_MEANING)] = None,
) -> Caller:
    """Return the caller behind the bearer token, for routes that declare it as a dependency."""
    return await caller_of(request, services, credentials.credentials if credentials else "")


async def caller_of(request: Request, services: Services, token: str | None = None) -> Caller:
    """Return the caller behind the bearer token of a request, counted and admitted once.

    A caller in the cache is answered at once; a database lookup runs in a thread. Raises
    NotSignedIn, ServingError, or Forbidden for a purpose other than the data's.
    """
    # Middleware, route class and dependency may all ask; only the first call counts.
    known: Caller | None = request.scope.get("state", {}).get("caller")
    if known is not None:
        return known
    if token is None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
    acts_for = request.headers.get(HEADER)
    caller = _remembered(services, token)
    if caller is None:
        caller = await run_in_threadpool(_caller_behind, services, token)
    # Identify before any check that can fail, so that refusals are recorded under a name.
    identify(caller.actor)
    take_permits(request, services, caller, 1)
    services.purpose.require(caller, acts_for, called(request))
    admit(request, caller.key_id)
    request.scope.setdefault("state", {})["caller"] = caller
    return caller


async def require_known_caller(request: Request, services: Services) -> None:
    """Raise NotSignedIn unless the caller has a live key or calls from an open network."""
    if not is_from_open_network(request):
        await caller_of(request, services)


def take_permits(request: Request, services: Services, caller: Caller, permits: float) -> None:
    """Count requests of a caller and add the rate limit headers; raises `too-often`."""
    left = services.rate_limits.take(caller.key_id, permits)
    add_headers(request, left.headers())


def called(request: Request) -> str:
    """Return method and route template of a request, without the ids in its path."""
    route = request.scope.get("route")
    return f"{request.method} {getattr(route, 'path', 'unknown')}"


def _remembered(services: Services, text: str) -> Caller | None:
    presented = PresentedKey.parse(text)
    if presented is None:
        return services.tokens.remembered(text) if services.tokens else None
    kept = services.api_keys.remembered(presented.key_id)
    if kept is None or not kept.admits(presented.secret, services.clock()):
        return None
    return Caller.from_api_key(kept)


def _caller_behind(services: Services, text: str) -> Caller:
    presented = PresentedKey.parse(text)
    if presented is None and services.tokens is not None:
        return services.tokens.caller(text)
    return caller_behind(services, presented)


def caller_behind(services: Services, presented: PresentedKey | None) -> Caller:
    """Return the caller behind an API key; raises NotSignedIn without giving the reason."""
    kept = services.api_keys.find_for_all(presented.key_id) if presented else None
    if presented is None or kept is None or not kept.admits(presented.secret, services.clock()):
        # The secret is right but the key is expired or revoked: limit its rate and record the
        # refusal by name. A wrong secret proves no identity, so it is recorded under none.
        if presented is not None and kept is not None and kept.is_opened_by(presented.secret):
            services.rate_limits.take(kept.key_id)
            # Then the refusal is recorded under the key.
            identify(Actor(f"key:{kept.key_id}", kept.name))
        raise NotSignedIn("send a live API key as `Authorization: Bearer tg_….…`")
    services.api_keys.note_use(kept.key_id, services.clock())
    return Caller.from_api_key(kept)


class WithScope:
    """Dependency that returns the caller, who must have one of the scopes."""

    def __init__(self, *scopes: Scope):
        self.scopes = scopes

    async def __call__(self, caller: Annotated[Caller, Depends(authenticated_caller)]) -> Caller:
        """Return the caller; raises Forbidden without any of the scopes."""
        caller.require(*self.scopes)
        return caller


AnyCaller = Annotated[Caller, Depends(authenticated_caller)]
MayScore = Annotated[Caller, Depends(WithScope("score"))]
MayReadDecisions = Annotated[Caller, Depends(WithScope("score", "review", "audit"))]
MayReview = Annotated[Caller, Depends(WithScope("review"))]
MayRescue = Annotated[Caller, Depends(WithScope("rescue"))]
MayReviewOrRescue = Annotated[Caller, Depends(WithScope("review", "rescue"))]
MayExplain = Annotated[Caller, Depends(WithScope("explain"))]
MayIngest = Annotated[Caller, Depends(WithScope("ingest"))]
