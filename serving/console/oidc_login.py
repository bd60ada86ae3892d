"""OpenID Connect sign-in: redirect to the organisation's provider, and its callback."""

import re
from functools import partial
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from serving.access.accounts import Account
from serving.access.actors import SERVICE
from serving.access.errors import OidcUnavailable, SignInRefused
from serving.access.oidc import NOT_LET_IN, PendingLogin, Provider
from serving.console.browser_session import address_of, begin_session, is_recent_proof
from serving.console.interruptions import own_address
from serving.console.pages import PageRoute, page
from serving.console.provider_logout import remember_provider_session
from serving.console.sign_in import client_left, first_page
from serving.container import Services
from serving.errors import NotFound, NotSignedIn, ServingError, TooBusy
from serving.integrity.audit_log import AuditEvent
from serving.web.hosts import base_address, is_https
from serving.web.services import TheServices

router = APIRouter(prefix="/console/oidc", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)

MAX_LOGIN_S = 600
AGAIN = ".again"
NOT_ASKED = "your organisation did not ask you who you are, so this proves nothing"
_NOT_ASKED_CAUSE = "auth_time is missing or old, although prompt=login and max_age=0 were sent"
# Error codes of RFC 6749, 4.1.2.1, and of its extensions.
ERROR_CODE = re.compile(r"[a-z_]{1,40}")


async def configured_provider(services: TheServices) -> Provider:
    """Return the configured provider; raises NotFound without one."""
    if services.oidc is None:
        raise NotFound("no sign-in with an organisation is set up here")
    return services.oidc


ConfiguredProvider = Annotated[Provider, Depends(configured_provider)]
Parameter = Annotated[str, Query(max_length=4_096)]


@router.get("")
def begin_login(
    request: Request,
    services: TheServices,
    provider: ConfiguredProvider,
    to: Parameter = "",
    is_again: Annotated[bool, Query(alias="again")] = False,
) -> Response:
    """Redirect to the provider, with a secret cookie to match its answer to this browser.

    `again` makes the provider ask for credentials even if its own session is still open.
    """
    login = PendingLogin.begin()
    try:
        address = provider.address(login, _callback_address(request), is_again=is_again)
    except OidcUnavailable as refusal:
        return _refused(request, refusal, str(refusal))
    response = RedirectResponse(address, 303)
    # The provider returns by a navigation from another site, which only a lax cookie accompanies.
    response.set_cookie(
        _cookie(request),
        f"{login.secret}.{own_address(to)}{AGAIN if is_again else ''}",
        max_age=MAX_LOGIN_S,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/callback")
async def finish_login(
    request: Request,
    services: TheServices,
    provider: ConfiguredProvider,
    state: Parameter = "",
    code: Parameter = "",
    error: Parameter = "",
) -> Response:
    """Open a session for the person that the provider authenticated.

    Each answer is checked at the provider, so it waits in the queue of sign-ins: a flood of
    answers that nobody asked for takes no threads of others.
    """
    check = partial(_unasked, request, error)
    attempt = partial(_answered, request, services, provider, state, code)
    left = partial(client_left, request)
    try:
        return await services.sign_in_threads.run(address_of(request), check, attempt, left)
    except TooBusy as full:
        return _refused(request, full, str(full))


def _unasked(request: Request, error: str) -> Response | None:
    """Return the refusal of an answer without a code, or to a browser that did not ask."""
    try:
        if error:
            raise NotSignedIn("your organisation does not confirm this sign-in")
        if not _login_of(request)[0]:
            raise NotSignedIn("this sign-in was not begun here, or took too long; try again")
    except NotSignedIn as refusal:
        # The provider chooses `error`; log it only if it looks like a code.
        told = f" ({error})" if ERROR_CODE.fullmatch(error) else ""
        return _refused(request, refusal, f"{refusal}{told}")
    return None


def _answered(
    request: Request, services: Services, provider: Provider, state: str, code: str
) -> Response:
    """Return a page with a session, or the reason for the refusal.

    The page continues by script: a redirect would still count as coming from the other site, and
    the session cookie is strict.
    """
    secret, to, is_again = _login_of(request)
    try:
        signed_in = provider.sign_in(PendingLogin(secret), state, code, _callback_address(request))
        # Some providers ignore `prompt=login`, so check the time of authentication that they
        # report.
        if is_again and not is_recent_proof(services, signed_in.authenticated_at):
            raise SignInRefused(NOT_ASKED, _NOT_ASKED_CAUSE, signed_in.account.subject or "")
        account = _admitted(services, signed_in.account)
    except SignInRefused as refusal:
        _tell_auditors(services, refusal)
        return _refused(request, refusal, refusal.cause)
    except (NotSignedIn, OidcUnavailable) as refusal:
        return _refused(request, refusal, str(refusal))
    log.info("signed_in_with_oidc", role=account.role, account=account.name)
    next_page = own_address(to) or first_page(account.caller())
    response = page("signed_in.html", reader=None, next_page=next_page)
    begin_session(
        request, services, response, f"account:{account.name}", signed_in.authenticated_at
    )
    remember_provider_session(request, response, signed_in.id_token)
    response.delete_cookie(
        _cookie(request), path="/", secure=is_https(request), httponly=True, samesite="lax"
    )
    return response


def _login_of(request: Request) -> tuple[str, str, bool]:
    """Return the secret of the login that this browser began, its page, and whether again."""
    cookie = request.cookies.get(_cookie(request), "")
    secret, _, to = cookie.removesuffix(AGAIN).partition(".")
    return secret, to, cookie.endswith(AGAIN)


def _admitted(services: Services, claimed: Account) -> Account:
    """Return the account of an authenticated person; raises SignInRefused if it is disabled."""
    try:
        return services.accounts.admit(claimed)
    except NotSignedIn as refusal:
        raise SignInRefused(NOT_LET_IN, str(refusal), claimed.subject or "") from None


def _tell_auditors(services: Services, refusal: SignInRefused) -> None:
    """Record a refusal in the audit log; only people whom the provider vouched for get here."""
    account = services.accounts.of_subject(refusal.subject) if refusal.subject else None
    known_by = account.name if account else refusal.subject or "unknown"
    details = {"cause": refusal.cause, "by": "oidc"}
    services.audit_log.append(
        AuditEvent(services.clock(), SERVICE, "refuse_sign_in", "account", known_by, details)
    )


def _refused(request: Request, refusal: ServingError, cause: str) -> Response:
    """Return a page with one sentence and an id that leads operators to the cause in the log."""
    log.warning("oidc_sign_in_refused", cause=cause)
    return page(
        "sign_in_refused.html",
        refusal.status,
        refusal.retry_after_s,
        reader=None,
        request_id=request.state.request_id,
        title=refusal.problem.title,
        detail=str(refusal),
    )


def _callback_address(request: Request) -> str:
    """Return the callback address, as registered with the provider.

    Raises OidcUnavailable if no trusted host name is known.
    """
    base = base_address(request)
    if base is None:
        raise OidcUnavailable(
            "this service does not know the address that browsers use: set TIDEGATE_PUBLIC_ADDRESS"
        )
    return f"{base}/console/oidc/callback"


def _cookie(request: Request) -> str:
    return "__Host-tidegate-away" if is_https(request) else "tidegate-away"
