"""Form targets on the page of a case."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from serving.access.callers import Caller
from serving.console.act_done import is_seen
from serving.console.browser_session import RequireRecentProof, TheSession
from serving.console.case_list import CaseList
from serving.console.case_page import PageAsked, ThePageAsked, case_page, judged_part
from serving.console.csrf import SignedForm
from serving.console.forms import RefusedForm, read_form, revision_shown
from serving.console.page_scopes import MayReview
from serving.console.pages import PageRoute
from serving.container import Services
from serving.errors import Conflict, NotFound, PersonNeeded, Unprocessable
from serving.review.acts.act_declaration import ActRequest, CaseAct
from serving.review.acts.all_acts import ACTS
from serving.review.acts.judge import JUDGE
from serving.review.acts.mark_reason import MARK_REASON
from serving.review.cases.reviewer import Reviewer
from serving.web.services import TheServices

router = APIRouter(prefix="/console/cases", include_in_schema=False, route_class=PageRoute)


@router.post("/{case_id}/{name}")
def act_on_case(
    services: TheServices,
    caller: MayReview,
    session: TheSession,
    asked: ThePageAsked,
    require_recent_proof: RequireRecentProof,
    form: SignedForm,
    case_id: str,
    name: str,
) -> Response:
    """Carry out the act of a form; a refusal is shown on the page."""
    act = ACTS.get(name)
    if act is None:
        raise NotFound("there is no such act")
    # Acts of two people are as good as the proof of who acts.
    if act.takes_two(form):
        require_recent_proof()
    reviewer, at = Reviewer.from_caller(caller), services.clock()
    cases = services.as_read(_revision_read(act, form)).cases
    try:
        stated = act.input and read_form(act.input, act.form_fields(form, at))
        act.perform(ActRequest(cases, reviewer, case_id, at, takes=True), stated)
    # Entered text is shown again; it must not be lost to a conflict.
    except (Conflict, PersonNeeded, Unprocessable) as refusal:
        refused = RefusedForm.of_error(refusal, name, form)
        return case_page(services, caller, session, case_id, asked, refused)
    if act is MARK_REASON and asked.is_part:
        # The page already shows the mark, so it needs no new content.
        return Response(status_code=204)
    if act is JUDGE and asked.is_part:
        return judged_part(services, caller, session, case_id)
    return RedirectResponse(_address_after(services, caller, asked, case_id, act), 303)


def _revision_read(act: CaseAct, form: dict[str, str]) -> int | None:
    """Return the revision that the reader saw; None if the act may ignore later changes."""
    if act.revision == "any" or (act.revision == "if_shown" and "shown" not in form):
        return None
    return revision_shown(form)


def _address_after(
    services: Services, caller: Caller, asked: PageAsked, case_id: str, act: CaseAct
) -> str:
    """Return the address to go to: the next case of the list if the act finishes this one.

    If the reader can no longer see the case and there is no next one, return the list.
    """
    is_left = not is_seen(services, Reviewer.from_caller(caller), case_id)
    if asked.filters.tab is None:
        return f"/console/queue?done={case_id}" if is_left else f"/console/cases/{case_id}"
    following = None
    if act.leads_to == "next":
        listed = CaseList.read(services, caller, asked.filters, services.clock())
        following = listed.after(case_id, caller)
    if following is None and is_left:
        return asked.filters.address(done=case_id)
    return asked.filters.case_address(following or case_id, done=case_id)
