"""Sessions of browsers: who is signed in to the console and which pages they may read."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Literal

from fastapi import Depends, Request
from starlette.responses import Response

from serving.access.accounts import Account
from serving.access.acting import identify
from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.access.roles import Scope
from serving.access.sessions import Session, browser_in_words
from serving.access.sign_in_delays import network_of
from serving.console.interruptions import (
    CODE,
    CONFIRMATION,
    NEW_PASSWORD,
    SECOND_FACTOR,
    SIGN_IN,
    Interruption,
    SignInStep,
)
from serving.container import Services
from serving.errors import Forbidden, LogUnavailable, ServingError
from serving.integrity.audit_log import AuditEvent
from serving.language import reading
from serving.web.admission import admit
from serving.web.authentication import called
from serving.web.hosts import is_https
from serving.web.languages import clock_of, known_languages
from serving.web.services import TheServices

# The expiry of a session in use is saved at most this often, to spare the database a write per
# page.
PROLONGED_AFTER = timedelta(minutes=1)

# Addresses that open pages poll. Polling does not prolong a session, since nobody may be there.
LOOKS_FOR_NEW = ("/console/queue/new", "/console/notices/count", "/console/rescues/changes")

# Parameter of pages that reload themselves without a reader's action.
REFRESH = "refresh"

# Proof of identity assumed if the provider does not report one: too long ago to count.
UNKNOWN = datetime.fromtimestamp(0, UTC)

Proof = Literal["password", "organisation"]


@dataclass(frozen=True)
class SessionHolder:
    """Person who opened a session."""

    caller: Caller
    account: Account


def unused_session(request: Request, services: TheServices) -> Session:
    """Return the open session of the browser, in any step of sign-in, without prolonging it."""
    cookie = request.cookies.get(cookie_name(request), "")
    session = services.sessions.find(cookie, services.clock())
    if session is None:
        raise sign_in_needed(request, services)
    admit(request, session.holder)
    return session


UnusedSession = Annotated[Session, Depends(unused_session)]


def open_session(request: Request, services: TheServices, session: UnusedSession) -> Session:
    """Return the open session and prolong it; raises Interruption."""
    if request.url.path in LOOKS_FOR_NEW:
        # Polling and reloads that nobody asked for must not keep an abandoned browser signed in.
        return session
    if REFRESH in request.query_params:
        # The page replaces itself, so nobody may be there.
        return session
    used = session.used(services.clock(), services.settings.session_lasting)
    if used.expires_at - session.expires_at < PROLONGED_AFTER:
        return session
    # Pages stay readable while the database cannot be written.
    with suppress(LogUnavailable):
        services.sessions.prolong(used)
    return used


OpenSession = Annotated[Session, Depends(open_session)]


def session_holder(
    request: Request, services: TheServices, session: UnusedSession
) -> SessionHolder:
    """Return the holder, whose account must be enabled; raises Interruption."""
    kind, _, name = session.holder.partition(":")
    account = services.accounts.find(name) if kind == "account" else None
    if account is None or account.disabled_at is not None:
        raise sign_in_needed(request, services)
    _read_as_chosen(services, account)
    return SessionHolder(_acting(request, services, account), account)


def _read_as_chosen(services: Services, account: Account) -> None:
    """Set the language and time zone of the page to those the holder chose."""
    chosen, now = services.accounts.reading_of(account.name), reading()
    now.language = known_languages(services).get(chosen.language or "", now.language)
    now.time_zone = clock_of(chosen.time_zone) or now.time_zone


def _acting(request: Request, services: Services, account: Account) -> Caller:
    """Return the caller of an account; for changes, with accounts of possibly the same person."""
    # Only acts need this for the two-person rule. Reads skip the query.
    if request.method in ("GET", "HEAD"):
        return account.caller()
    return replace(
        account.caller(),
        possible_persons=services.accounts.one_person_with(account.name, services.clock()),
    )


TheHolder = Annotated[SessionHolder, Depends(session_holder)]


def the_session(
    request: Request, services: TheServices, session: OpenSession, holder: TheHolder
) -> Session:
    """Return the session of a reader who completed sign-in.

    Raises Interruption for a sign-in or its remaining step.
    """
    step = step_left(services, session, holder.account)
    if step is not None:
        raise Interruption(step, request, session=session)
    return session


TheSession = Annotated[Session, Depends(the_session)]


def step_left(services: Services, session: Session, account: Account) -> SignInStep | None:
    """Return the remaining sign-in step; None if complete or if a provider handles sign-in."""
    # The identity provider asks for a second factor by its own rules.
    if account.subject is not None:
        return None
    has_factor = session.has_second_factor or services.second_factors.has(account.name)
    if has_factor and not session.has_second_factor:
        return CODE
    if account.must_change_password(is_live=services.settings.is_live):
        return NEW_PASSWORD
    # The password comes first: the person who handed it over could set the factor up.
    is_asked = services.settings.asks_second_factor(account.role)
    return SECOND_FACTOR if is_asked and not has_factor else None


def signed_in(request: Request, services: Services) -> tuple[Caller, Session] | None:
    """Return caller and session of a signed-in reader, for pages open to everyone.

    Returns None for anyone else, and if the database cannot tell.
    """
    cookie = request.cookies.get(cookie_name(request), "")
    try:
        session = services.sessions.find(cookie, services.clock())
        if session is None:
            return None
        holder = session_holder(request, services, session)
        is_left = step_left(services, session, holder.account) is not None
    except (Interruption, ServingError):
        return None
    return None if is_left else (holder.caller, session)


def sign_in_needed(request: Request, services: Services) -> Interruption:
    """Return the interruption that redirects to the sign-in form."""
    return Interruption(SIGN_IN, request, has_oidc=services.oidc is not None)


def signed_in_caller(
    request: Request, services: TheServices, session: TheSession, holder: TheHolder
) -> Caller:
    """Return the caller of the session; raises Interruption, or Forbidden for another purpose."""
    identify(holder.caller.actor)
    services.purpose.require(holder.caller, None, called(request))
    return holder.caller


AnyReader = Annotated[Caller, Depends(signed_in_caller)]


class ReaderWith:
    """Dependency that returns the session's holder, who must have one of the scopes."""

    def __init__(self, *scopes: Scope):
        self.scopes = scopes

    def __call__(self, caller: AnyReader) -> Caller:
        """Return the holder; raises Forbidden without any of the scopes."""
        if not any(caller.may(scope) for scope in self.scopes):
            raise Forbidden("this page is for others; sign in with another account")
        return caller


def require_recent_proof(
    request: Request, services: Services, session: Session, holder: SessionHolder
) -> None:
    """Raise Interruption if the holder last proved their identity too long ago."""
    if not is_recent_proof(services, session.proved_at):
        raise Interruption(CONFIRMATION, request, session=session, asks=asked_of(holder))


def is_recent_proof(services: Services, proved_at: datetime | None) -> bool:
    """Return whether an identity was proved within `confirm_minutes`."""
    recent = timedelta(minutes=services.settings.confirm_minutes)
    return proved_at is not None and services.clock() - proved_at <= recent


def asked_of(holder: SessionHolder) -> Proof:
    """Return the kind of proof that a holder can give."""
    return "organisation" if holder.account.subject else "password"


def recently_authenticated(
    request: Request, services: TheServices, session: TheSession, holder: TheHolder
) -> Session:
    """Return the session of someone who proved their identity in the last minutes.

    It protects harmful acts from someone else at an unattended browser. Raises
    Interruption, which asks for proof and returns to the act.
    """
    require_recent_proof(request, services, session, holder)
    return session


RecentlyAuthenticated = Annotated[Session, Depends(recently_authenticated)]


def proof_of_presence(
    request: Request, services: TheServices, session: TheSession, holder: TheHolder
) -> Callable[[], None]:
    """Return a check of recent proof, for forms where only some acts need it."""
    return partial(require_recent_proof, request, services, session, holder)


RequireRecentProof = Annotated[Callable[[], None], Depends(proof_of_presence)]


def new_session(request: Request, services: Services, holder: str) -> tuple[Session, str]:
    """Return an unsaved session of this browser, and its cookie."""
    settings = services.settings
    session, cookie = Session.begin(
        holder, services.clock(), settings.session_lasting, settings.session_longest
    )
    # Stored in coarse form: it only has to be recognised by the holder.
    browser = browser_in_words(request.headers.get("user-agent", ""))
    return replace(session, address=address_of(request), browser=browser), cookie


def begin_session(
    request: Request,
    services: Services,
    response: Response,
    holder: str,
    proved_at: datetime | None,
) -> None:
    """Start a session for a holder whom an identity provider authenticated.

    `proved_at` is when the provider last verified them; None if it does not report that.
    """
    session, cookie = new_session(request, services, holder)
    # A provider's clock may run ahead; a proof in the future would count for too long.
    session = replace(session, proved_at=min(proved_at or UNKNOWN, services.clock()))
    event = sign_in_event(holder, services.clock(), session)
    services.sessions.add_session(session, services.clock(), event)
    give_cookie(request, services, response, cookie)


def sign_in_event(holder: str, now: datetime, session: Session, **details: str) -> AuditEvent:
    """Return the audit event of a new session."""
    kind, _, name = holder.partition(":")
    told = {"address": network_of(session.address), "browser": session.browser, **details}
    return AuditEvent(now, Actor(holder, name), "sign_in", kind, name, told)


def give_cookie(request: Request, services: Services, response: Response, cookie: str) -> None:
    """Set the session cookie, which lasts as long as the session can."""
    response.set_cookie(
        cookie_name(request),
        cookie,
        max_age=int(services.settings.session_longest.total_seconds()),
        path="/",
        secure=is_https(request),
        httponly=True,
        # No other site can make a browser send this cookie.
        samesite="strict",
    )


def address_of(request: Request) -> str:
    """Return the address of the client; behind a trusted proxy, the address that it reports."""
    return request.client.host if request.client else ""


def cookie_name(request: Request) -> str:
    """Return the name of the cookie; `__Host-` binds it to this host and to HTTPS."""
    return "__Host-tidegate" if is_https(request) else "tidegate"
