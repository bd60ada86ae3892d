"""The pages of decisions: the newest, and one as a case."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse

from serving.access.callers import Caller
from serving.api.decisions import decision_seen_by, may_see
from serving.api.requests import TheServices
from serving.audit.decision import Decision
from serving.audit.decision_details import details_of
from serving.audit.decision_log import DecisionAccess
from serving.console.case_view import Case
from serving.console.masked_view import as_seen_by
from serving.console.pages import PageRoute, page
from serving.console.sign_in import ReaderWith, TheSession

router = APIRouter(prefix="/console/decisions", include_in_schema=False, route_class=PageRoute)

MayRead = Annotated[Caller, Depends(ReaderWith("explain", "study"))]
MOST = 50


@router.get("")
def newest(services: TheServices, reader: MayRead, session: TheSession) -> HTMLResponse:
    """The newest decisions that the reader may see."""
    records = services.decisions.newest(DecisionAccess(reader.key_id, reader.offices), MOST)
    read = (Decision.model_validate_json(record) for record in records)
    seen = (each for each in read if may_see(reader, each))
    shown = (services.masking.masked_view(each) for each in seen)
    cases = [Case.of(as_seen_by(reader, each, services.pseudonyms)) for each in shown]
    return page("decisions.html", reader=reader, session=session, cases=cases, most=MOST)


@router.get("/{decision_id}")
def one(
    services: TheServices, reader: MayRead, session: TheSession, decision_id: str
) -> HTMLResponse:
    """One decision as a case: evidence first, score last."""
    decision = decision_seen_by(services, reader, decision_id)
    decision = as_seen_by(reader, decision, services.pseudonyms)
    case, looked = Case.of(decision), details_of(services.models, decision)
    return page("decision.html", reader=reader, session=session, case=case, looked=looked)
