"""The pages of supervision: how reviewing goes, and blind second readings."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.callers import Caller
from serving.console.browser_session import ReaderWith, TheSession
from serving.console.case_view import CaseView
from serving.console.charts.case_pictures import CasePictures
from serving.console.csrf import SignedForm
from serving.console.pages import PageRoute, page
from serving.errors import Unprocessable
from serving.request_parsing import read_submission
from serving.review import case_rules as acts
from serving.review.case_records import MOST_COUNTED
from serving.review.case_summary import LANE_NAMES
from serving.review.cases import Reviewer
from serving.review.results import OF_ENFORCEMENT, RESULT_MEANING
from serving.review.supervision import WATCHED, Supervision
from serving.web.services import TheServices

router = APIRouter(prefix="/console/supervision", include_in_schema=False, route_class=PageRoute)

MaySupervise = Annotated[Caller, Depends(ReaderWith("supervise"))]
MayReview = Annotated[Caller, Depends(ReaderWith("review"))]


@router.get("")
def show_supervision(
    services: TheServices, caller: MaySupervise, session: TheSession
) -> HTMLResponse:
    """Load, ages, time on cases, agreement, and which reasons were judged wrong."""
    access = Reviewer.from_caller(caller).access
    return page(
        "supervision.html",
        reader=caller,
        session=session,
        supervision=Supervision.from_cases(services.case_store, access, services.clock()),
        days=WATCHED.days,
        most_counted=MOST_COUNTED,
        lane_names=LANE_NAMES | {"control": "Inspection, drawn at random"},
    )


@router.get("/reread")
def pick_for_rereading(services: TheServices, caller: MayReview) -> Response:
    """A closed case of somebody else, drawn at random."""
    row = services.case_store.closed_case(
        Reviewer.from_caller(caller).access, caller.actor, secrets.randbelow(2**31)
    )
    to = f"/console/supervision/reread/{row.case_id}" if row else "/console/queue"
    return RedirectResponse(to, 303)


@router.get("/reread/{case_id}")
def show_for_rereading(
    services: TheServices, caller: MayReview, session: TheSession, case_id: str
) -> HTMLResponse:
    """The evidence of a closed case, without its score, its reasons and how it ended."""
    row, _ = services.cases.read(Reviewer.from_caller(caller), case_id, services.clock(), "reread")
    decision = services.cases.decision(case_id)
    submission = read_submission(decision.request.encode())
    return page(
        "reread.html",
        reader=caller,
        session=session,
        row=row,
        case=CaseView.from_decision(decision, is_explained=False),
        pictures=CasePictures.from_submission(submission, services.clock()),
        codes=[
            ("release", "it should have gone without a check"),
            *((code, RESULT_MEANING[code].words) for code in OF_ENFORCEMENT),
        ],
    )


@router.post("/reread/{case_id}")
def judge_again(
    services: TheServices, caller: MayReview, form: SignedForm, case_id: str
) -> Response:
    """Keep how the case would have ended for whoever did not see its score."""
    code = form.get("code", "")
    if code not in ("release", *OF_ENFORCEMENT):
        raise Unprocessable("choose what is true of it")
    now = services.clock()
    services.cases.act(
        Reviewer.from_caller(caller),
        case_id,
        lambda case: acts.reread(case, caller.actor, now, code),
    )
    return RedirectResponse("/console/queue", 303)
