"""The forms of the page of a case: what each does, and where it leads."""

from datetime import datetime, timedelta

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from serving.access.callers import Caller
from serving.console.act_done import is_seen
from serving.console.browser_session import RequireRecentProof, TheSession
from serving.console.case_assignments import assign_as_written
from serving.console.case_forms import PROPOSED_ACTIONS, VERDICTS
from serving.console.case_list import CaseList
from serving.console.case_page import PageAsked, ThePageAsked, case_page, judged_part
from serving.console.csrf import SignedForm
from serving.console.forms import RefusedForm, read_form, revision_shown
from serving.console.pages import PageRoute
from serving.console.readers import MayReview
from serving.container import Services
from serving.errors import Conflict, NotFound, PersonNeeded, RequestFault, Unprocessable
from serving.review.acts import owner_rules, remark_rules, statement_rules
from serving.review.cases.case_change import CaseAct
from serving.review.cases.results import RESULT_MEANING
from serving.review.cases.reviewer import Reviewer
from serving.review.errors import TooLong
from serving.web.case_bodies import ActionBody, FirstJudgement, Judgement, Note, ResultBody, Wait
from serving.web.services import TheServices

router = APIRouter(prefix="/console/cases", include_in_schema=False, route_class=PageRoute)


_OFFENCE = "offence_"
"""What the names of the boxes begin with that each stand for a class of offence."""

_ADVERSE = frozenset(code for code, meaning in RESULT_MEANING.items() if meaning.is_adverse)

_AT_ANY_REVISION = ("notes", "marks")
"""Acts that are right whatever happened to the case since its page was made."""

_WITHOUT_READING = (*_AT_ANY_REVISION, "claim", "judgements", "undo")
"""Acts that a form may send without a revision; one that has it must have the current one."""

_LEADS_ON = ("actions", "results", "waits", "release", "agreements", "disagreements", "assignments")
"""Acts after which the next case is opened."""


@router.post("/{case_id}/{act}")
def act_on_case(
    services: TheServices,
    caller: MayReview,
    session: TheSession,
    asked: ThePageAsked,
    require_recent_proof: RequireRecentProof,
    form: SignedForm,
    case_id: str,
    act: str,
) -> Response:
    """Do what a form of the case page asks; a refusal is shown on the page, in words."""
    if _takes_two_persons(act, form):
        require_recent_proof()
    reviewer = Reviewer.from_caller(caller)
    try:
        _do(services.as_read(_revision_read(act, form)), reviewer, case_id, act, form)
    except (Conflict, PersonNeeded, TooLong, Unprocessable) as refusal:
        refused = RefusedForm.of_error(refusal, act, form)
        return case_page(services, caller, session, case_id, asked, refused)
    if act == "marks" and asked.is_part:
        return Response(status_code=204)  # the page shows it by itself, and stays where it is
    if act == "judgements" and asked.is_part:
        return judged_part(services, caller, session, case_id)
    return RedirectResponse(_address_after(services, caller, asked, case_id, act), 303)


def _revision_read(act: str, form: dict[str, str]) -> int | None:
    """The revision at which an act may be done; None for one that is right at any."""
    is_without = act in _AT_ANY_REVISION or (act in _WITHOUT_READING and "shown" not in form)
    return None if is_without else revision_shown(form)


def _do(
    services: Services, reviewer: Reviewer, case_id: str, act: str, form: dict[str, str]
) -> None:
    now = services.clock()
    if act == "actions":
        action = read_form(ActionBody, _action_form(form)).action()
        services.cases.order(reviewer, case_id, now, action, takes=True)
    elif act == "results":
        body = read_form(ResultBody, _finding_form(form))
        services.cases.state_result(reviewer, case_id, now, body.result, takes=True)
    elif act == "agreements":
        services.cases.agree(reviewer, case_id, now, read_form(Judgement, form).text)
    elif act in ("disagreements", "notes"):
        write = services.cases.note if act == "notes" else services.cases.disagree
        write(reviewer, case_id, now, read_form(Note, form).text)
    elif act == "judgements":
        judged = read_form(FirstJudgement, form).judged_as
        services.cases.judge(reviewer, case_id, now, judged)
    elif act == "assignments":
        assign_as_written(services, reviewer, case_id, form)
    elif act == "undo":
        services.cases.undo(reviewer, case_id, now)
    else:
        services.cases.act(reviewer, case_id, _act(act, reviewer, now, form))


def _act(act: str, reviewer: Reviewer, now: datetime, form: dict[str, str]) -> CaseAct:
    actor = reviewer.actor
    if act == "claim":
        return lambda case: owner_rules.claim(case, actor, now)
    if act == "release":
        return lambda case: owner_rules.give_back(case, actor, now)
    if act == "escalations":
        text = read_form(Note, form).text
        return lambda case: owner_rules.escalate(case, actor, now, text)
    if act == "reopen":
        text = read_form(Note, form).text
        return lambda case: statement_rules.reopen(case, actor, now, text)
    if act == "waits":
        asked = read_form(Wait, form | {"until": _until(form, now)})
        return lambda case: owner_rules.take_and_wait(
            case, actor, now, asked.until, asked.waiting_for, asked.text
        )
    if act == "marks":
        indicator, verdict = form.get("indicator", ""), form.get("verdict", "")
        if verdict not in VERDICTS:
            raise Unprocessable("say whether the reason is right, wrong or unclear")
        return lambda case: remark_rules.mark_reason(case, actor, now, indicator[:64], verdict)
    raise NotFound("there is no such act")


def _address_after(
    services: Services, caller: Caller, asked: PageAsked, case_id: str, act: str
) -> str:
    """Where an act leads: from a list to its next case where this one needs nothing more now.

    From a case that the reader gave away, and sees no more, to the list where none is next.
    """
    is_left = not is_seen(services, Reviewer.from_caller(caller), case_id)
    if asked.filters.tab is None:
        return f"/console/queue?done={case_id}" if is_left else f"/console/cases/{case_id}"
    following = None
    if act in _LEADS_ON:
        listed = CaseList.read(services, caller, asked.filters, services.clock())
        following = listed.after(case_id, caller)
    if following is None and is_left:
        return asked.filters.address(done=case_id)
    return asked.filters.case_address(following or case_id, done=case_id)


def _takes_two_persons(act: str, form: dict[str, str]) -> bool:
    """Whether an act proposes what two must do, judges a proposal, or undoes what two ended."""
    code, _, _ = form.get("code", "").partition(" ")
    is_adverse_result = act == "results" and code in _ADVERSE
    is_proposed_action = act == "actions" and form.get("kind") in PROPOSED_ACTIONS
    is_of_second = act in ("agreements", "disagreements", "reopen")
    return is_adverse_result or is_proposed_action or is_of_second


def _action_form(form: dict[str, str]) -> dict[str, str]:
    """The form of an action as its body: one choice says what, and to whom it is referred."""
    kind, _, refer_to = form.get("kind", "").partition(" ")
    return form | {"kind": kind, "refer_to": refer_to}


def _finding_form(form: dict[str, str]) -> dict[str, str]:
    """The form of a result as its body: one choice says what and why, offences are boxes.

    An instant is in UTC.
    """
    code, _, reason = form.get("code", "").partition(" ")
    boxes = [name.removeprefix(_OFFENCE) for name in form if name.startswith(_OFFENCE)]
    instant = {"inspected_at": f"{form['inspected_at']}:00Z"} if form.get("inspected_at") else {}
    return form | {"code": code, "reason": reason, "offences": " ".join(boxes)} | instant


def _until(form: dict[str, str], now: datetime) -> str:
    hours = form.get("hours", "")
    if not hours.isdecimal() or len(hours) > 4:
        says = "say for how many hours"
        raise Unprocessable(says, (RequestFault("/hours", "hours", says),))
    return (now + timedelta(hours=int(hours))).isoformat()
