"""The pages of rescues, for those who help: the board of incidents, and each of them.

They show no score, no reason and nothing of another case; no page of enforcement shows a rescue.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from itertools import chain
from typing import get_args
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.acting import tell_audit
from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.browser_session import TheSession
from serving.console.charts.route_map import RouteMap
from serving.console.csrf import SignedForm
from serving.console.forms import RefusedForm, read_form
from serving.console.pages import PageRoute, page, templates
from serving.console.readers import MayRescue
from serving.console.rescue_log import age_in_words, position_in_words, readers, rescue_log
from serving.container import Services
from serving.errors import Conflict, NotFound, Unprocessable
from serving.review import owner_rules, remark_rules, statement_rules
from serving.review.case_change import CaseAct
from serving.review.case_state import status_at
from serving.review.distress_alerts import HEARD_WITHIN
from serving.review.rescue_centres import GROUND, RescueCentres
from serving.review.rescue_incidents import CallsMade, RescueBoard, RescueReading, ToldAlert
from serving.review.results import RESULT_MEANING, RESULTS_OF, Confidence, reasons_of
from serving.review.reviewer import Reviewer
from serving.scoring.enrichment import with_newest_positions
from serving.triage.life_at_risk import CALL_FOR_HELP
from serving.web.case_bodies import Note, ResultBody
from serving.web.services import TheServices

router = APIRouter(prefix="/console/rescues", include_in_schema=False, route_class=PageRoute)


templates.filters["position"] = position_in_words
templates.filters["age"] = age_in_words


@router.get("")
def show_board(services: TheServices, caller: MayRescue, session: TheSession) -> HTMLResponse:
    """Every incident that is not over: first those on which nobody acts, the oldest before all."""
    board, alerts = _reading(services, caller).board(), _alerts(services)
    tell_audit(
        cases=[case_id for each in board.incidents for case_id in each.case_ids],
        alerts=[each.alert.alert_id for each in alerts],
    )
    return page(
        "rescues.html",
        reader=caller,
        session=session,
        board=board,
        alerts=alerts,
        call_for_help=CALL_FOR_HELP,
        seen=_digest(board, alerts),
        waiting=len(services.rescue_outbox.unacknowledged())
        + sum(each.is_unheard for each in alerts),
        centres=_centres(services),
        ground=GROUND,
        now=services.clock(),
    )


@router.get("/changes")
def show_changes(services: TheServices, caller: MayRescue, seen: str = "") -> Response:
    """Whether the board is another one than the reader has; what is new stands on the board."""
    now_seen = _digest(_reading(services, caller).board(), _alerts(services))
    if now_seen == seen:
        return Response(status_code=204)
    return page("rescue_news.html", reader=caller)


@router.get("/{case_id}")
def show_rescue(
    services: TheServices, caller: MayRescue, session: TheSession, case_id: str
) -> HTMLResponse:
    """An incident with all that leads to the people; that it was read is written down."""
    return rescue_page(services, caller, session, case_id)


@router.post("/alerts/{alert_id}/acknowledgement")
def act_on_alert(
    services: TheServices, caller: MayRescue, form: SignedForm, alert_id: str
) -> RedirectResponse:
    """Say that a person acts on the call of whom nobody declared."""
    if services.distress_alerts.find(alert_id) is None:
        raise NotFound("there is no such alert")
    services.distress_alerts.acknowledge(alert_id, caller.actor, services.clock())
    return RedirectResponse("/console/rescues", 303)


@router.post("/{case_id}/{act}")
def act_on_rescue(
    services: TheServices,
    caller: MayRescue,
    session: TheSession,
    form: SignedForm,
    case_id: str,
    act: str,
) -> Response:
    """Do what a form of the page asks, for every case that it showed; a refusal is shown there."""
    try:
        _do(services, caller, (case_id, act), form)
    except (Conflict, Unprocessable) as refusal:
        refused = RefusedForm.of_error(refusal, act, form)
        return rescue_page(services, caller, session, case_id, refused)
    return RedirectResponse(f"/console/rescues/{quote(case_id, safe='')}", 303)


def _do(services: Services, caller: Caller, wanted: tuple[str, str], form: dict[str, str]) -> None:
    reviewer, now, (case_id, act) = Reviewer.from_caller(caller), services.clock(), wanted
    shown = {each: services.cases.case(reviewer, each)[1] for each in _shown(case_id, form)}
    going_on = [each for each, case in shown.items() if case.status != "closed"]
    own = [each for each in going_on if caller.actor.is_holder(shown[each].owner)]
    if act == "acknowledgement":
        for each in going_on or [case_id]:
            services.rescue_outbox.acknowledge(each, caller.actor, now)
    elif act == "claim":
        claim = partial(owner_rules.claim, actor=caller.actor, at=now)
        _act_on(
            [each for each in going_on if each not in own] or [case_id], services, reviewer, claim
        )
    elif act == "release":
        give_back = partial(owner_rules.give_back, actor=caller.actor, at=now)
        _act_on(own or [case_id], services, reviewer, give_back)
    elif act == "results":
        result = read_form(ResultBody, form).result
        for each in going_on or [case_id]:
            services.cases.state_result(reviewer, each, now, result)
    else:
        services.cases.act(reviewer, case_id, _act(act, caller.actor, now, form))


def _shown(case_id: str, form: dict[str, str]) -> tuple[str, ...]:
    """The cases of the incident that the page showed: what came since is not acted on unseen."""
    return tuple(dict.fromkeys([case_id, *form.get("shown", "").split()]))


def _act_on(case_ids: Iterable[str], services: Services, reviewer: Reviewer, act: CaseAct) -> None:
    for case_id in case_ids:
        services.cases.act(reviewer, case_id, act)


def _reading(services: Services, caller: Caller) -> RescueReading:
    return RescueReading(
        services.cases,
        services.rescue_outbox,
        Reviewer.from_caller(caller),
        partial(with_newest_positions, records=services.records, clock=services.clock),
    )


def _centres(services: Services) -> RescueCentres | None:
    return services.rescue_calls.directory.centres if services.rescue_calls else None


def _alerts(services: Services) -> list[ToldAlert]:
    """The calls of whom nobody declared, but those that a rescue goes on with."""
    recent = services.distress_alerts.recent(services.clock() - HEARD_WITHIN)
    found = [each for each in recent if each.case_id is None]
    steps = services.distress_alerts.events([each.alert_id for each in found])
    return [ToldAlert(each, CallsMade(tuple(steps.get(each.alert_id, ())))) for each in found]


def _digest(board: RescueBoard, alerts: Iterable[ToldAlert]) -> str:
    """What the board says, in short: the same as long as nothing on it changed but ages."""
    called = [
        (each.alert.alert_id, each.last, [step.at for step in each.calls.steps]) for each in alerts
    ]
    said = [
        (
            each.case_ids,
            each.is_unheard,
            [step.at for step in each.calls.steps],
            [owner.identity for owner in each.owners],
            each.last,
            each.persons,
        )
        for each in board.incidents
    ]
    return hashlib.sha256(repr((said, called)).encode()).hexdigest()[:16]


def _act(act: str, actor: Actor, now: datetime, form: dict[str, str]) -> CaseAct:
    if act in ("notes", "reopen"):
        text = read_form(Note, form).text
        done = remark_rules.note if act == "notes" else statement_rules.reopen
        return lambda case: done(case, actor, now, text)
    raise NotFound("there is no such act")


def rescue_page(
    services: Services,
    caller: Caller,
    session: Session,
    case_id: str,
    refused: RefusedForm | None = None,
) -> HTMLResponse:
    """The page of an incident, with what was refused; that it was read is written down."""
    now, reviewer = services.clock(), Reviewer.from_caller(caller)
    services.cases.read(reviewer, case_id, now)
    incident = _reading(services, caller).incident(case_id)
    for other in set(incident.case_ids) - {case_id}:
        services.cases.read(reviewer, other, now)
    own = next(each for each in incident.reports if each.row.case_id == case_id)
    earlier = services.distress_alerts.of_cases(incident.case_ids)
    alerted = services.distress_alerts.events(earlier).values()
    history = [
        event for each in incident.reports for event in services.cases.history(reviewer, each.row)
    ]
    return page(
        "rescue.html",
        status=200 if refused is None else refused.status,
        reader=caller,
        session=session,
        refused=refused,
        incident=incident,
        case_id=case_id,
        state=own.state,
        status_now=status_at(own.state, now),
        ground=GROUND[incident.newest.journey.mode],
        centres=_centres(services),
        now=now,
        way=RouteMap.from_submission(incident.submission),
        log=rescue_log([*incident.calls.steps, *chain.from_iterable(alerted)], history),
        readers=readers(history),
        files=[
            (each.row.case_id, file)
            for each in incident.reports
            for file in services.cases.attached(each.row)
        ],
        messages=[
            (each.row.case_id, message)
            for each in incident.reports
            for message in services.message_evidence.of_case(
                each.row, each.decision.submission
            ).messages
        ],
        most_bytes=services.settings.max_attachment_bytes,
        codes=[(code, RESULT_MEANING[code].words) for code in RESULTS_OF["rescue"]],
        reasons=[(code, code.replace("_", " ")) for code in reasons_of("people_helped")],
        levels=get_args(Confidence),
    )
