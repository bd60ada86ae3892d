"""`POST /v1/cases/{id}/…`: what reviewers do, for clients other than the console."""

from fastapi import APIRouter

from serving.access.callers import Caller
from serving.api.case_answers import CASE_PROBLEMS, CaseAnswer
from serving.api.case_revisions import ServicesAsRead
from serving.container import Services
from serving.review.acts import owner_rules, statement_rules
from serving.review.cases.case_change import CaseAct
from serving.review.cases.reviewer import Reviewer
from serving.web.assignments import assign_as_asked
from serving.web.authentication import MayReviewOrRescue
from serving.web.caller_first import CallerFirst
from serving.web.case_bodies import (
    ActionBody,
    Assignment,
    FirstJudgement,
    Judgement,
    Note,
    ResultBody,
    Wait,
)

router = APIRouter(prefix="/v1", tags=["review"], route_class=CallerFirst)


@router.post("/cases/{case_id}/claim", responses=CASE_PROBLEMS)
def claim_case(services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str) -> CaseAnswer:
    """Take a case; of two who try, one has it and the other gets a 409."""
    return _acted(
        services, caller, case_id, lambda c: owner_rules.claim(c, caller.actor, services.clock())
    )


@router.post("/cases/{case_id}/release", responses=CASE_PROBLEMS)
def give_case_back(services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str) -> CaseAnswer:
    """Give a case back for others. To let the goods go is an action, `release`."""
    return _acted(
        services,
        caller,
        case_id,
        lambda c: owner_rules.give_back(c, caller.actor, services.clock()),
    )


@router.post("/cases/{case_id}/assignments", responses=CASE_PROBLEMS)
def assign_case(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: Assignment
) -> CaseAnswer:
    """Give a case to the holder of an account, or put it into an inbox.

    From its owner only they or a supervisor do.
    """
    at = services.clock()
    case = assign_as_asked(services, Reviewer.from_caller(caller), case_id, at, body)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/waits", responses=CASE_PROBLEMS)
def let_case_wait(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: Wait
) -> CaseAnswer:
    """Let a case wait until an instant, for documents, a reply or an arrival."""
    at = services.clock()
    return _acted(
        services,
        caller,
        case_id,
        lambda c: owner_rules.wait(c, caller.actor, at, body.until, body.waiting_for, body.text),
    )


@router.post("/cases/{case_id}/escalations", responses=CASE_PROBLEMS)
def escalate_case(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: Note
) -> CaseAnswer:
    """Call for the supervisor of the office of a case, and say why."""
    at = services.clock()
    return _acted(
        services, caller, case_id, lambda c: owner_rules.escalate(c, caller.actor, at, body.text)
    )


@router.post("/cases/{case_id}/notes", responses=CASE_PROBLEMS)
def note_case(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: Note
) -> CaseAnswer:
    """Write something down about a case; `@name` in it tells a colleague who may see the case."""
    at = services.clock()
    case = services.cases.note(Reviewer.from_caller(caller), case_id, at, body.text)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/judgements", responses=CASE_PROBLEMS)
def judge_case(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: FirstJudgement
) -> CaseAnswer:
    """Say what one thinks of a case by its evidence, before its score; once for each reviewer."""
    at = services.clock()
    case = services.cases.judge(Reviewer.from_caller(caller), case_id, at, body.judged_as)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/actions", responses=CASE_PROBLEMS)
def order_action(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: ActionBody
) -> CaseAnswer:
    """Order an action; a hold and a referral to an agency are proposed to a second person.

    Where something was proposed, it is the second person's own view.
    """
    at = services.clock()
    case = services.cases.order(Reviewer.from_caller(caller), case_id, at, body.action())
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/results", responses=CASE_PROBLEMS)
def state_result(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: ResultBody
) -> CaseAnswer:
    """State what the ordered action found; an adverse result waits for a second person.

    So does `nobody_in_danger` of a rescue for any reason but `seen_on_scene`, where there were
    signs of danger to life. Where a result was proposed, it is the second person's own view.
    """
    at = services.clock()
    case = services.cases.state_result(Reviewer.from_caller(caller), case_id, at, body.result)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/agreements", responses=CASE_PROBLEMS)
def agree_with_proposal(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: Judgement | None = None
) -> CaseAnswer:
    """Agree, as a second person, with what was proposed, after a view of one's own."""
    at = services.clock()
    case = services.cases.agree(
        Reviewer.from_caller(caller), case_id, at, body.text if body else ""
    )
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/disagreements", responses=CASE_PROBLEMS)
def disagree_with_proposal(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: Note
) -> CaseAnswer:
    """Disagree, as a second person: one's own view takes the place of what was proposed.

    What was proposed to be opened again stays closed.
    """
    at = services.clock()
    case = services.cases.disagree(Reviewer.from_caller(caller), case_id, at, body.text)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/undo", responses=CASE_PROBLEMS)
def undo_last_act(services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str) -> CaseAnswer:
    """Take back one's own last act, within ten seconds and before anybody else acts."""
    at = services.clock()
    case = services.cases.undo(Reviewer.from_caller(caller), case_id, at)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/reopen", responses=CASE_PROBLEMS)
def reopen_case(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: Note
) -> CaseAnswer:
    """Bring back a case that was closed; of an adverse end two persons do, one after another."""
    at = services.clock()
    return _acted(
        services, caller, case_id, lambda c: statement_rules.reopen(c, caller.actor, at, body.text)
    )


def _acted(services: Services, caller: Caller, case_id: str, act: CaseAct) -> CaseAnswer:
    case = services.cases.act(Reviewer.from_caller(caller), case_id, act)
    return CaseAnswer.from_case(case, services.clock())
