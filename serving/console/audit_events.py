"""Page of the audit log, for auditors."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field, field_validator
from starlette.responses import HTMLResponse, Response, StreamingResponse

from features.records import SUBJECT_KINDS
from serving.access.acting import add_audit_details
from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.logged_decision import DecisionAccess, DecisionFilter
from serving.console.browser_session import TheSession
from serving.console.page_scopes import MayAudit
from serving.console.pages import PageRoute, page
from serving.console.supervision_view import safe_cell
from serving.container import Services
from serving.errors import Unprocessable
from serving.integrity.audit_log import EventFilter, RecordedEvent
from serving.integrity.checkpoints import public_key_of
from serving.integrity.proof_state import ProofState
from serving.review.cases.case_records import CaseRow, CaseSearch
from serving.review.cases.reviewer import Reviewer
from serving.review.search.search_terms import normalised, read_search
from serving.web.downloads import download_headers
from serving.web.services import TheServices

router = APIRouter(prefix="/console/audit", include_in_schema=False, route_class=PageRoute)

PAGE_SIZE = 50
CHUNK_SIZE = 1_000
# The largest number of cases or decisions that one id stands for here.
MAX_NAMED = 50
COLUMNS = (*("seq", "at", "actor", "actor_name", "action", "object_kind", "object_id", "details"),)

_Words = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True)
class ShownEvent:
    """Event prepared for display: lists in its details are collapsed to their length."""

    event: RecordedEvent
    said: tuple[tuple[str, str], ...]
    lists: tuple[tuple[str, tuple[str, ...]], ...]

    @classmethod
    def of_event(cls, event: RecordedEvent) -> "ShownEvent":
        """Return an event with its details split into plain values and lists."""
        lists = {
            name: tuple(map(str, value))
            for name, value in event.details.items()
            if isinstance(value, list) and value
        }
        said = tuple(
            (name, _shown(value)) for name, value in event.details.items() if name not in lists
        )
        return cls(event, said, tuple(lists.items()))


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    # An empty list is shown by its length, as other lists are.
    return "0" if value == [] else json.dumps(value)


@dataclass(frozen=True)
class NamedObjects:
    """The ids of objects that events may be about, and the cases among them."""

    object_ids: tuple[str, ...] = ()
    cases: tuple[CaseRow, ...] = ()


class WantedEvents(BaseModel):
    """Filters that the reader chose; empty values do not filter."""

    actor: _Words = ""
    action: _Words = ""
    object_kind: _Words = ""
    object_id: _Words = ""
    begins: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    before: Annotated[int, Field(ge=1, lt=2**63)] | None = None

    @field_validator("begins", "ends", mode="before")
    @classmethod
    def _in_utc(cls, value: object) -> object:
        """Parse a form's instant: empty is None, and one without a zone is UTC."""
        if value == "":
            return None
        # HTML's datetime-local inputs send no zone.
        is_local = isinstance(value, str) and len(value) == len("2026-11-24T12:00")
        return f"{value}:00Z" if is_local else value

    def event_filter(self, object_ids: Iterable[str] = ()) -> EventFilter:
        """Return the filters in the form of the audit log, for objects with any of these ids."""
        return EventFilter(
            actor=self.actor or None,
            action=self.action or None,
            object_kind=self.object_kind or None,
            object_ids=tuple(object_ids),
            begins=self.begins,
            ends=self.ends,
            before_seq=self.before,
        )

    def address(self, path: str = "", **changed: object) -> str:
        """Return the address of the page or of a file, with the same filters and some changed."""
        kept = self.model_dump(exclude={"before"}, exclude_none=True) | changed
        chosen = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in kept.items()
            if value
        }
        return f"/console/audit{path}" + (f"?{urlencode(chosen)}" if chosen else "")


@router.get("")
def show_audit_events(
    services: TheServices,
    caller: MayAudit,
    session: TheSession,
    wanted: Annotated[WantedEvents, Query()],
) -> HTMLResponse:
    """Show the newest matching events and the state of the log's proof."""
    found = _objects_named(services, caller, wanted.object_id)
    events = services.audit_events.newest(wanted.event_filter(found.object_ids), PAGE_SIZE)
    # A full page may be the last one; then the next page is empty.
    is_full = len(events) == PAGE_SIZE
    return page(
        "audit_events.html",
        reader=caller,
        session=session,
        wanted=wanted,
        found=found,
        events=[ShownEvent.of_event(each) for each in events],
        older=wanted.address(before=events[-1].seq) if is_full else None,
        proof=ProofState.of_log(
            services.checkpoints, public_key_of(services.settings.keys), services.witnesses.outcomes
        ),
    )


@router.get("/events.ndjson")
def download_as_ndjson(
    services: TheServices, caller: MayAudit, wanted: Annotated[WantedEvents, Query()]
) -> Response:
    """Return all matching events as JSON lines, newest first."""
    lines = (_as_json(event) for event in _every(services, caller, wanted))
    return _as_file(lines, "ndjson", "application/x-ndjson")


@router.get("/events.csv")
def download_as_csv(
    services: TheServices, caller: MayAudit, wanted: Annotated[WantedEvents, Query()]
) -> Response:
    """Return all matching events as CSV, with details as JSON in one cell."""
    lines = (_as_row(event) for event in _every(services, caller, wanted))
    return _as_file(chain([_row(COLUMNS)], lines), "csv", "text/csv; charset=utf-8")


def _objects_named(services: Services, caller: Caller, name: str) -> NamedObjects:
    """Return the objects with an id: itself, and the cases and decisions that search finds by it.

    Decisions without a case, such as releases, are found by the id of their subject or their own.
    """
    if not name:
        return NamedObjects()
    access = DecisionAccess(caller.key_id, caller.offices)
    asked = [DecisionFilter(subject_kind=kind, subject_id=name) for kind in SUBJECT_KINDS]
    pages = [services.decisions.page(access, each, None, MAX_NAMED).records for each in asked]
    own = services.decisions.records_of([name]).values()
    decisions = [
        decision
        for decision in map(Decision.model_validate_json, chain(*pages, own))
        if not services.masking.hides(decision)
    ]
    cases = _cases_named(services, caller, name)
    case_ids = {*(row.case_id for row in cases), *(each.case_id for each in decisions)}
    scores = [score.decision_id for row in cases for score in services.cases.scores(row)]
    add_audit_details(cases=sorted(case_ids))
    ids = {name, *case_ids, *scores, *(each.decision_id for each in decisions)}
    return NamedObjects(tuple(sorted(ids)), tuple(cases))


def _cases_named(services: Services, caller: Caller, name: str) -> list[CaseRow]:
    """Return the cases on both sides in which an identifier is exactly this one."""
    try:
        symbols = read_search(name)
    except Unprocessable:
        return []
    reviewer, rows = Reviewer.from_caller(caller), []
    for is_rescue in (False, True):
        side = replace(reviewer, access=replace(reviewer.access, is_rescue=is_rescue))
        page = services.cases.search(side, CaseSearch(symbols), None, MAX_NAMED)
        # A search finds what begins with the text; here another container would be a false answer.
        rows += [
            each.case
            for each in page.found
            if any(normalised(term.value) == symbols for term in each.matched)
        ]
    return rows


def _every(services: Services, caller: Caller, wanted: WantedEvents) -> Iterator[RecordedEvent]:
    """Yield all matching events page by page, and record which filters were set."""
    asked = wanted.event_filter(_objects_named(services, caller, wanted.object_id).object_ids)
    # Names only: the values can identify people, and this is itself written to the log.
    add_audit_details(filters=sorted(wanted.model_dump(exclude_defaults=True)))

    def pages() -> Iterator[RecordedEvent]:
        before = asked.before_seq
        while events := services.audit_events.newest(replace(asked, before_seq=before), CHUNK_SIZE):
            yield from events
            before = events[-1].seq

    return pages()


def _as_json(event: RecordedEvent) -> str:
    return json.dumps(asdict(event) | {"at": event.at.isoformat()}, sort_keys=True) + "\n"


def _as_row(event: RecordedEvent) -> str:
    cells = asdict(event) | {"at": event.at.isoformat(), "details": json.dumps(event.details)}
    # Auditors open the file in spreadsheets, which execute formulas.
    return _row([safe_cell(cells[name]) for name in COLUMNS])


def _row(cells: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _as_file(lines: Iterable[str], ending: str, media_type: str) -> Response:
    headers = download_headers(f"audit-events.{ending}")
    # Streamed, because the log can be larger than memory.
    return StreamingResponse(lines, headers=headers, media_type=media_type)
