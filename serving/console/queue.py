"""Page of the queue: the list of cases, and the requests it makes while open."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.records import Mode
from serving.access.callers import Caller
from serving.access.office_ids import require_known_office
from serving.console.act_done import act_done
from serving.console.browser_session import TheSession
from serving.console.case_links import colleagues
from serving.console.case_list import TAB_NAMES, CaseList, Filters
from serving.console.csrf import SignedForm
from serving.console.own_views import views_of
from serving.console.page_scopes import MayFindCases, MayReviewOrRescue
from serving.console.pages import PageRoute, is_part_asked, page
from serving.container import Services
from serving.errors import Conflict, PersonNeeded, Unprocessable
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.claim import CLAIM
from serving.review.acts.tag import MAX_TAG_LENGTH, tags_in_use
from serving.review.cases.case_records import MAX_COUNTED, CaseRow, QueueFilter
from serving.review.cases.reviewer import Reviewer
from serving.triage.lane_declarations import LANE_NAMES, QUEUE_RANK, ShownLane
from serving.web.services import TheServices

router = APIRouter(prefix="/console/queue", include_in_schema=False, route_class=PageRoute)

# Cases to try when others are claiming at the same time.
MAX_TRIED = 25

TheFilters = Annotated[Filters, Query()]


@router.get("")
def show_queue(
    services: TheServices,
    caller: MayFindCases,
    session: TheSession,
    request: Request,
    filters: TheFilters,
    done: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Show the cases of a tab, or only the list if requested; rescuers are sent to their board.

    `done` is the case on which the reader acted just before, reported by the whole page.
    """
    if caller.may("rescue"):
        return RedirectResponse("/console/rescues", 303)
    now = services.clock()
    content = list_content(services, caller, filters, now)
    template = "case_list.html" if is_part_asked(request) and not done else "queue.html"
    told = act_done(services, _reviewer(caller), done, now)
    return page(template, reader=caller, session=session, done=told, **content)


@router.get("/new")
def count_new_cases(
    services: TheServices, caller: MayFindCases, filters: TheFilters, after: int = 0
) -> HTMLResponse:
    """Return a button with the number of cases that entered a tab after a log position."""
    wanted = filters.queue_filter(services.clock(), services.cases.inboxes())
    wanted = replace(services.cases.as_read_by(_reviewer(caller), wanted), after_seq=after)
    count = 0 if filters.tab == "closed" else services.cases.count_new(_reviewer(caller), wanted)
    return page("new_cases.html", new=count, max_counted=MAX_COUNTED, filters=filters)


@router.post("/next")
def take_next(services: TheServices, caller: MayReviewOrRescue, form: SignedForm) -> Response:
    """Claim the most urgent free case, first of the reader's inboxes, and open it."""
    now, reviewer = services.clock(), _reviewer(caller)
    for row in _most_urgent(services, reviewer, now):
        try:
            CLAIM.perform(ActRequest(services.cases, reviewer, row.case_id, now), None)
        # Someone else claimed it in the meantime, or someone else must judge it.
        except (Conflict, PersonNeeded):
            continue
        if caller.may("rescue"):
            return RedirectResponse(f"/console/rescues/{row.case_id}", 303)
        return RedirectResponse(Filters(tab="mine").case_address(row.case_id), 303)
    return RedirectResponse("/console/queue", 303)


def _most_urgent(services: Services, reviewer: Reviewer, now: datetime) -> Iterator[CaseRow]:
    in_inbox = services.cases.as_read_by(reviewer, QueueFilter(now=now, tab="inbox"))
    yield from services.cases.queue(reviewer, in_inbox, None, MAX_TRIED)
    unowned = QueueFilter(now=now, is_unowned=True)
    yield from services.cases.queue(reviewer, unowned, None, MAX_TRIED)


def list_content(
    services: Services, caller: Caller, filters: Filters, now: datetime
) -> dict[str, Any]:
    """Return the template variables of the list of cases."""
    listed = CaseList.read(services, caller, filters, now)
    access = _reviewer(caller).access
    lanes = services.case_load.count_waiting(QUEUE_RANK, access, now)
    # Random draws are shown as inspections, so that the count does not reveal them.
    lanes["inspect"] = lanes.get("inspect", 0) + lanes.pop("control", 0)
    own = [lane for lane in get_args(ShownLane) if lane != "rescue"]
    return {
        "listed": listed,
        "filters": listed.filters,
        "unknown_places": list(_unknown_places(services, listed.filters)),
        "tab_names": TAB_NAMES,
        "max_counted": MAX_COUNTED,
        "lanes": [(lane, LANE_NAMES[lane], lanes.get(lane, 0)) for lane in own],
        "modes": get_args(Mode),
        "teams": list(services.cases.inboxes().names),
        "inboxes_of_all": _inboxes_of(services, listed),
        "colleagues": colleagues(services, caller),
        "tags_in_use": tags_in_use(services.cases, _reviewer(caller)),
        "longest_tag": MAX_TAG_LENGTH,
        "views": views_of(services, caller),
    }


def _unknown_places(services: Services, filters: Filters) -> Iterator[str]:
    """Yield an error for an unknown inbox or office, whose list would look empty."""
    try:
        if filters.inbox:
            services.cases.in_inbox(filters.inbox)
    except Unprocessable as refusal:
        yield str(refusal)
    try:
        if filters.office:
            require_known_office(filters.office, services.cases.known_offices(), "office")
    except Unprocessable as refusal:
        yield str(refusal)


def _inboxes_of(services: Services, listed: CaseList) -> list[str]:
    """Return the inboxes that any of the listed cases can be in."""
    offices = dict.fromkeys(each.row.office_id for each in listed.rows)
    inboxes = services.cases.inboxes()
    return list(dict.fromkeys(name for each in offices for name in inboxes.for_office(each)))


def _reviewer(caller: Caller) -> Reviewer:
    return Reviewer.from_caller(caller)
