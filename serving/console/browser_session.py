"""The session of a browser: who is signed in to the console, and what pages they may read."""

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
    CodeLeft,
    ConfirmationNeeded,
    Interruption,
    PasswordLeft,
    SecondFactorLeft,
    SignInNeeded,
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

# A session that is used is written down again at most this often.
PROLONGED_AFTER = timedelta(minutes=1)

# What pages ask by itself, again and again: whoever is away does not use their session by it.
LOOKS_FOR_NEW = ("/console/queue/new", "/console/notices/count", "/console/rescues/changes")

# The parameter of a page that an open page of its own asks for again, without anybody there.
REFRESH = "refresh"

# When a holder proved to be who they are whose provider does not say it: too long ago.
UNKNOWN = datetime.fromtimestamp(0, UTC)

Proof = Literal["password", "organisation"]


@dataclass(frozen=True)
class SessionHolder:
    """The person who opened a session."""

    caller: Caller
    account: Account


def unused_session(request: Request, services: TheServices) -> Session:
    """The open session of the browser, however far its holder has come; to look is no use of it."""
    cookie = request.cookies.get(cookie_name(request), "")
    session = services.sessions.find(cookie, services.clock())
    if session is None:
        raise sign_in_needed(request, services)
    admit(request, session.holder)
    return session


UnusedSession = Annotated[Session, Depends(unused_session)]


def open_session(request: Request, services: TheServices, session: UnusedSession) -> Session:
    """The same, which lasts longer by that; raises SignInNeeded."""
    if request.url.path in LOOKS_FOR_NEW:
        return session  # the page looks by itself whether there is anything new
    if REFRESH in request.query_params:
        return session  # the page takes its own place, and nobody may be there
    used = session.used(services.clock(), services.settings.session_lasting)
    if used.expires_at - session.expires_at < PROLONGED_AFTER:
        return session
    with suppress(LogUnavailable):  # pages are read while nothing can be written
        services.sessions.prolong(used)
    return used


OpenSession = Annotated[Session, Depends(open_session)]


def session_holder(
    request: Request, services: TheServices, session: UnusedSession
) -> SessionHolder:
    """The holder, whose account must still be in use; raises SignInNeeded."""
    kind, _, name = session.holder.partition(":")
    account = services.accounts.find(name) if kind == "account" else None
    if account is None or account.disabled_at is not None:
        raise sign_in_needed(request, services)
    _read_as_chosen(services, account)
    return SessionHolder(_acting(request, services, account), account)


def _read_as_chosen(services: Services, account: Account) -> None:
    """Let the page speak the language of the holder, and tell the time of their clock."""
    chosen, now = services.accounts.reading_of(account.name), reading()
    now.language = known_languages(services).get(chosen.language or "", now.language)
    now.time_zone = clock_of(chosen.time_zone) or now.time_zone


def _acting(request: Request, services: Services, account: Account) -> Caller:
    """The caller of an account; of one that acts it is known who may be the same person."""
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
    """The session of whoever has finished signing in; raises SignInNeeded, or what is left."""
    step = step_left(services, session, holder.account)
    if step is not None:
        raise step(request, session=session)
    return session


TheSession = Annotated[Session, Depends(the_session)]


def step_left(services: Services, session: Session, account: Account) -> type[Interruption] | None:
    """Return the step before anything else; None for people who sign in elsewhere."""
    if account.subject is not None:
        return None
    has_factor = session.has_second_factor or services.second_factors.has(account.name)
    if has_factor and not session.has_second_factor:
        return CodeLeft
    if account.must_change_password(is_live=services.settings.is_live):
        return PasswordLeft
    is_asked = services.settings.asks_second_factor(account.role)
    return SecondFactorLeft if is_asked and not has_factor else None


def signed_in(request: Request, services: Services) -> tuple[Caller, Session] | None:
    """Whoever has finished signing in, for a page that anybody may see; asks nobody to sign in.

    None as well where that cannot be known.
    """
    cookie = request.cookies.get(cookie_name(request), "")
    try:
        session = services.sessions.find(cookie, services.clock())
        if session is None:
            return None
        holder = session_holder(request, services, session)
        is_left = step_left(services, session, holder.account) is not None
    except (SignInNeeded, ServingError):
        return None
    return None if is_left else (holder.caller, session)


def sign_in_needed(request: Request, services: Services) -> SignInNeeded:
    """Return the interruption that sends a reader to the form to sign in."""
    return SignInNeeded(request, has_oidc=services.oidc is not None)


def signed_in_caller(
    request: Request, services: TheServices, session: TheSession, holder: TheHolder
) -> Caller:
    """The holder of the session; raises Interruption, or Forbidden for another purpose."""
    identify(holder.caller.actor)
    services.purpose.require(holder.caller, None, called(request))
    return holder.caller


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


def require_recent_proof(
    request: Request, services: Services, session: Session, holder: SessionHolder
) -> None:
    """Raise ConfirmationNeeded where the holder last proved to be who they are too long ago."""
    if not is_recent_proof(services, session.proved_at):
        raise ConfirmationNeeded(request, session=session, asks=asked_of(holder))


def is_recent_proof(services: Services, proved_at: datetime | None) -> bool:
    """Return whether somebody proved their identity within the minutes of the settings."""
    recent = timedelta(minutes=services.settings.confirm_minutes)
    return proved_at is not None and services.clock() - proved_at <= recent


def asked_of(holder: SessionHolder) -> Proof:
    """Return the kind of proof that a holder gives."""
    return "organisation" if holder.account.subject else "password"


def recently_authenticated(
    request: Request, services: TheServices, session: TheSession, holder: TheHolder
) -> Session:
    """The session of somebody who gave a password or a code in the last minutes.

    For acts that harm where somebody else sits down at an open browser; raises ConfirmationNeeded,
    which asks and comes back to the act.
    """
    require_recent_proof(request, services, session, holder)
    return session


RecentlyAuthenticated = Annotated[Session, Depends(recently_authenticated)]


def proof_of_presence(
    request: Request, services: TheServices, session: TheSession, holder: TheHolder
) -> Callable[[], None]:
    """The same for forms of which some acts alone take two persons: call it before such an act."""
    return partial(require_recent_proof, request, services, session, holder)


RequireRecentProof = Annotated[Callable[[], None], Depends(proof_of_presence)]


def new_session(request: Request, services: Services, holder: str) -> tuple[Session, str]:
    """A session of this browser that is not kept yet, and its cookie."""
    settings = services.settings
    session, cookie = Session.begin(
        holder, services.clock(), settings.session_lasting, settings.session_longest
    )
    browser = browser_in_words(request.headers.get("user-agent", ""))
    return replace(session, address=address_of(request), browser=browser), cookie


def begin_session(
    request: Request,
    services: Services,
    response: Response,
    holder: str,
    proved_at: datetime | None,
) -> None:
    """Give the browser a session that is new, for whoever was let in elsewhere.

    `proved_at` is when they were last asked there who they are; None where nobody knows.
    """
    session, cookie = new_session(request, services, holder)
    session = replace(session, proved_at=min(proved_at or UNKNOWN, services.clock()))
    event = sign_in_event(holder, services.clock(), session)
    services.sessions.add_session(session, services.clock(), event)
    give_cookie(request, services, response, cookie)


def sign_in_event(holder: str, now: datetime, session: Session, **details: str) -> AuditEvent:
    """Return the audit event of a session that begins."""
    kind, _, name = holder.partition(":")
    told = {"address": network_of(session.address), "browser": session.browser, **details}
    return AuditEvent(now, Actor(holder, name), "sign_in", kind, name, told)


def give_cookie(request: Request, services: Services, response: Response, cookie: str) -> None:
    """Let the browser send the cookie of its session, as long as that can last."""
    response.set_cookie(
        cookie_name(request),
        cookie,
        max_age=int(services.settings.session_longest.total_seconds()),
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )


def address_of(request: Request) -> str:
    """Return the address that a request comes from; behind a proxy what that says."""
    return request.client.host if request.client else ""


def cookie_name(request: Request) -> str:
    """The cookie's name; `__Host-` makes a browser refuse it from any other host or path."""
    return "__Host-tidegate" if is_https(request) else "tidegate"
