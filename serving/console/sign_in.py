"""Signing in with an API key, and the session that follows."""

import hmac
import re
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.api_keys import PresentedKey
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.api.requests import TheHouse, body_within, caller_behind
from serving.console.pages import PageRoute, SignInNeeded, page
from serving.errors import Forbidden, NotSignedIn
from serving.house import House

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)

HOME = "/console/decisions"
OWN_PAGE = re.compile(r"/console/(decisions|features)(/[A-Za-z0-9_-]{1,64})?")
LARGEST_FORM = 4096


def the_session(request: Request, house: TheHouse) -> Session:
    """The open session of the browser; raises SignInNeeded."""
    session = house.sessions.find(request.cookies.get(_cookie(request), ""), house.clock())
    if session is None:
        raise SignInNeeded(request.url.path)
    return session


TheSession = Annotated[Session, Depends(the_session)]


def the_reader(request: Request, house: TheHouse, session: TheSession) -> Caller:
    """Who reads: the holder of the session's key, which must still be live and may explain."""
    key = house.keys.find(session.key_id)
    if key is None or not key.is_live(house.clock()):
        raise SignInNeeded(request.url.path)
    caller = Caller.of(key)
    caller.require("explain")
    return caller


TheReader = Annotated[Caller, Depends(the_reader)]


async def own_form(request: Request) -> dict[str, str]:
    """The fields of a form that our own page sent; raises Forbidden for one from elsewhere.

    A browser says where a form comes from; whoever is no browser carries no one's cookie.
    """
    origin = request.headers.get("origin")
    is_foreign = origin is not None and origin != f"{request.url.scheme}://{request.url.netloc}"
    if is_foreign or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Forbidden("this form was not sent from the console")
    body = await body_within(request, LARGEST_FORM)
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    return {name: values[0] for name, values in fields.items()}


OwnForm = Annotated[dict[str, str], Depends(own_form)]


@router.get("")
@router.get("/")
def enter() -> Response:
    """The console's first page."""
    return RedirectResponse(HOME, 303)


@router.get("/sign-in")
def show_form(to: str = HOME) -> HTMLResponse:
    """The form to sign in."""
    return page("sign_in.html", reader=None, to=_own(to), is_refused=False)


@router.post("/sign-in")
def sign_in(request: Request, house: TheHouse, form: OwnForm) -> Response:
    """Open a session for the holder of a key with the scope `explain`."""
    to = _own(form.get("to", HOME))
    caller = _reader_with(house, form.get("key", "").strip())
    if caller is None:
        return page("sign_in.html", 401, reader=None, to=to, is_refused=True)
    response = RedirectResponse(to, 303)
    response.set_cookie(
        _cookie(request),
        house.sessions.begin(caller.key_id, house.clock()),
        max_age=house.settings.session_minutes * 60,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


@router.post("/sign-out")
def sign_out(request: Request, house: TheHouse, session: TheSession, form: OwnForm) -> Response:
    """Close the session."""
    if not hmac.compare_digest(form.get("form_token", "").encode(), session.form_token.encode()):
        raise Forbidden("this form was not sent from the console")
    house.sessions.end(request.cookies[_cookie(request)])
    response = RedirectResponse("/console/sign-in", 303)
    response.delete_cookie(_cookie(request), path="/")
    return response


def _reader_with(house: House, text: str) -> Caller | None:
    try:
        caller = caller_behind(house, PresentedKey.parse(text))
    except NotSignedIn:
        return None
    return caller if caller.may("explain") else None


def _cookie(request: Request) -> str:
    """The cookie's name; `__Host-` makes a browser refuse it from any other host or path."""
    return "__Host-tidegate" if request.url.scheme == "https" else "tidegate"


def _own(address: str) -> str:
    """An address of our own pages, or the first page in place of any other."""
    return address if OWN_PAGE.fullmatch(address) else HOME
