"""The pages of decisions: the newest, and one as a case."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse

from serving.access.callers import Caller
from serving.audit.decision_details import details_of
from serving.audit.visible_decisions import newest_visible, visible_decision
from serving.console.browser_session import ReaderWith, TheSession
from serving.console.case_view import CaseView
from serving.console.pages import PageRoute, page
from serving.console.pseudonymous_view import as_seen_by
from serving.web.services import TheServices

router = APIRouter(prefix="/console/decisions", include_in_schema=False, route_class=PageRoute)

MayRead = Annotated[Caller, Depends(ReaderWith("explain", "study"))]
MOST = 50


@router.get("")
def newest(services: TheServices, reader: MayRead, session: TheSession) -> HTMLResponse:
    """The newest decisions that the reader may see."""
    decisions = newest_visible(services.decisions, services.masking, reader, MOST)
    cases = [
        CaseView.from_decision(as_seen_by(reader, each, services.pseudonyms)) for each in decisions
    ]
    return page("decisions.html", reader=reader, session=session, cases=cases, most=MOST)


@router.get("/{decision_id}")
def one(
    services: TheServices, reader: MayRead, session: TheSession, decision_id: str
) -> HTMLResponse:
    """One decision as a case: evidence first, score last."""
    decision = visible_decision(services.decisions, services.masking, reader, decision_id)
    decision = as_seen_by(reader, decision, services.pseudonyms)
    case, details = CaseView.from_decision(decision), details_of(services.models, decision)
    return page("decision.html", reader=reader, session=session, case=case, details=details)
