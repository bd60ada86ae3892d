"""Signing in with an account, the steps that may follow, and signing out."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.accounts import Account
from serving.access.callers import Caller
from serving.access.errors import SignInDelayed
from serving.access.sessions import Session
from serving.access.sign_in_delays import KNOWN_FOR
from serving.console.browser_session import (
    OpenSession,
    SessionHolder,
    TheHolder,
    Whoever,
    address_of,
    cookie_name,
    give_cookie,
    new_session,
    sign_in_event,
    step_left,
)
from serving.console.credentials import (
    attempt_of,
    checked_account,
    checked_code,
    known_cookie,
    refuse_early,
    signed_cookie,
)
from serving.console.csrf import OwnForm, StepForm
from serving.console.interruptions import CodeLeft, KeptForm, own_address
from serving.console.pages import PageRoute, page
from serving.console.provider_logout import signed_out
from serving.container import Services
from serving.errors import NotSignedIn, ServingError, TooBusy
from serving.integrity.audit_log import AuditEvent
from serving.web.hosts import is_https
from serving.web.services import TheServices

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)

# What a form to sign in says on its own page.
REFUSALS = (NotSignedIn, SignInDelayed, TooBusy)


@router.get("")
@router.get("/")
def enter(caller: Whoever) -> Response:
    """The first page of whoever is signed in."""
    return RedirectResponse(first_page(caller), 303)


@router.get("/sign-in")
def show_form(services: TheServices, to: str = "") -> HTMLResponse:
    """The form to sign in."""
    return _form(services, own_address(to), None)


@router.post("/sign-in")
async def sign_in(request: Request, services: TheServices, form: OwnForm) -> Response:
    """Open a session for the holder of an account."""
    way, name = Onward.of(form), form.get("name", "")
    check = partial(_refusal, request, services, way, name)
    attempt = partial(_answered, request, services, way, name, form.get("password", ""))
    left, threads = partial(_client_left, request), services.sign_in_threads
    try:
        if signed_cookie(request, services, name) and threads.has_place_for(name):
            return await threads.run_known(name, attempt, left)
        return await threads.run(address_of(request), check, attempt, left)
    except TooBusy as full:
        return _form(services, way.to, full, way.kept)


async def _client_left(request: Request) -> None:
    """Return once the client, whose form is read, has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@router.get("/sign-in/code")
def show_code_form(session: OpenSession, to: str = "") -> HTMLResponse:
    """The form for a second factor."""
    return _code_form(session, Onward(own_address(to), None), None)


@router.post("/sign-in/code")
def give_code(
    request: Request, services: TheServices, session: OpenSession, holder: TheHolder, form: StepForm
) -> Response:
    """Let the session go on, under a fresh cookie, for whoever gives a code that counts."""
    way, account = Onward.of(form), holder.account
    if session.has_second_factor:
        return way.response(services, session, holder)
    attempt = attempt_of(request, services, account.name, is_code=True)
    try:
        kind = checked_code(services, attempt, account, form.get("one_time_code", ""))
    except REFUSALS as refusal:
        return _code_form(session, way, refusal)
    now = services.clock()
    proved, cookie = session.proved(now, services.settings.session_lasting, by_code=True)
    event = AuditEvent(
        now, account.actor, "give_second_factor", "account", account.name, {"kind": kind}
    )
    services.sessions.replace_session(session, proved, event)
    response = way.response(services, proved, holder)
    give_cookie(request, services, response, cookie)
    know_browser(request, services, response, account)
    log.info("second_factor_given", account=account.name, kind=kind)
    return response


@router.post("/sign-out")
def sign_out(
    request: Request, services: TheServices, session: OpenSession, _: StepForm
) -> Response:
    """Close the session."""
    kind, _name, name = session.holder.partition(":")
    now = services.clock()
    event = AuditEvent(now, session.actor, "sign_out", kind, name)
    services.sessions.end(request.cookies[cookie_name(request)], event)
    log.info("signed_out", holder=session.holder)
    response = signed_out(request, services)
    # Browsers take no `__Host-` cookie, nor the end of one, without Secure.
    response.delete_cookie(
        cookie_name(request), path="/", secure=is_https(request), httponly=True, samesite="strict"
    )
    return response


@dataclass(frozen=True)
class Onward:
    """The way of a reader who has signed in or proved something: to a page, or their form."""

    to: str
    kept: KeptForm | None

    @classmethod
    def of(cls, form: dict[str, str]) -> "Onward":
        """Return the way that a page of ours in between carried on."""
        return cls(own_address(form.get("to", "")), KeptForm.carried(form))

    def response(self, services: Services, session: Session, holder: SessionHolder) -> Response:
        """The next page: a step that is left, the form that was kept, or what was asked for."""
        step = step_left(services, session, holder.account)
        to = self.to or first_page(holder.caller)
        if step is not None and (self.kept is None or step.template is None):
            return RedirectResponse(f"{step.page}?to={to}", 303)
        if self.kept is None:
            return RedirectResponse(to, 303)
        content: dict[str, Any] = {"session": session, "to": to, "kept": self.kept}
        if step is not None and step.template is not None:
            return page(step.template, reader=None, refusal=None, **content)
        return page("resume.html", reader=holder.caller, **content)


def _refusal(request: Request, services: Services, way: Onward, name: str) -> Response | None:
    """The form again, for an attempt that does not wait as long as it must."""
    try:
        refuse_early(services, attempt_of(request, services, name))
    except REFUSALS as refusal:
        return _form(services, way.to, refusal, way.kept)
    return None


def _answered(
    request: Request, services: Services, way: Onward, name: str, password: str
) -> Response:
    """The first page of whoever is let in, or the form again with why not."""
    try:
        return _let_in(request, services, way, name, password)
    except REFUSALS as refusal:
        return _form(services, way.to, refusal, way.kept)


def _let_in(
    request: Request, services: Services, way: Onward, name: str, password: str
) -> Response:
    """Open a session for an account; its browser is known to it once no code is asked."""
    attempt = attempt_of(request, services, name)
    account = checked_account(services, attempt, password)
    session, cookie = new_session(request, services, account.identity)
    response = way.response(services, session, SessionHolder(account.caller(), account))
    event = sign_in_event(account.identity, services.clock(), session)
    services.sessions.end(request.cookies.get(cookie_name(request), ""))
    services.sign_ins.admit(attempt, session, event)
    give_cookie(request, services, response, cookie)
    if step_left(services, session, account) is not CodeLeft:
        know_browser(request, services, response, account)
    log.info("signed_in", by="password", account=account.name, address=address_of(request))
    return response


def know_browser(
    request: Request, services: Services, response: Response, account: Account
) -> None:
    """Let the browser, and its address, be known to the account from now on."""
    now = services.clock()
    browser = services.sign_ins.new_browser(account.name, now)
    former = attempt_of(request, services, account.name)
    services.sign_ins.know(
        account.name, browser, now, address=former.address, former=former.known_browser
    )
    response.set_cookie(
        known_cookie(request),
        browser,
        max_age=int(KNOWN_FOR.total_seconds()),
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )


def first_page(caller: Caller) -> str:
    """Return the page where the work of a caller begins."""
    if caller.may("rescue"):
        return "/console/rescues"
    if caller.may("review"):
        return "/console/queue"
    if caller.may("explain"):
        return "/console/decisions"
    return "/console/accounts" if caller.may("administer") else "/console/models"


def _form(
    services: Services, to: str, refusal: ServingError | None, kept: KeptForm | None = None
) -> HTMLResponse:
    return page(
        "sign_in.html",
        200 if refusal is None else refusal.status,
        refusal.retry_after_s if refusal else None,
        reader=None,
        to=to,
        refusal=refusal,
        has_oidc=services.oidc is not None,
        kept=kept,
    )


def _code_form(session: Session, way: Onward, refusal: ServingError | None) -> HTMLResponse:
    return page(
        "code.html",
        200 if refusal is None else refusal.status,
        refusal.retry_after_s if refusal else None,
        reader=None,
        session=session,
        to=way.to,
        refusal=refusal,
        kept=way.kept,
    )
