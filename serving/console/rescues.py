"""The page of a rescue, for those who help: where, for how many, who was called, and who acts.

It shows no score, no reason and nothing of another case; no page of enforcement shows a rescue.
"""

from datetime import datetime
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.browser_session import ReaderWith, TheSession
from serving.console.charts.route_map import RouteMap
from serving.console.csrf import SignedForm
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import Conflict, NotFound, Unprocessable
from serving.review import case_rules as acts
from serving.review.case_rules import status_at
from serving.review.cases import CaseAct, Reviewer
from serving.review.rescue_centres import GROUND
from serving.review.results import RESULT_MEANING, RESULTS_OF, Confidence, reasons_of
from serving.scoring.enrichment import with_newest_positions
from serving.triage.life_at_risk import last_heard
from serving.web.case_bodies import Note, ResultBody
from serving.web.services import TheServices

router = APIRouter(prefix="/console/rescues", include_in_schema=False, route_class=PageRoute)

MayRescue = Annotated[Caller, Depends(ReaderWith("rescue"))]


@router.get("/{case_id}")
def show_rescue(
    services: TheServices, caller: MayRescue, session: TheSession, case_id: str
) -> HTMLResponse:
    """A rescue with all that leads to the people; that it was read is written down."""
    return rescue_page(services, caller, session, case_id, refusal=None)


@router.post("/{case_id}/{act}")
def act_on_rescue(
    services: TheServices,
    caller: MayRescue,
    session: TheSession,
    form: SignedForm,
    case_id: str,
    act: str,
) -> Response:
    """Do what a form of the page asks; a refusal is shown on the page, in words."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    try:
        if act == "acknowledgement":
            services.cases.case(reviewer, case_id)
            services.rescue_outbox.acknowledge(case_id, caller.actor, now)
        elif act == "results":
            services.cases.state_result(reviewer, case_id, now, _read(ResultBody, form).result)
        else:
            services.cases.act(reviewer, case_id, _act(act, caller.actor, now, form))
    except (Conflict, Unprocessable) as refusal:
        return rescue_page(services, caller, session, case_id, refusal=str(refusal))
    return RedirectResponse(f"/console/rescues/{case_id}", 303)


def _act(act: str, actor: Actor, now: datetime, form: dict[str, str]) -> CaseAct:
    if act == "claim":
        return lambda case: acts.claim(case, actor, now)
    if act == "release":
        return lambda case: acts.give_back(case, actor, now)
    if act in ("notes", "reopen"):
        text = _read(Note, form).text
        if act == "notes":
            return lambda case: acts.note(case, actor, now, text)
        return lambda case: acts.reopen(case, actor, now, text)
    raise NotFound("there is no such act")


def _read(kind: type[BaseModel], form: dict[str, str]) -> Any:
    fields = {name: value for name, value in form.items() if name in kind.model_fields}
    try:
        return kind.model_validate(fields)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])).replace("_", " ")
        raise Unprocessable(f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None


def rescue_page(
    services: Services, caller: Caller, session: Session, case_id: str, *, refusal: str | None
) -> HTMLResponse:
    """The page of a rescue, with what was refused; that it was read is written down."""
    now = services.clock()
    row, case = services.cases.read(Reviewer.from_caller(caller), case_id, now)
    decision = services.cases.decision(case_id)
    submission = with_newest_positions(decision.submission, services.records)
    journey = submission.journey
    assert journey is not None, "without a journey there is no signal"
    return page(
        "rescue.html",
        status=200 if refusal is None else 409,
        reader=caller,
        session=session,
        refusal=refusal,
        row=row,
        state=case,
        status_now=status_at(case, now),
        decision=decision,
        journey=journey,
        ground=GROUND[journey.mode],
        last=last_heard(submission),
        now=now,
        way=RouteMap.from_submission(submission),
        steps=services.rescue_outbox.events(case_id),
        files=services.cases.attached(row),
        most_bytes=services.settings.max_attachment_bytes,
        events=services.cases.history(Reviewer.from_caller(caller), row),
        codes=[(code, RESULT_MEANING[code].words) for code in RESULTS_OF["rescue"]],
        reasons=[(code, code.replace("_", " ")) for code in reasons_of("people_helped")],
        levels=get_args(Confidence),
    )
