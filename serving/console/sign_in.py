"""Signing in, with an account or an API key, and the session that follows."""

import re

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.accounts import admits
from serving.access.api_keys import PresentedKey
from serving.access.callers import Caller
from serving.console.browser_session import Whoever, begin_session, cookie_name
from serving.console.csrf import OwnForm, SignedForm
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import NotSignedIn
from serving.web.authentication import caller_behind
from serving.web.hosts import is_https
from serving.web.services import TheServices

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)

OWN_PAGE = re.compile(
    r"/console/(queue|cases|decisions|features|supervision|models|monitor|accounts)(/[A-Za-z0-9_-]{1,64}){0,2}"
)


@router.get("")
@router.get("/")
def enter(caller: Whoever) -> Response:
    """The first page of whoever is signed in."""
    return RedirectResponse(first_page(caller), 303)


@router.get("/sign-in")
def show_form(services: TheServices, to: str = "") -> HTMLResponse:
    """The form to sign in."""
    return _form(services, own_address(to), is_refused=False)


@router.post("/sign-in")
def sign_in(request: Request, services: TheServices, form: OwnForm) -> Response:
    """Open a session for the holder of an account, or of a key that may read pages."""
    to = own_address(form.get("to", ""))
    admitted = _admitted(services, form)
    if admitted is None:
        return _form(services, to, is_refused=True)
    holder, caller = admitted
    response = RedirectResponse(to or first_page(caller), 303)
    begin_session(request, services, response, holder)
    return response


@router.post("/sign-out")
def sign_out(request: Request, services: TheServices, form: SignedForm) -> Response:
    """Close the session."""
    services.sessions.end(request.cookies[cookie_name(request)])
    response = RedirectResponse("/console/sign-in", 303)
    # Browsers take no `__Host-` cookie, nor the end of one, without Secure.
    response.delete_cookie(
        cookie_name(request), path="/", secure=is_https(request), httponly=True, samesite="strict"
    )
    return response


def first_page(caller: Caller) -> str:
    """Where the work of a caller begins."""
    if caller.may("review") or caller.may("rescue"):
        return "/console/queue"
    if caller.may("explain"):
        return "/console/decisions"
    return "/console/accounts" if caller.may("administer") else "/console/models"


def _admitted(services: Services, form: dict[str, str]) -> tuple[str, Caller] | None:
    """The holder of a session to open, and what they may do; None for whoever is not let in."""
    if form.get("name"):
        account = services.accounts.find(form["name"])
        is_let_in = admits(account, form.get("password", ""))
        return (f"account:{account.name}", account.caller()) if account and is_let_in else None
    try:
        caller = caller_behind(services, PresentedKey.parse(form.get("key", "")))
    except NotSignedIn:
        return None
    may_read = caller.may("explain") or caller.may("review") or caller.may("rescue")
    return (f"key:{caller.key_id}", caller) if may_read else None


def _form(services: Services, to: str, *, is_refused: bool) -> HTMLResponse:
    return page(
        "sign_in.html",
        status=401 if is_refused else 200,
        reader=None,
        to=to,
        is_refused=is_refused,
        has_oidc=services.oidc is not None,
    )


def own_address(address: str) -> str:
    """An address of our own pages, or nothing in place of any other."""
    return address if OWN_PAGE.fullmatch(address) else ""
