"""Pages of a reader's own account: password, second factor, sessions and language."""

from dataclasses import replace
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from serving.access.accounts import Account, ReadingChoice
from serving.access.errors import PasswordRefused
from serving.access.passwords import hash_password, is_password_of, refuse_weak_password
from serving.access.sessions import Session
from serving.console.browser_session import (
    AnyReader,
    OpenSession,
    RecentlyAuthenticated,
    SessionHolder,
    TheHolder,
    TheSession,
    UnusedSession,
    give_cookie,
    require_recent_proof,
    step_left,
)
from serving.console.credentials import attempt_of, checked_account
from serving.console.csrf import SignedForm, StepForm
from serving.console.interruptions import CODE, NEW_PASSWORD, Interruption, own_address
from serving.console.pages import PageRoute, page
from serving.console.sign_in import REFUSALS, Onward, know_browser
from serving.container import Services
from serving.errors import Conflict, NotFound, ServingError, Unprocessable
from serving.language import DRAFTS, say
from serving.web.languages import known_languages, time_zones
from serving.web.services import TheServices

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)

MAX_EVENTS = 12


def own_account(
    request: Request, services: TheServices, session: OpenSession, holder: TheHolder
) -> Account:
    """Return the account of a holder who gave the second factor, if the account has one.

    Raises NotFound for accounts that a provider manages.
    """
    account = holder.account
    if account.subject is not None:
        raise NotFound("passwords and codes of this sign-in are managed elsewhere")
    if step_left(services, session, account) is CODE:
        raise Interruption(CODE, request, session=session)
    return account


OwnAccount = Annotated[Account, Depends(own_account)]


def account_with_own_password(
    request: Request, services: TheServices, session: OpenSession, account: OwnAccount
) -> Account:
    """Return the account if only its holder knows the password; raises Interruption.

    Otherwise the person who handed over a first password could set up the second factor.
    """
    if step_left(services, session, account) is NEW_PASSWORD:
        raise Interruption(NEW_PASSWORD, request, session=session)
    return account


AccountWithOwnPassword = Annotated[Account, Depends(account_with_own_password)]


@router.get("/account")
def show_account(
    services: TheServices, caller: AnyReader, session: TheSession, holder: TheHolder
) -> HTMLResponse:
    """Show the account: its credentials, sessions and recent events."""
    return _account_page(services, session, holder)


@router.post("/account/reading")
def choose_reading(
    services: TheServices, session: TheSession, holder: TheHolder, form: SignedForm
) -> Response:
    """Store the language and time zone that the holder chose."""
    language, time_zone = form.get("language", ""), form.get("time_zone", "")
    if language and language not in known_languages(services):
        raise Unprocessable("choose one of the languages that are here")
    if time_zone and time_zone not in time_zones():
        refusal = Unprocessable(say("no time zone is called {name}", name=time_zone[:64]))
        return _account_page(services, session, holder, refusal=refusal)
    choice = ReadingChoice(language or None, time_zone or None)
    services.accounts.choose_reading(holder.account, choice, services.clock(), holder.account.actor)
    return RedirectResponse("/console/account#reading", 303)


@router.get("/session")
def show_time_left(services: TheServices, session: UnusedSession) -> JSONResponse:
    """Return the remaining time of the session; the request does not prolong it."""
    return JSONResponse(_time_left(services, session))


@router.post("/session")
def stay_signed_in(services: TheServices, session: OpenSession, _: StepForm) -> JSONResponse:
    """Prolong the session like the use of a page."""
    return JSONResponse(_time_left(services, session))


@router.get("/sign-in/password")
def show_password_form(session: OpenSession, _: OwnAccount, to: str = "") -> HTMLResponse:
    """Show the form for a new password."""
    return _password_form(session, Onward(own_address(to), None), None)


@router.post("/sign-in/password")
def change_first_password(
    request: Request,
    services: TheServices,
    session: OpenSession,
    account: OwnAccount,
    form: StepForm,
) -> Response:
    """Replace a password that someone else has seen by one of the holder's own."""
    way = Onward.of(form)
    try:
        changed = _changed(request, services, account, form)
    except (*REFUSALS, PasswordRefused) as refusal:
        return _password_form(session, way, refusal)
    proved, cookie = _keep_password(services, session, changed)
    response = way.response(services, proved, SessionHolder(changed.caller(), changed))
    give_cookie(request, services, response, cookie)
    know_browser(request, services, response, changed)
    return response


@router.post("/account/password")
def change_password(
    request: Request,
    services: TheServices,
    session: TheSession,
    holder: TheHolder,
    account: OwnAccount,
    form: SignedForm,
) -> Response:
    """Change the password, which ends all other sessions."""
    try:
        changed = _changed(request, services, account, form)
    except (*REFUSALS, PasswordRefused) as refusal:
        return _account_page(services, session, holder, refusal=refusal)
    _, cookie = _keep_password(services, session, changed)
    response = RedirectResponse("/console/account", 303)
    give_cookie(request, services, response, cookie)
    know_browser(request, services, response, changed)
    return response


@router.get("/sign-in/second-factor")
def begin_second_factor(
    request: Request,
    services: TheServices,
    session: OpenSession,
    holder: TheHolder,
    account: AccountWithOwnPassword,
    to: str = "",
) -> HTMLResponse:
    """Show a new secret as QR code and text; it counts only after confirmation."""
    require_recent_proof(request, services, session, holder)
    services.second_factors.begin(account.name)
    return _second_factor_form(services, session, account, own_address(to))


@router.post("/sign-in/second-factor")
def confirm_second_factor(
    request: Request,
    services: TheServices,
    session: OpenSession,
    holder: TheHolder,
    account: AccountWithOwnPassword,
    form: StepForm,
) -> Response:
    """Activate the second factor and show its recovery codes once."""
    require_recent_proof(request, services, session, holder)
    to, now = own_address(form.get("to", "")), services.clock()
    code = form.get("one_time_code", "")
    codes = services.second_factors.confirm(account.name, code, now, account.actor)
    if not codes:
        return _second_factor_form(services, session, account, to, is_refused=True)
    # The code proved the second factor, so the session goes on under a cookie that is new.
    proved, cookie = session.proved(now, services.settings.session_lasting, by_code=True)
    services.sessions.replace_session(session, proved)
    log.info("second_factor_enrolled", account=account.name)
    response = _recovery_codes(codes, proved, holder, to)
    give_cookie(request, services, response, cookie)
    return response


@router.post("/account/recovery-codes")
def renew_recovery_codes(
    services: TheServices,
    session: RecentlyAuthenticated,
    holder: TheHolder,
    account: OwnAccount,
    _: SignedForm,
) -> HTMLResponse:
    """Replace the recovery codes and show the new ones once."""
    if not services.second_factors.has(account.name):
        raise NotFound("this account has no second factor")
    codes = services.second_factors.renew_codes(account.name, services.clock(), account.actor)
    log.info("recovery_codes_renewed", account=account.name)
    return _recovery_codes(codes, session, holder, "/console/account")


@router.post("/account/second-factor/remove")
def remove_second_factor(
    services: TheServices, _: RecentlyAuthenticated, account: OwnAccount, _form: SignedForm
) -> Response:
    """Remove the second factor, unless the role requires one."""
    if services.settings.asks_second_factor(account.role):
        raise Conflict("your role must have a second factor; an admin can reset it")
    services.second_factors.remove(account.name, services.clock(), account.actor)
    log.info("second_factor_removed", account=account.name)
    return RedirectResponse("/console/account", 303)


@router.post("/account/sessions/end")
def end_sessions(
    services: TheServices, session: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """End one other session of the holder, or all others."""
    open_ones = services.sessions.of_holder(session.holder, services.clock())
    # Only the holder's own sessions: the form could name any id.
    others = {s.session_id for s in open_ones} - {session.session_id}
    wanted = others if form.get("which") == "others" else others & {form.get("session_id", "")}
    ended = services.sessions.end_some(
        session.holder, sorted(wanted), services.clock(), session.actor
    )
    log.info("sessions_ended", holder=session.holder, sessions=ended)
    return RedirectResponse("/console/account", 303)


def _changed(
    request: Request, services: Services, account: Account, form: dict[str, str]
) -> Account:
    """Return the account with its new password; raises what the checks raise."""
    checked_account(services, attempt_of(request, services, account.name), form.get("password", ""))
    fresh = form.get("new_password", "")
    if fresh != form.get("new_password_again", ""):
        raise PasswordRefused("the two new passwords are not the same")
    refuse_weak_password(fresh, account.name)
    # Read again: the check of the old password may just have rehashed it.
    kept = services.accounts.find(account.name) or account
    # Both argon2 computations share one place in the queue.
    is_same, hashed = services.password_gate.run(
        lambda: (is_password_of(kept.password_hash, fresh), hash_password(fresh))
    )
    if is_same:
        raise PasswordRefused("that is the present password; choose another")
    return replace(
        account,
        password_hash=hashed,
        credential_origin="own",
        password_set_at=services.clock(),
    )


def _keep_password(services: Services, session: Session, changed: Account) -> tuple[Session, str]:
    """Store a changed password and continue under a new cookie; all other sessions end."""
    now = services.clock()
    services.accounts.set_password(changed, now, changed.actor, but=session.cookie_sha256)
    proved, cookie = session.proved(now, services.settings.session_lasting)
    services.sessions.replace_session(session, proved)
    log.info("password_changed", account=changed.name)
    return proved, cookie


def _time_left(services: Services, session: Session) -> dict[str, int]:
    """Return whole seconds until the session ends by inactivity, and at the latest."""
    now = services.clock()
    return {
        "seconds": int((session.expires_at - now).total_seconds()),
        "longest": int((session.ends_at - now).total_seconds()),
    }


def _account_page(
    services: Services,
    session: Session,
    holder: SessionHolder,
    refusal: ServingError | None = None,
) -> HTMLResponse:
    account, now = holder.account, services.clock()
    is_kept_here = account.subject is None
    name = account.name
    return page(
        "account.html",
        200 if refusal is None else refusal.status,
        refusal.retry_after_s if refusal else None,
        reader=holder.caller,
        session=session,
        account=account,
        is_kept_here=is_kept_here,
        factor=services.second_factors.find(name) if is_kept_here else None,
        must_have_factor=services.settings.asks_second_factor(account.role),
        sessions=services.sessions.of_holder(session.holder, now),
        events=services.accounts.events_of(name, MAX_EVENTS),
        refusal=refusal,
        chosen=services.accounts.reading_of(name),
        languages=known_languages(services),
        drafts=[language for code, language in known_languages(services).items() if code in DRAFTS],
        time_zones=time_zones(),
        default_time_zone=services.settings.time_zone,
    )


def _password_form(session: Session, way: Onward, refusal: ServingError | None) -> HTMLResponse:
    return page(
        "new_password.html",
        200 if refusal is None else refusal.status,
        refusal.retry_after_s if refusal else None,
        reader=None,
        session=session,
        to=way.to,
        kept=way.kept,
        refusal=refusal,
    )


def _second_factor_form(
    services: Services, session: Session, account: Account, to: str, *, is_refused: bool = False
) -> HTMLResponse:
    factor = services.second_factors.find(account.name)
    if factor is None or factor.is_confirmed:
        raise Conflict("begin again to set up the second factor")
    return page(
        "second_factor.html",
        422 if is_refused else 200,
        reader=None,
        session=session,
        to=to,
        factor=factor,
        picture=factor.picture(account.name),
        is_refused=is_refused,
    )


def _recovery_codes(
    codes: tuple[str, ...], session: Session, holder: SessionHolder, to: str
) -> HTMLResponse:
    content: dict[str, Any] = {"session": session, "codes": codes, "to": to or "/console"}
    return page("recovery_codes.html", reader=holder.caller, **content)
