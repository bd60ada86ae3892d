"""Page of a case: evidence first, then the score, with the list and the available acts."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.provenance import Provenance
from features.records import CONCLUSIVE
from features.submission import Submission
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.audit.decision_details import UNEXPLAINED, details_of
from serving.console.act_done import act_done
from serving.console.amended_declaration import amended_declaration
from serving.console.browser_session import TheSession
from serving.console.case_forms import (
    JUDGED_AS_WORDS,
    WAITING_FOR,
    choices_of,
    forms_of,
    judged_as,
    marking_of,
)
from serving.console.case_history import EventView
from serving.console.case_links import colleagues, finds_shown, link_graph
from serving.console.case_list import Filters, subject_described, way_named
from serving.console.case_view import (
    FIELDS_OF_FACTS,
    CaseView,
    events_shown,
    is_blind_to,
    is_score_shown,
)
from serving.console.charts.case_pictures import CasePictures
from serving.console.csrf import SignedForm
from serving.console.forms import NEVER, RefusedForm, read_form
from serving.console.justification import justification_form
from serving.console.page_scopes import MayReadCase
from serving.console.pages import PageRoute, is_part_asked, page
from serving.console.queue import list_content
from serving.container import Services
from serving.errors import Forbidden, Unprocessable
from serving.language import reading, say
from serving.review.acts.all_acts import ACTS
from serving.review.acts.assign import ASSIGN
from serving.review.acts.justifications import Justification
from serving.review.acts.tag import MAX_TAG_LENGTH, tags_in_use
from serving.review.cases.case_of_decision import ALIKE
from serving.review.cases.case_records import CaseRow, LinkedCase, StoredEvent
from serving.review.cases.case_state import Case, status_at
from serving.review.cases.event_kinds import REVISION_KEEPING_EVENTS
from serving.review.cases.reviewer import Reviewer
from serving.review.errors import JustificationNeeded
from serving.scoring.enrichment import as_scored
from serving.web.services import TheServices

router = APIRouter(prefix="/console/cases", include_in_schema=False, route_class=PageRoute)


# The newest similar cases that rates are counted among, and the examples shown of each end.
MAX_ALIKE, MAX_EXAMPLES = 100, 4
MAX_INTERACTIONS = 6

STAYS_ON = tuple(name for name, act in ACTS.items() if act.keeps_forms)


@dataclass(frozen=True)
class PageAsked:
    """Request for the page of a case: list filters, whole or part, and the previous act.

    `done` is the case on which the reader acted just before.
    """

    filters: Filters
    is_part: bool
    done: str = ""


@dataclass(frozen=True)
class SimilarEnds:
    """How similar cases ended.

    `rates` are by what they share: its kind and value, the cases inspected, and those with a find.
    `examples` are of both ends, with their results in words, from `ended` cases.
    """

    rates: tuple[tuple[str, str, int, int], ...]
    examples: tuple[tuple[LinkedCase, str], ...]
    ended: int


def page_asked(
    request: Request,
    filters: Annotated[Filters, Query()],
    done: Annotated[str, Query(max_length=64)] = "",
) -> PageAsked:
    """Return the request's parameters and whether only a part is wanted."""
    return PageAsked(filters, is_part_asked(request), done)


ThePageAsked = Annotated[PageAsked, Depends(page_asked)]


@router.get("/{case_id}")
def show_case(
    services: TheServices,
    caller: MayReadCase,
    session: TheSession,
    asked: ThePageAsked,
    case_id: str,
) -> HTMLResponse:
    """Show a case with its evidence and record the read."""
    return case_page(services, caller, session, case_id, asked)


@router.get("/{case_id}/together")
def show_interactions(
    services: TheServices, caller: MayReadCase, request: Request, case_id: str
) -> Response:
    """Show which facts of a case counted together, for a page that opens them; record the read."""
    if not is_part_asked(request):
        return RedirectResponse(f"/console/cases/{case_id}", 303)
    now = services.clock()
    row, case = services.cases.read(Reviewer.from_caller(caller), case_id, now)
    decision = services.cases.decision(row.case_id)
    if not caller.may("explain"):
        raise Forbidden("it needs the scope `explain`")
    if not is_score_shown(services, caller, case):
        raise Forbidden("judge the case first")
    if decision.is_drawn:
        raise Forbidden("it was drawn at random, so no score and no reason is given")
    submission = as_scored(decision, services.records)
    details = details_of(
        services.models, decision, submission, reading().language, MAX_INTERACTIONS
    )
    return page("together.html", pairs=details.interactions)


@router.post("/{case_id}/justify")
def justify_reading(
    services: TheServices,
    caller: MayReadCase,
    session: TheSession,
    form: SignedForm,
    case_id: str,
) -> Response:
    """Record the reader's justification for reading a case, then show the case."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    try:
        stated = read_form(Justification, form)
    except Unprocessable as refusal:
        refused = RefusedForm.of_error(refusal, "justify", form)
        return justification_form(session, caller, f"/console/cases/{case_id}", refused)
    services.cases.justify(reviewer, case_id, now, stated.code, stated.text)
    return RedirectResponse(f"/console/cases/{case_id}", 303)


def case_page(
    services: Services,
    caller: Caller,
    session: Session,
    case_id: str,
    asked: PageAsked,
    refused: RefusedForm | None = None,
) -> HTMLResponse:
    """Return the page of a case, with a refused form if any, and record the read with its reason.

    If a justification is needed, return the form that asks for it. A partial request gets the
    case only, with a new list if the reader has just acted.
    """
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    # Read the revision first: changes made from here on then conflict with forms of this page.
    revision = services.cases.revision(case_id)
    try:
        row, case = services.cases.read(reviewer, case_id, now)
    except JustificationNeeded:
        return justification_form(session, caller, f"/console/cases/{case_id}", refused)
    # Opening the case answers its notices.
    services.notices.read_case(caller.actor, case_id, now)
    status = refused.status if refused else 200
    content = _case_content(services, caller, session, row, case) | {"revision": revision}
    is_list_shown = not asked.is_part or bool(asked.done)
    listed = list_content(services, caller, asked.filters, now) if is_list_shown else {}
    shown = {"filters": asked.filters, **listed, **content}
    done = act_done(services, reviewer, asked.done, now)
    template = "case_part.html" if asked.is_part else "case.html"
    since = _since(services, caller, row, refused)
    answer = page(template, status, refused=refused, since=since, done=done, **shown)
    if asked.is_part and refused is None:
        answer.headers["HX-Push-Url"] = asked.filters.case_address(case_id)
    # A form may have asked for a smaller part, but a refusal replaces the whole case.
    elif asked.is_part:
        answer.headers.update({"HX-Retarget": "#open-case", "HX-Reswap": "outerHTML show:none"})
    return answer


def judged_part(services: Services, caller: Caller, session: Session, case_id: str) -> HTMLResponse:
    """Return the parts of the page that a first judgement changes, without other forms.

    It reveals the score, so it is recorded as a read like the whole page.
    """
    row, case = services.cases.read(Reviewer.from_caller(caller), case_id, services.clock())
    content = _case_content(services, caller, session, row, case)
    return page("judged_part.html", was_blind=services.cases.is_blind(case_id), **content)


def _case_content(
    services: Services, caller: Caller, session: Session, row: CaseRow, case: Case
) -> dict[str, Any]:
    """Return the template variables of a case page, except the list."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    decision = services.cases.decision(row.case_id)
    submission = as_scored(decision, services.records)
    is_explained = caller.may("explain")
    is_blind = is_blind_to(services, caller, case)
    events = events_shown(services.cases.history(reviewer, row), is_blind=is_blind)
    view = CaseView.from_decision(decision, is_explained=is_explained, is_blind=is_blind)
    details = (
        details_of(services.models, decision, submission, reading().language)
        if is_explained
        else UNEXPLAINED
    )
    # Before the first judgement, nothing on the page may reveal the score indirectly.
    shows_score = is_score_shown(services, caller, case)
    if not shows_score:
        details = replace(details, missing_input_effects=None)
    return {
        "reader": caller,
        "session": session,
        "row": row,
        "headline": headline_of(row, submission, is_masked=services.cases.is_masked(row)),
        "state": case,
        "status_now": status_at(case, now),
        "hours_waiting": _hours_until(case.waiting_until, now),
        "hours_left": row.hours_left(submission, now),
        "case": view,
        "is_score_shown": shows_score,
        "waived_gates": (
            services.models.waived_gates(decision.subject_kind, decision.model.digest)
            if decision.model
            else ()
        ),
        "judged_as": judged_as(events, caller),
        "judgements": JUDGED_AS_WORDS,
        "details": details,
        "finds": finds_shown(services, caller, decision) if view.has_reasons else {},
        "submission": submission,
        "amended": amended_declaration(services, row, submission, now),
        "pictures": CasePictures.from_submission(submission, now),
        "links": link_graph(services, reviewer, row),
        "entities": services.entities.named_by([row]),
        "colleagues": colleagues(services, caller),
        "offices": sorted({*services.cases.known_offices()} - {row.office_id or ""}),
        "inboxes": services.cases.inboxes().for_office(row.office_id),
        "similar": _similar_ends(services, reviewer, row.case_id),
        "similar_most": MAX_ALIKE,
        "files": services.cases.attached(row),
        "messages": (messages := services.message_evidence.of_case(row, submission)),
        "fact_places": {
            say(label): messages.places(Provenance(fields, {}, ()))
            for label, fields in FIELDS_OF_FACTS.items()
        },
        "most_bytes": services.settings.max_attachment_bytes,
        "events": [EventView.from_event(event) for event in events],
        "handing": _newest_handing(events),
        "choices": (choices := choices_of(case)),
        "forms": forms_of(case, caller, status_at(case, now), has_results=bool(choices["result"])),
        "waiting_for": WAITING_FOR,
        "tags_in_use": tags_in_use(services.cases, reviewer),
        "longest_tag": MAX_TAG_LENGTH,
        "marking": marking_of(events, session, caller, row.case_id),
        "may_act": caller.may("review"),
        "stays_on": STAYS_ON,
    }


def _newest_handing(events: list[StoredEvent]) -> EventView | None:
    """Return the newest event that gave the case to somebody, if it says why."""
    handing = [event for event in events if event.action in ASSIGN.records]
    return EventView.from_event(handing[-1]) if handing and handing[-1].text else None


def _since(
    services: Services, caller: Caller, row: CaseRow, refused: RefusedForm | None
) -> list[EventView]:
    """Return the events since the form was shown that ran into a conflict."""
    if refused is None or refused.seen in (None, NEVER):
        return []
    events = events_shown(
        services.cases.history(Reviewer.from_caller(caller), row),
        is_blind=is_blind_to(services, caller, row),
    )
    told = [event for event in events if event.action not in REVISION_KEEPING_EVENTS]
    return [EventView.from_event(event) for event in told[refused.seen :]]


def headline_of(row: CaseRow, submission: Submission, *, is_masked: bool) -> str:
    """Return a case as one line; for a masked case, its neutral summary."""
    if is_masked:
        return row.what
    return f"{subject_described(submission)}, {way_named(submission)}"


def _hours_until(instant: datetime | None, now: datetime) -> float | None:
    """Return for how many hours a case still waits; None if it does not."""
    return (instant - now) / timedelta(hours=1) if instant and instant > now else None


def _similar_ends(services: Services, reviewer: Reviewer, case_id: str) -> SimilarEnds:
    """Return how cases of the same goods or route ended: the rates, then the newest examples."""
    alike = services.case_links.linked(reviewer, case_id, ALIKE, MAX_ALIKE)
    results = ((link, services.cases.result_of(link.case)) for link in alike)
    ended = [(link, end) for link, end in results if end and link.case.status == "closed"]
    rates: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for link, end in ended:
        if end.label in CONCLUSIVE:
            for shared in link.shared:
                rates[shared].append(end.label == "confirmed")
    finds = [each for each in ended if each[1].label == "confirmed"][:MAX_EXAMPLES]
    others = [each for each in ended if each[1].label != "confirmed"][:MAX_EXAMPLES]
    return SimilarEnds(
        tuple((*shared, len(found), sum(found)) for shared, found in sorted(rates.items())),
        tuple((link, end.words) for link, end in (*finds, *others)),
        len(ended),
    )
