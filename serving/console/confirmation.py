"""Page that asks readers to prove their identity again before a harmful act."""

import structlog
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from serving.access.sessions import Session
from serving.console.browser_session import (
    OpenSession,
    SessionHolder,
    TheHolder,
    asked_of,
    give_cookie,
)
from serving.console.credentials import attempt_of, checked_account, checked_code
from serving.console.csrf import StepForm
from serving.console.interruptions import own_address
from serving.console.pages import PageRoute, page
from serving.console.sign_in import REFUSALS, Onward
from serving.container import Services
from serving.errors import ServingError
from serving.integrity.audit_log import AuditEvent
from serving.web.services import TheServices

router = APIRouter(prefix="/console/confirm", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)


@router.get("")
def show_confirmation(session: OpenSession, holder: TheHolder, to: str = "") -> HTMLResponse:
    """Show the form that asks for a password or code again."""
    return _form(session, holder, Onward(own_address(to), None), None)


@router.post("")
def confirm_identity(
    request: Request, services: TheServices, session: OpenSession, holder: TheHolder, form: StepForm
) -> Response:
    """Verify the proof, replace the session cookie and continue with the interrupted act."""
    way = Onward.of(form)
    try:
        by = _proved_by(request, services, holder, form)
    except REFUSALS as refusal:
        return _form(session, holder, way, refusal)
    now = services.clock()
    # A fresh cookie limits the use of one that was stolen before this proof.
    proved, cookie = session.proved(
        now, services.settings.session_lasting, by_code=by != "password"
    )
    kind, _, name = session.holder.partition(":")
    event = AuditEvent(now, session.actor, "confirm_identity", kind, name, {"by": by})
    services.sessions.replace_session(session, proved, event)
    response = way.response(services, proved, holder)
    give_cookie(request, services, response, cookie)
    log.info("identity_confirmed", holder=session.holder, by=by)
    return response


def _proved_by(
    request: Request, services: Services, holder: SessionHolder, form: dict[str, str]
) -> str:
    """Return the kind of proof given; raises what the checks raise."""
    account = holder.account
    if form.get("one_time_code"):
        attempt = attempt_of(request, services, account.name, is_code=True)
        return checked_code(services, attempt, account, form["one_time_code"])
    attempt = attempt_of(request, services, account.name)
    checked_account(services, attempt, form.get("password", ""))
    services.sign_ins.forgive(attempt)
    return "password"


def _form(
    session: Session, holder: SessionHolder, way: Onward, refusal: ServingError | None
) -> HTMLResponse:
    return page(
        "confirm.html",
        200 if refusal is None else refusal.status,
        refusal.retry_after_s if refusal else None,
        reader=None,
        session=session,
        asks=asked_of(holder),
        to=way.to,
        kept=way.kept,
        refusal=refusal,
    )
