"""OpenID Connect sign-in: to the organisation's server, and its callback."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse

from serving.access.oidc import PendingLogin, Provider
from serving.console.browser_session import begin_session
from serving.console.interruptions import own_address
from serving.console.pages import PageRoute, page
from serving.console.sign_in import first_page
from serving.errors import NotFound, NotSignedIn
from serving.settings import Settings
from serving.web.hosts import is_https
from serving.web.services import TheServices

router = APIRouter(prefix="/console/oidc", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)

LONGEST_LOGIN_S = 600


async def configured_provider(services: TheServices) -> Provider:
    """The organisation's server; raises NotFound where the settings name none."""
    if services.oidc is None:
        raise NotFound("no sign-in with an organisation is set up here")
    return services.oidc


ConfiguredProvider = Annotated[Provider, Depends(configured_provider)]
Parameter = Annotated[str, Query(max_length=4_096)]


@router.get("")
def begin_login(
    request: Request, services: TheServices, provider: ConfiguredProvider, to: Parameter = ""
) -> RedirectResponse:
    """Send the browser to the organisation's server, with a secret of its own to come back with."""
    login = PendingLogin.begin()
    response = RedirectResponse(
        provider.address(login, _callback_address(request, services.settings)), 303
    )
    # It comes back from another site, so the cookie must be sent with that navigation.
    response.set_cookie(
        _cookie(request),
        f"{login.secret}.{own_address(to)}",
        max_age=LONGEST_LOGIN_S,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/callback")
def finish_login(
    request: Request,
    services: TheServices,
    provider: ConfiguredProvider,
    state: Parameter = "",
    code: Parameter = "",
) -> HTMLResponse:
    """Open a session for whoever the organisation's server names.

    The page leads on by itself: a redirect would still count as coming from the other site, and the
    cookie of the session is for our own pages only.
    """
    secret, _, to = request.cookies.get(_cookie(request), "").partition(".")
    if not secret:
        raise NotSignedIn("this sign-in was not begun here, or took too long; try again")
    claimed = provider.account(
        PendingLogin(secret), state, code, _callback_address(request, services.settings)
    )
    account = services.accounts.admit(claimed)
    log.info("signed_in_with_oidc", role=account.role)
    next_page = own_address(to) or first_page(account.caller())
    response = page("signed_in.html", reader=None, next_page=next_page)
    begin_session(request, services, response, f"account:{account.name}")
    response.delete_cookie(
        _cookie(request), path="/", secure=is_https(request), httponly=True, samesite="lax"
    )
    return response


def _callback_address(request: Request, settings: Settings) -> str:
    """The address that the provider sends browsers back to, as it is registered there."""
    here = settings.public_address or f"{request.url.scheme}://{request.url.netloc}"
    return f"{here.rstrip('/')}/console/oidc/callback"


def _cookie(request: Request) -> str:
    return "__Host-tidegate-away" if is_https(request) else "tidegate-away"
