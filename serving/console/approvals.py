"""The page of approvals: acts that wait for two persons, with their evidence, and who agreed."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.approvals import APPROVING_ROLES
from serving.access.callers import Caller
from serving.console.browser_session import ReaderWith, RecentlyAuthenticated, TheSession
from serving.console.csrf import SignedForm
from serving.console.pages import PageRoute, page
from serving.errors import ApprovalRefused, Conflict, Forbidden, Unprocessable
from serving.web.services import TheServices

router = APIRouter(prefix="/console/approvals", include_in_schema=False, route_class=PageRoute)

SHOWN = 50
ANSWERS = {"agree": True, "withhold": False}


def approving_person(
    services: TheServices, caller: Annotated[Caller, Depends(ReaderWith("switch", "study"))]
) -> Caller:
    """Whoever may agree to acts: the holder of an account, never of a key. Raises Forbidden."""
    kind, _, name = caller.key_id.partition(":")
    account = services.accounts.find(name) if kind == "account" else None
    if account is None or account.role not in APPROVING_ROLES:
        raise Forbidden("acts are agreed to by people; sign in with your own account")
    return caller


MayApprove = Annotated[Caller, Depends(approving_person)]


@router.get("")
def show_approvals(services: TheServices, caller: MayApprove, session: TheSession) -> HTMLResponse:
    """Every act that waits, newest first, and the keys by which persons may sign instead."""
    return page(
        "approvals.html",
        reader=caller,
        session=session,
        pending=services.approvals.newest_pending(SHOWN),
        keys=services.approvals.keys(),
    )


@router.post("")
def answer_act(
    services: TheServices, caller: MayApprove, _: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """Agree to one act, or not: the first who agrees proposes it, another approves."""
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
