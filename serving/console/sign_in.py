"""Signing in, with an account or an API key, and the session that follows."""

import hmac
import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.accounts import admits
from serving.access.api_keys import PresentedKey, Scope
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.pages import PageRoute, SignInNeeded, page
from serving.container import Services
from serving.errors import Forbidden, NotSignedIn, Unprocessable
from serving.web.authentication import called, caller_behind
from serving.web.bodies import body_within
from serving.web.services import TheServices

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)

OWN_PAGE = re.compile(
    r"/console/(queue|cases|decisions|features|supervision|models|monitor|accounts)(/[A-Za-z0-9_-]{1,64}){0,2}"
)
LARGEST_FORM = 32_768  # bytes
MOST_FIELDS = 10


def the_session(request: Request, services: TheServices) -> Session:
    """The open session of the browser; raises SignInNeeded."""
    session = services.sessions.find(request.cookies.get(_cookie(request), ""), services.clock())
    if session is None:
        raise SignInNeeded(request.url.path)
    return session


TheSession = Annotated[Session, Depends(the_session)]


def signed_in_caller(request: Request, services: TheServices, session: TheSession) -> Caller:
    """The holder of the session, whose key or account must still be live; raises SignInNeeded.

    Raises Forbidden for a key that is for another purpose.
    """
    caller = _holder(services, session)
    if caller is None:
        raise SignInNeeded(request.url.path)
    services.purpose.require(caller, None, called(request))
    return caller


Whoever = Annotated[Caller, Depends(signed_in_caller)]


class ReaderWith:
    """A dependency: the holder of the session, who must have one of the scopes."""

    def __init__(self, *scopes: Scope):
        self.scopes = scopes

    def __call__(self, caller: Whoever) -> Caller:
        """The holder; raises Forbidden without any of the scopes."""
        if not any(caller.may(scope) for scope in self.scopes):
            raise Forbidden("this page is for others; sign in with another account")
        return caller


def refuse_foreign(request: Request) -> None:
    """Raise Forbidden for a form that a page of another origin sent.

    A browser says where a form comes from; whoever is no browser carries no one's cookie.
    """
    origin = request.headers.get("origin")
    is_foreign = origin is not None and origin != f"{request.url.scheme}://{request.url.netloc}"
    if is_foreign or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Forbidden("this form was not sent from the console")


async def own_form(request: Request) -> dict[str, str]:
    """The fields of a form that our own page sent; raises Forbidden for one from elsewhere.

    Raises BodyTooLarge or Unprocessable for one that no page of ours sends.
    """
    refuse_foreign(request)
    body = await body_within(request, LARGEST_FORM)
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Unprocessable(f"a form of ours has at most {MOST_FIELDS} fields") from None
    return {name: values[0].strip() for name, values in fields.items()}


OwnForm = Annotated[dict[str, str], Depends(own_form)]


async def signed_form(session: TheSession, form: OwnForm) -> dict[str, str]:
    """The fields of a form that this session's page sent; raises Forbidden for any other."""
    if not hmac.compare_digest(form.get("form_token", "").encode(), session.form_token.encode()):
        raise Forbidden("this form was not sent from the console")
    return form


SignedForm = Annotated[dict[str, str], Depends(signed_form)]


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


def begin_session(request: Request, services: Services, response: Response, holder: str) -> None:
    """Give the browser a session that is new, whatever cookie it came with."""
    now, lasting = services.clock(), timedelta(minutes=services.settings.session_minutes)
    session, cookie = Session.begin(holder, now, lasting)
    services.sessions.add_session(session, now)
    response.set_cookie(
        _cookie(request),
        cookie,
        max_age=services.settings.session_minutes * 60,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


@router.post("/sign-out")
def sign_out(request: Request, services: TheServices, form: SignedForm) -> Response:
    """Close the session."""
    services.sessions.end(request.cookies[_cookie(request)])
    response = RedirectResponse("/console/sign-in", 303)
    response.delete_cookie(_cookie(request), path="/")
    return response


def first_page(caller: Caller) -> str:
    """Where the work of a caller begins."""
    if caller.may("review"):
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
    may_read = caller.may("explain") or caller.may("review")
    return (f"key:{caller.key_id}", caller) if may_read else None


def _holder(services: Services, session: Session) -> Caller | None:
    kind, _, name = session.holder.partition(":")
    if kind == "account":
        account = services.accounts.find(name)
        return account.caller() if account and account.disabled_at is None else None
    key = services.api_keys.find(name)
    return Caller.from_api_key(key) if key and key.is_live(services.clock()) else None


def _cookie(request: Request) -> str:
    """The cookie's name; `__Host-` makes a browser refuse it from any other host or path."""
    return "__Host-tidegate" if request.url.scheme == "https" else "tidegate"


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
