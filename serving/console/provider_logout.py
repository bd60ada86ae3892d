"""Sign-out at the organisation's provider, started here or there.

The provider's token of the session is in a cookie that browsers send only with sign-out.
"""

from datetime import timedelta

import structlog
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from serving.access.actors import SERVICE
from serving.access.errors import OidcUnavailable, SignInRefused
from serving.console.csrf import OwnForm
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import NotFound, ServingError
from serving.web.hosts import base_address, is_https
from serving.web.services import TheServices

router = APIRouter(prefix="/console/oidc", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)

SIGN_OUT, SIGN_IN = "/console/sign-out", "/console/sign-in"
# Browsers limit cookies to about 4 KiB. Without the token, the provider learns only the client
# (characters).
MAX_HINT_LENGTH = 3_000
NO_HINT = "-"


def remember_provider_session(request: Request, response: Response, id_token: str) -> None:
    """Set a cookie with the token that ends the provider's session, sent only with sign-out."""
    response.set_cookie(
        _cookie(request),
        id_token if len(id_token) <= MAX_HINT_LENGTH else NO_HINT,
        max_age=int(timedelta(days=1).total_seconds()),
        path=SIGN_OUT,
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )


def signed_out(request: Request, services: Services) -> Response:
    """Return the page after sign-out: the sign-in form, or a way to end the provider's session.

    The page continues by script, because the content policy forbids forms to lead elsewhere.
    """
    hint = request.cookies.get(_cookie(request))
    address = _end_address(request, services, hint) if hint else None
    if address is None:
        response: Response = RedirectResponse(SIGN_IN, 303)
    else:
        response = page("signed_out.html", reader=None, next_page=address)
    if hint:
        response.delete_cookie(
            _cookie(request),
            path=SIGN_OUT,
            secure=is_https(request),
            httponly=True,
            samesite="strict",
        )
    return response


@router.post("/backchannel-logout")
def end_sessions(services: TheServices, form: OwnForm) -> Response:
    """End all sessions of a person whom the provider signed out or disabled."""
    if services.oidc is None:
        raise NotFound("no sign-in with an organisation is set up here")
    try:
        subject = services.oidc.ended_subject(form.get("logout_token", ""))
    except SignInRefused as refusal:
        log.warning("logout_refused", cause=refusal.cause)
        raise ServingError(
            "this is not a logout token for this service", code="bad-request"
        ) from None
    account = services.accounts.of_subject(subject)
    if account is not None:
        count = services.sessions.end_all(f"account:{account.name}", services.clock(), SERVICE)
        log.info("signed_out_elsewhere", sessions=count)
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


def _end_address(request: Request, services: Services, hint: str) -> str | None:
    base = base_address(request)
    if services.oidc is None or base is None:
        return None
    try:
        return services.oidc.end_address(None if hint == NO_HINT else hint, f"{base}{SIGN_IN}")
    except OidcUnavailable:
        # The local session has ended either way.
        return None


def _cookie(request: Request) -> str:
    """Return the name of the cookie; `__Secure-` restricts it to HTTPS."""
    return "__Secure-tidegate-elsewhere" if is_https(request) else "tidegate-elsewhere"
