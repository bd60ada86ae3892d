"""The pages of decisions: the newest, and one as a case."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from serving.api.decisions import decision_seen_by
from serving.api.requests import TheHouse
from serving.console.case import Case
from serving.console.pages import PageRoute, page
from serving.console.sign_in import TheReader, TheSession
from serving.decisions.decision import Decision
from serving.looking_back import looking_back
from serving.store.decision_log import View

router = APIRouter(prefix="/console/decisions", include_in_schema=False, route_class=PageRoute)

MOST = 50


@router.get("")
def newest(house: TheHouse, reader: TheReader, session: TheSession) -> HTMLResponse:
    """The newest decisions that the reader may see."""
    records = house.log.newest(View(reader.key_id, reader.offices), MOST)
    cases = [Case.of(Decision.model_validate_json(record)) for record in records]
    return page("decisions.html", reader=reader, session=session, cases=cases, most=MOST)


@router.get("/{decision_id}")
def one(house: TheHouse, reader: TheReader, session: TheSession, decision_id: str) -> HTMLResponse:
    """One decision as a case: evidence first, score last."""
    decision = decision_seen_by(house, reader, decision_id)
    case, looked = Case.of(decision), looking_back(house.desk.assessor.champions, decision)
    return page("decision.html", reader=reader, session=session, case=case, looked=looked)
