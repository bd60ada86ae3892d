"""Sign-in with an account, the steps that may follow, and sign-out."""

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
    AnyReader,
    OpenSession,
    SessionHolder,
    TheHolder,
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
from serving.console.interruptions import CODE, InterruptedForm, own_address
from serving.console.pages import PageRoute, page
from serving.console.provider_logout import signed_out
from serving.container import Services
from serving.errors import NotSignedIn, ServingError, TooBusy
from serving.integrity.audit_log import AuditEvent
from serving.web.hosts import is_https
from serving.web.services import TheServices

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)

# Errors that the sign-in form shows on its own page.
REFUSALS = (NotSignedIn, SignInDelayed, TooBusy)


@router.get("")
@router.get("/")
def enter(caller: AnyReader) -> Response:
    """Redirect a signed-in reader to the first page of their work."""
    return RedirectResponse(first_page(caller), 303)


@router.get("/sign-in")
def show_form(services: TheServices, to: str = "") -> HTMLResponse:
    """Show the sign-in form."""
    return _form(services, own_address(to), None)


@router.post("/sign-in")
async def sign_in(request: Request, services: TheServices, form: OwnForm) -> Response:
    """Open a session for the holder of an account."""
    way, name = Onward.of(form), form.get("name", "")
    check = partial(_refusal, request, services, way, name)
    attempt = partial(_answered, request, services, way, name, form.get("password", ""))
    left, threads = partial(client_left, request), services.sign_in_threads
    try:
        # Known browsers have places of their own, so that a flood of guesses locks no one out.
        if signed_cookie(request, services, name) and threads.has_place_for(name):
            return await threads.run_known(name, attempt, left)
        return await threads.run(address_of(request), check, attempt, left)
    except TooBusy as full:
        return _form(services, way.to, full, way.kept)


async def client_left(request: Request) -> None:
    """Return when the client has closed its connection; its body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@router.get("/sign-in/code")
def show_code_form(session: OpenSession, to: str = "") -> HTMLResponse:
    """Show the form for a second factor."""
    return _code_form(session, Onward(own_address(to), None), None)


@router.post("/sign-in/code")
def give_code(
    request: Request, services: TheServices, session: OpenSession, holder: TheHolder, form: StepForm
) -> Response:
    """Continue the session under a new cookie if the code is valid."""
    way, account = Onward.of(form), holder.account
    if session.has_second_factor:
        return way.response(services, session, holder)
    attempt = attempt_of(request, services, account.name, is_code=True)
    try:
        kind = checked_code(services, attempt, account, form.get("one_time_code", ""))
    except REFUSALS as refusal:
        return _code_form(session, way, refusal)
    # A cookie that leaked before the second factor must not work after it.
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
    # Browsers accept a `__Host-` cookie, and its deletion, only with Secure.
    response.delete_cookie(
        cookie_name(request), path="/", secure=is_https(request), httponly=True, samesite="strict"
    )
    return response


@dataclass(frozen=True)
class Onward:
    """Destination after sign-in or proof: a page, or the kept form."""

    to: str
    kept: InterruptedForm | None

    @classmethod
    def of(cls, form: dict[str, str]) -> "Onward":
        """Return the destination that an intermediate page carried on."""
        return cls(own_address(form.get("to", "")), InterruptedForm.carried(form))

    def response(self, services: Services, session: Session, holder: SessionHolder) -> Response:
        """Return the next page: a remaining step, the kept form, or the requested page."""
        step = step_left(services, session, holder.account)
        to = self.to or first_page(holder.caller)
        if step is not None and (self.kept is None or step.template is None):
            return RedirectResponse(f"{step.address}?to={to}", 303)
        if self.kept is None:
            return RedirectResponse(to, 303)
        content: dict[str, Any] = {"session": session, "to": to, "kept": self.kept}
        if step is not None and step.template is not None:
            return page(step.template, reader=None, refusal=None, **content)
        return page("resume.html", reader=holder.caller, **content)


def _refusal(request: Request, services: Services, way: Onward, name: str) -> Response | None:
    """Return the form again if the attempt comes before its required wait is over."""
    try:
        refuse_early(services, attempt_of(request, services, name))
    except REFUSALS as refusal:
        return _form(services, way.to, refusal, way.kept)
    return None


def _answered(
    request: Request, services: Services, way: Onward, name: str, password: str
) -> Response:
    """Return the first page after sign-in, or the form with the reason."""
    try:
        return _let_in(request, services, way, name, password)
    except REFUSALS as refusal:
        return _form(services, way.to, refusal, way.kept)


def _let_in(
    request: Request, services: Services, way: Onward, name: str, password: str
) -> Response:
    """Open a session; the browser becomes known now unless a code is still required."""
    attempt = attempt_of(request, services, name)
    account = checked_account(services, attempt, password)
    session, cookie = new_session(request, services, account.identity)
    response = way.response(services, session, SessionHolder(account.caller(), account))
    event = sign_in_event(account.identity, services.clock(), session)
    # End the browser's previous session, so that none is left behind on a shared machine.
    services.sessions.end(request.cookies.get(cookie_name(request), ""))
    services.sign_ins.admit(attempt, session, event)
    give_cookie(request, services, response, cookie)
    if step_left(services, session, account) is not CODE:
        know_browser(request, services, response, account)
    log.info("signed_in", by="password", account=account.name, address=address_of(request))
    return response


def know_browser(
    request: Request, services: Services, response: Response, account: Account
) -> None:
    """Mark the browser and its address as known to the account."""
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
    """Return the page where a caller's work begins."""
    if caller.may("rescue"):
        return "/console/rescues"
    if caller.may("review"):
        return "/console/queue"
    if caller.may("explain"):
        return "/console/decisions"
    return "/console/accounts" if caller.may("administer") else "/console/models"


def _form(
    services: Services, to: str, refusal: ServingError | None, kept: InterruptedForm | None = None
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
