"""Signing in elsewhere: away to the organisation's server, and back with what it says."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse

from serving.access.oidc import Away, Provider
from serving.console.pages import PageRoute, page
from serving.console.sign_in import begin_session, first_page, own_address
from serving.errors import NotFound, NotSignedIn
from serving.settings import Settings
from serving.web.services import TheServices

router = APIRouter(prefix="/console/elsewhere", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)

LONGEST_AWAY_S = 600


async def the_provider(services: TheServices) -> Provider:
    """The organisation's server; raises NotFound where the settings name none."""
    if services.oidc is None:
        raise NotFound("nobody signs in elsewhere here")
    return services.oidc


TheProvider = Annotated[Provider, Depends(the_provider)]
Told = Annotated[str, Query(max_length=4_096)]


@router.get("")
def leave(
    request: Request, services: TheServices, provider: TheProvider, to: Told = ""
) -> RedirectResponse:
    """Send the browser away, with a secret of its own to come back with."""
    away = Away.begin()
    response = RedirectResponse(provider.address(away, _back_to(request, services.settings)), 303)
    # It comes back from another site, so the cookie must be sent with that navigation.
    response.set_cookie(
        _cookie(request),
        f"{away.secret}.{own_address(to)}",
        max_age=LONGEST_AWAY_S,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/back")
def come_back(
    request: Request,
    services: TheServices,
    provider: TheProvider,
    state: Told = "",
    code: Told = "",
) -> HTMLResponse:
    """Open a session for whoever the organisation's server names.

    The page leads on by itself: a redirect would still count as coming from the other site, and the
    cookie of the session is for our own pages only.
    """
    secret, _, to = request.cookies.get(_cookie(request), "").partition(".")
    if not secret:
        raise NotSignedIn("this sign-in was not begun here, or took too long; try again")
    told = provider.account(Away(secret), state, code, _back_to(request, services.settings))
    account = services.accounts.admit(told)
    log.info("signed_in_elsewhere", role=account.role)
    onwards = own_address(to) or first_page(account.caller())
    response = page("onwards.html", reader=None, onwards=onwards)
    begin_session(request, services, response, f"account:{account.name}")
    response.delete_cookie(_cookie(request), path="/")
    return response


def _back_to(request: Request, settings: Settings) -> str:
    """The address that the provider sends browsers back to, as it is registered there."""
    here = settings.public_address or f"{request.url.scheme}://{request.url.netloc}"
    return f"{here.rstrip('/')}/console/elsewhere/back"


def _cookie(request: Request) -> str:
    return "__Host-tidegate-away" if request.url.scheme == "https" else "tidegate-away"
