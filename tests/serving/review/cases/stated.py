"""What reviewers order and find in tests, and how a case comes to its end by the API."""

from datetime import datetime
from typing import Any

from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.agree import AGREE, Judgement
from serving.review.acts.assign import assign
from serving.review.acts.claim import claim
from serving.review.acts.order import order_action
from serving.review.acts.state_result import record_result
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_state import Case
from serving.review.cases.cases import Cases
from serving.review.cases.results import CaseResult, FoundBy, ResultCode
from serving.review.cases.reviewer import Reviewer
from tests.serving.conftest import Service

INSPECT = CaseAction("inspect")
CHECK = CaseAction("check_documents")
HOLD = CaseAction("hold", "the papers do not agree")
RELEASE = CaseAction("release", "nothing calls for a look")
PROTECT = CaseAction("refer", "a child travels alone", "protection")
TO_AGENCY = CaseAction("refer", "it is theirs to judge", "agency", "police")
NOTHING = CaseResult("inspect", "nothing_found", "as_declared", "high", "opened, all in order")
FOUND = CaseResult("inspect", "goods_found", "hidden_space", "high", "behind a false wall")
OTHER = CaseResult("inspect", "other_offence", "documents_false", "high", "forged papers")
HELPED = {
    "code": "people_helped",
    "reason": "seen_on_scene",
    "confidence": "high",
    "text": "all were brought to the port",
}


def result_of(code: ResultCode, found_by: FoundBy = "inspect", **stated: Any) -> CaseResult:
    """A result for some other reason."""
    return CaseResult(found_by, code, "other", "high", "as it is written", **stated)


def end_by(
    cases: Cases, reviewer: Reviewer, case_id: str, at: datetime, result: CaseResult
) -> Case:
    """Claim a case, order what finds a result, and state it."""
    cases.act(reviewer, case_id, lambda case: claim(case, reviewer.actor, at))
    if result.found_by in ("inspect", "check_documents"):
        order_action(ActRequest(cases, reviewer, case_id, at), CaseAction(result.found_by))  # type: ignore[arg-type]  # one of two
    return record_result(ActRequest(cases, reviewer, case_id, at), lambda _: result)


def give_to(cases: Cases, by: Reviewer, case_id: str, at: datetime, to: Reviewer) -> Case:
    """Give a case to a reviewer by the rule alone, without looking up an account."""
    return cases.act(
        by, case_id, lambda case: assign(case, by.actor, at, to.actor, may_take=by.supervises)
    )


def agree_by(
    cases: Cases, reviewer: Reviewer, case_id: str, at: datetime, view: CaseResult
) -> Case:
    """Claim a case as a second person, say what one thinks, and agree with the first."""
    cases.act(reviewer, case_id, lambda case: claim(case, reviewer.actor, at))
    record_result(ActRequest(cases, reviewer, case_id, at), lambda _: view)
    return AGREE.perform(ActRequest(cases, reviewer, case_id, at), Judgement(text="so it was"))


def body_of(result: CaseResult) -> dict[str, str]:
    """A result as the body of a request."""
    return {name: str(getattr(result, name)) for name in ("code", "reason", "confidence", "text")}


def form_of(service: Service, case_id: str, token: str, **fields: str) -> dict[str, str]:
    """A form of the page of a case as it is now."""
    shown = str(service.services.cases.revision(case_id))
    return {"form_token": token, "shown": shown, **fields}


def post(service: Service, case_id: str, act: str, by: dict[str, str], **body: Any) -> Any:
    """Act on a case by the API."""
    return service.client.post(f"/v1/cases/{case_id}/{act}", headers=by, json=body or None)


def order(service: Service, case_id: str, by: dict[str, str], kind: str = "inspect") -> Any:
    """Claim a case and order an action."""
    post(service, case_id, "claim", by)
    return post(service, case_id, "actions", by, kind=kind, text="as it is written")


def end(
    service: Service, case_id: str, *by: dict[str, str], kind: str = "inspect", **body: Any
) -> Any:
    """Claim a case, order an action and state its result, by as many as it takes.

    The last answer; whoever is second states the same as their view, and agrees.
    """
    first, *others = by
    order(service, case_id, first, kind)
    answer = post(service, case_id, "results", first, **body)
    if answer.status_code == 200 and answer.json()["status"] == "result_in" and others:
        post(service, case_id, "claim", others[0])
        answer = post(service, case_id, "results", others[0], **body)
        if answer.status_code == 200:
            answer = post(service, case_id, "agreements", others[0])
    return answer
