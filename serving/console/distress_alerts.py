"""Page of a distress call from an undeclared ship, and the acts on it."""

from datetime import datetime
from functools import partial
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.reference.geography.nearest_place import nearest_places
from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.browser_session import RequireRecentProof, TheSession
from serving.console.charts.route_map import RouteMap
from serving.console.csrf import SignedForm
from serving.console.forms import RefusedForm, read_form
from serving.console.page_scopes import MayRescue
from serving.console.pages import PageRoute, page
from serving.console.rescue_log import rescue_log
from serving.console.rescue_news import NEAR_PLACES, is_hearsay, result_choices
from serving.container import Services
from serving.errors import Conflict, NotFound, PersonNeeded, Unprocessable
from serving.review.acts.act_declaration import Note
from serving.review.acts.agree import Judgement, agree
from serving.review.acts.claim import claim, claim_then
from serving.review.acts.disagree import disagree
from serving.review.acts.give_back import give_back
from serving.review.acts.reopen import reopen
from serving.review.acts.state_result import ResultBody, state_result
from serving.review.cases.case_change import CaseRule
from serving.review.cases.case_redaction import redact_for, without_proposal
from serving.review.cases.case_state import Case
from serving.review.rescue.rescue_centres import GROUND
from serving.review.rescue.rescue_incidents import CallsMade, ToldAlert
from serving.triage.life_at_risk import CALL_FOR_HELP
from serving.web.services import TheServices

router = APIRouter(prefix="/console/rescues/alerts", include_in_schema=False, route_class=PageRoute)


@router.get("/{alert_id}")
def show_alert(
    services: TheServices, caller: MayRescue, session: TheSession, alert_id: str
) -> HTMLResponse:
    """Show the caller, position, nearby places, people called, and the history."""
    return alert_page(services, caller, session, alert_id)


@router.post("/{alert_id}/{act}")
def act_on_alert(
    services: TheServices,
    caller: MayRescue,
    session: TheSession,
    require_recent_proof: RequireRecentProof,
    form: SignedForm,
    alert_id: str,
    act: str,
) -> Response:
    """Carry out the act of a form; a refusal is shown on the page with the entered text."""
    # These end a search for people, so an unattended browser must not be enough.
    if act in ("agreements", "disagreements") or (act == "results" and is_hearsay(form)):
        require_recent_proof()
    if services.distress_alerts.find(alert_id) is None:
        raise NotFound("there is no such alert")
    try:
        _do(services, caller, alert_id, act, form)
    except (Conflict, PersonNeeded, Unprocessable) as refusal:
        refused = RefusedForm.of_error(refusal, act, form)
        return alert_page(services, caller, session, alert_id, refused)
    return RedirectResponse(f"/console/rescues/alerts/{quote(alert_id, safe='')}", 303)


def _do(services: Services, caller: Caller, alert_id: str, act: str, form: dict[str, str]) -> None:
    alerts, now = services.distress_alerts, services.clock()
    if act == "acknowledgement":
        alerts.acknowledge(alert_id, caller.actor, now)
    else:
        alerts.act(alert_id, _act(act, caller.actor, now, form))


def _act(act: str, actor: Actor, now: datetime, form: dict[str, str]) -> CaseRule:
    if act == "claim":
        return lambda case: claim(case, actor, now)
    if act == "release":
        return lambda case: give_back(case, actor, now)
    if act == "results":
        result = read_form(ResultBody, form).result("rescue")
        # A caller counts as in danger until someone was on scene, or two people say otherwise.
        state = partial(state_result, actor=actor, at=now, result=result, is_life_at_risk=True)
        return lambda case: claim_then(case, actor, now, state)
    if act == "agreements":
        text = read_form(Judgement, form).text
        return lambda case: agree(case, actor, now, text)
    if act in ("disagreements", "reopen"):
        text = read_form(Note, form).text
        rule = reopen if act == "reopen" else disagree
        return lambda case: rule(case, actor, now, text)
    raise NotFound("there is no such act")


def alert_page(
    services: Services,
    caller: Caller,
    session: Session,
    alert_id: str,
    refused: RefusedForm | None = None,
) -> HTMLResponse:
    """Return the page of an alert, with a refusal if any."""
    now, alert = services.clock(), services.distress_alerts.find(alert_id)
    if alert is None:
        raise NotFound("there is no such alert")
    steps = services.distress_alerts.events([alert_id]).get(alert_id, [])
    whole = alert.state or Case(alert_id)
    is_hidden = whole.hides_proposal_from(caller.actor)
    last = alert.last
    near = nearest_places(last.latitude, last.longitude, NEAR_PLACES) if last else []
    return page(
        "alert.html",
        status=200 if refused is None else refused.status,
        reader=caller,
        session=session,
        refused=refused,
        told=ToldAlert(alert, CallsMade(tuple(steps))),
        alert=alert,
        state=redact_for(whole, caller.actor),
        ground=GROUND[alert.mode],
        centres=services.rescue_calls.directory.centres if services.rescue_calls else None,
        call_for_help=CALL_FOR_HELP,
        now=now,
        near=near,
        way=RouteMap.of_caller(last, [each.code for each in near]) if last else None,
        log=rescue_log(steps, without_proposal([*alert.acts]) if is_hidden else alert.acts),
        **result_choices(),
    )
