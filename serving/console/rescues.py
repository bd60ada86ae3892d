"""Pages of rescues: the board of incidents, and each incident.

They show no score, no reason and nothing about other cases; pages of enforcement show no rescue.
"""

from contextlib import suppress
from dataclasses import replace
from itertools import chain
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.reference.geography.nearest_place import nearest_places
from serving.access.acting import add_audit_details
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.browser_session import RequireRecentProof, TheSession
from serving.console.charts.route_map import RouteMap
from serving.console.csrf import SignedForm
from serving.console.forms import RefusedForm, read_form
from serving.console.page_scopes import MayRescue
from serving.console.pages import PageRoute, page, templates
from serving.console.rescue_log import (
    age_in_words,
    compass_point,
    position_in_title,
    position_in_words,
    readers,
    rescue_log,
)
from serving.console.rescue_news import (
    NEAR_PLACES,
    is_hearsay,
    reading_of,
    result_choices,
    told_alerts,
)
from serving.console.rescue_stream import board_stream
from serving.container import Services
from serving.errors import Conflict, LogUnavailable, NotFound, PersonNeeded, Unprocessable
from serving.review.acts.act_declaration import ActRequest, Note
from serving.review.acts.all_acts import ACTS
from serving.review.acts.note import NOTE, note
from serving.review.cases.case_state import status_at
from serving.review.cases.reviewer import Reviewer
from serving.review.rescue.rescue_centres import GROUND, RescueCentres
from serving.triage.life_at_risk import CALL_FOR_HELP
from serving.web.services import TheServices

router = APIRouter(prefix="/console/rescues", include_in_schema=False, route_class=PageRoute)


templates.filters["position"] = position_in_words
templates.filters["position_in_title"] = position_in_title
templates.filters["age"] = age_in_words
templates.filters["compass_point"] = compass_point


@router.get("")
def show_board(services: TheServices, caller: MayRescue, session: TheSession) -> HTMLResponse:
    """Show all open incidents: unattended ones first, the oldest at the top."""
    board = replace(reading_of(services, caller).board(), alerts=told_alerts(services))
    add_audit_details(
        cases=[case_id for each in board.incidents for case_id in each.case_ids],
        alerts=[each.alert.alert_id for each in board.alerts],
    )
    return page(
        "rescues.html",
        reader=caller,
        session=session,
        board=board,
        waiting=len(services.rescue_outbox.unacknowledged()) + len(board.unheard_alerts),
        call_for_help=CALL_FOR_HELP,
        centres=_centres(services),
        ground=GROUND,
        now=services.clock(),
    )


@router.get("/changes")
def show_changes(
    request: Request, services: TheServices, caller: MayRescue, session: TheSession, seen: str = ""
) -> Response:
    """Return the news if the board changed since `seen`, or a stream of its versions.

    Requests that a page makes by itself do not prolong the session.
    """
    if "text/event-stream" in request.headers.get("accept", ""):
        return board_stream(request, services, caller, session)
    # The page reports this itself.
    with suppress(LogUnavailable):
        if services.rescue_watch.seen_by(caller.offices).version == seen:
            return Response(status_code=204)
    return page("rescue_news.html", reader=caller, session=session, is_changed=True)


@router.get("/{case_id}")
def show_rescue(
    services: TheServices, caller: MayRescue, session: TheSession, case_id: str
) -> Response:
    """Show an incident with everything that helps to find the people, and record the read.

    The id of an alert leads to the alert's own page.
    """
    if services.distress_alerts.find(case_id) is not None:
        return RedirectResponse(f"/console/rescues/alerts/{quote(case_id, safe='')}", 303)
    return rescue_page(services, caller, session, case_id)


@router.post("/{case_id}/{act}")
def act_on_rescue(
    services: TheServices,
    caller: MayRescue,
    session: TheSession,
    require_recent_proof: RequireRecentProof,
    form: SignedForm,
    case_id: str,
    act: str,
) -> Response:
    """Carry out the act of a form on every case shown; a refusal is shown on the page."""
    if act in ("agreements", "disagreements") or (act == "results" and is_hearsay(form)):
        require_recent_proof()
    try:
        _do(services, caller, (case_id, act), form)
    except (Conflict, PersonNeeded, Unprocessable) as refusal:
        refused = RefusedForm.of_error(refusal, act, form)
        return rescue_page(services, caller, session, case_id, refused)
    return RedirectResponse(f"/console/rescues/{quote(case_id, safe='')}", 303)


def _do(services: Services, caller: Caller, wanted: tuple[str, str], form: dict[str, str]) -> None:
    reviewer, now, (case_id, name) = Reviewer.from_caller(caller), services.clock(), wanted
    shown = {each: services.cases.case(reviewer, each)[1] for each in _shown(case_id, form)}
    # An incident spans several cases; an act applies to those where it is possible.
    going_on = [each for each, case in shown.items() if case.status != "closed"]
    proposed = [each for each in going_on if shown[each].proposal]
    own = [each for each in going_on if caller.actor.is_holder(shown[each].owner)]
    if name == "acknowledgement":
        for each in going_on or [case_id]:
            services.rescue_outbox.acknowledge(each, caller.actor, now)
        return
    chosen = {
        "claim": [each for each in going_on if each not in own],
        "release": own,
        "results": going_on,
        "agreements": proposed,
        "disagreements": proposed,
        "notes": [case_id],
        "reopen": [case_id],
    }
    if name not in chosen:
        raise NotFound("there is no such act")
    act = ACTS[name]
    stated = act.input and read_form(act.input, form)
    for each in chosen[name] or [case_id]:
        acting = ActRequest(services.cases, reviewer, each, now)
        if isinstance(stated, Note) and act is NOTE:
            # Mentions notify nobody here, because rescuers get no notices.
            acting.change(note, stated.text)
        else:
            act.perform(acting, stated)


def _shown(case_id: str, form: dict[str, str]) -> tuple[str, ...]:
    """Return the cases of the incident that the page showed; later ones are not acted on unseen."""
    return tuple(dict.fromkeys([case_id, *form.get("shown", "").split()]))


def _centres(services: Services) -> RescueCentres | None:
    return services.rescue_calls.directory.centres if services.rescue_calls else None


def rescue_page(
    services: Services,
    caller: Caller,
    session: Session,
    case_id: str,
    refused: RefusedForm | None = None,
) -> HTMLResponse:
    """Return the page of an incident, with a refusal if any, and record the read."""
    now, reviewer = services.clock(), Reviewer.from_caller(caller)
    services.cases.read(reviewer, case_id, now)
    incident = reading_of(services, caller).incident(case_id)
    # The page shows every case of the incident, so each gets its own audit event.
    for other in set(incident.case_ids) - {case_id}:
        services.cases.read(reviewer, other, now)
    own = next(each for each in incident.reports if each.row.case_id == case_id)
    proposed = (each.state for each in incident.reports if each.state.proposal)
    # A proposal that waits for a second person matters most.
    state = next(proposed, own.state)
    earlier = services.distress_alerts.of_cases(incident.case_ids)
    alerted = services.distress_alerts.events(earlier).values()
    last = incident.last
    near = nearest_places(last.latitude, last.longitude, NEAR_PLACES) if last else []
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
        state=state,
        status_now=status_at(state, now),
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
        near=near,
        **result_choices(),
    )
