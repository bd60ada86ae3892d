"""The session of a browser: who is signed in to the console, and what pages they may read."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from serving.access.callers import Caller
from serving.access.roles import Scope
from serving.access.sessions import Session
from serving.console.pages import SignInNeeded
from serving.container import Services
from serving.errors import Forbidden
from serving.web.authentication import called
from serving.web.hosts import is_https
from serving.web.services import TheServices


def the_session(request: Request, services: TheServices) -> Session:
    """The open session of the browser; raises SignInNeeded."""
    session = services.sessions.find(
        request.cookies.get(cookie_name(request), ""), services.clock()
    )
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


def begin_session(request: Request, services: Services, response: Response, holder: str) -> None:
    """Give the browser a session that is new, whatever cookie it came with."""
    now, lasting = services.clock(), timedelta(minutes=services.settings.session_minutes)
    session, cookie = Session.begin(holder, now, lasting)
    services.sessions.add_session(session, now)
    response.set_cookie(
        cookie_name(request),
        cookie,
        max_age=services.settings.session_minutes * 60,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )


def _holder(services: Services, session: Session) -> Caller | None:
    kind, _, name = session.holder.partition(":")
    if kind == "account":
        account = services.accounts.find(name)
        return account.caller() if account and account.disabled_at is None else None
    key = services.api_keys.find(name)
    return Caller.from_api_key(key) if key and key.is_live(services.clock()) else None


def cookie_name(request: Request) -> str:
    """The cookie's name; `__Host-` makes a browser refuse it from any other host or path."""
    return "__Host-tidegate" if is_https(request) else "tidegate"
