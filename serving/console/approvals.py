"""Page of approvals: acts that need two people, and erasures waiting for their date."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.approvals import APPROVING_ROLES
from serving.access.callers import Caller
from serving.access.errors import ApprovalRefused
from serving.access.visible_texts import is_visible
from serving.audit.errors import RetentionRefused
from serving.audit.open_erasures import open_erasures
from serving.audit.retention import cancel_erasure
from serving.console.browser_session import ReaderWith, RecentlyAuthenticated, TheSession
from serving.console.csrf import SignedForm
from serving.console.pages import PageRoute, page
from serving.errors import Conflict, Forbidden, Unprocessable
from serving.models.kill_switch import MAX_REASON_LENGTH
from serving.web.services import TheServices

router = APIRouter(prefix="/console/approvals", include_in_schema=False, route_class=PageRoute)

SHOWN = 50
MAX_NUMBER_LENGTH = 9
ANSWERS = {"agree": True, "withhold": False}


def approving_person(
    services: TheServices, caller: Annotated[Caller, Depends(ReaderWith("switch", "study"))]
) -> Caller:
    """Return the caller if they hold an account with an approving role, not a key.

    Raises Forbidden.
    """
    kind, _, name = caller.key_id.partition(":")
    account = services.accounts.find(name) if kind == "account" else None
    if account is None or account.role not in APPROVING_ROLES:
        raise Forbidden("acts are agreed to by people; sign in with your own account")
    return caller


MayApprove = Annotated[Caller, Depends(approving_person)]


@router.get("")
def show_approvals(services: TheServices, caller: MayApprove, session: TheSession) -> HTMLResponse:
    """Show all pending acts, newest first, and the keys that can sign instead."""
    return page(
        "approvals.html",
        reader=caller,
        session=session,
        pending=services.approvals.newest_pending(SHOWN),
        keys=services.approvals.keys(),
        erasures=open_erasures(services.retention_acts, services.clock()),
        answers_to=partial(services.approvals.used_of, "erase"),
        now=services.clock(),
        may_cancel=caller.may("switch"),
        longest=MAX_REASON_LENGTH,
    )


@router.post("")
def answer_act(
    services: TheServices, caller: MayApprove, _: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """Record agreement or refusal.

    The first to agree proposes the act; a second person approves it.
    """
    if form.get("answer") not in ANSWERS:
        raise Unprocessable("say whether you agree")
    try:
        services.approvals.answer(
            form.get("act_id", ""),
            caller.name,
            caller.actor,
            services.clock(),
            is_agreed=ANSWERS[form["answer"]],
        )
    except ApprovalRefused as refusal:
        raise Conflict(str(refusal)) from None
    return RedirectResponse("/console/approvals", 303)


@router.post("/cancelled-erasures")
def cancel_waiting_erasure(services: TheServices, caller: MayApprove, form: SignedForm) -> Response:
    """Cancel a pending erasure. One person is enough, because cancelling destroys nothing."""
    if not caller.may("switch"):
        raise Forbidden("a supervisor or an admin cancels erasures")
    number, because = form.get("number", ""), form.get("because", "").strip()
    # The length is limited so that the number fits the database's integer.
    if not (number.isascii() and number.isdigit()) or len(number) > MAX_NUMBER_LENGTH:
        raise Unprocessable("say which proposal, by its number")
    if not is_visible(because) or len(because) > MAX_REASON_LENGTH:
        raise Unprocessable(f"say why, in at most {MAX_REASON_LENGTH} characters")
    try:
        cancel_erasure(services.retention_acts, int(number), caller.name, because, services.clock())
    except RetentionRefused as refusal:
        raise Conflict(str(refusal)) from None
    return RedirectResponse("/console/approvals", 303)
