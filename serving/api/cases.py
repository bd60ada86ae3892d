"""`GET /v1/queue` and `/v1/cases/{id}/…`: what reviewers do, for clients other than the console."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from serving.access.callers import Caller
from serving.api.openapi import problems
from serving.container import Services
from serving.review import case_rules as acts
from serving.review.case_records import CaseRecord, QueueFilter
from serving.review.case_rules import Case, status_at
from serving.review.cases import CaseAct, Reviewer
from serving.review.dispositions import DispositionCode
from serving.review.shown_lanes import ShownLane, shown_lane, stored_lanes
from serving.web.authentication import WithScope
from serving.web.caller_first import CallerFirst
from serving.web.case_bodies import Assignment, DispositionBody, Note, Pause
from serving.web.queue_cursor import decode_cursor, encode_cursor
from serving.web.services import TheServices

router = APIRouter(prefix="/v1", tags=["review"], route_class=CallerFirst)

MayReview = Annotated[Caller, Depends(WithScope("review", "rescue"))]

CASE_PROBLEMS = problems(
    s404="No such case, or none that this key may see.",
    s409="Another was faster, or the case is not in a state for this.",
    s422="The body is refused.",
)


class QueuedCase(BaseModel):
    """A case as the queue shows it; a control case looks like any other inspection."""

    case_id: str
    subject_kind: str
    subject_id: str
    office_id: str | None
    mode: str | None
    lane: ShownLane
    status: str
    owner: str | None
    owner_id: str | None
    due_at: datetime
    opened_at: datetime


class QueuePage(BaseModel):
    """A page of the queue; `next` is the cursor of the page after it."""

    cases: list[QueuedCase]
    next: str | None


class CaseAnswer(BaseModel):
    """A case after an act; `proposed` and `is_reopening_proposed` wait for a second person.

    `owner` is a name, `owner_id` the identity behind it, which never changes.
    """

    case_id: str
    status: str
    owner: str | None
    owner_id: str | None
    snoozed_until: datetime | None
    disposition: DispositionCode | None
    proposed: DispositionCode | None
    proposed_by: str | None
    is_reopening_proposed: bool


class QueueQuery(BaseModel):
    """Which cases of the queue, and which page of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lane: list[ShownLane] = []
    office_id: str | None = None
    mode: str | None = None
    owner: str | None = None
    is_unowned: bool = False
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/queue", responses=problems(s422="A filter or the cursor is refused."))
def read_queue(
    services: TheServices, caller: MayReview, query: Annotated[QueueQuery, Query()]
) -> QueuePage:
    """The cases that wait: rescue first, then by lane, then by what is due first."""
    queue_filter = QueueFilter(
        now=services.clock().isoformat(),
        lanes=stored_lanes(query.lane),
        office_id=query.office_id,
        mode=query.mode,
        owner=query.owner,
        is_unowned=query.is_unowned,
    )
    after = decode_cursor(query.cursor)
    rows = services.cases.queue(Reviewer.from_caller(caller), queue_filter, after, query.limit)
    is_full = len(rows) == query.limit
    return QueuePage(
        cases=[queued(row) for row in rows], next=encode_cursor(rows[-1]) if is_full else None
    )


@router.post("/cases/{case_id}/claim", responses=CASE_PROBLEMS)
def claim_case(services: TheServices, caller: MayReview, case_id: str) -> CaseAnswer:
    """Take a case; of two who try, one has it and the other gets a 409."""
    return _acted(
        services, caller, case_id, lambda c: acts.claim(c, caller.actor, services.clock())
    )


@router.post("/cases/{case_id}/release", responses=CASE_PROBLEMS)
def release_case(services: TheServices, caller: MayReview, case_id: str) -> CaseAnswer:
    """Put a case back for others."""
    return _acted(
        services, caller, case_id, lambda c: acts.release(c, caller.actor, services.clock())
    )


@router.post("/cases/{case_id}/assign", responses=CASE_PROBLEMS)
def assign_case(
    services: TheServices, caller: MayReview, case_id: str, body: Assignment
) -> CaseAnswer:
    """Give a case to the holder of an account; from its owner only they or a supervisor do."""
    account = services.accounts.find(body.to)
    is_live = account is not None and account.disabled_at is None
    to = Reviewer.from_caller(account.caller()) if account is not None and is_live else None
    at = services.clock()
    return _answer(services.cases.assign(Reviewer.from_caller(caller), case_id, at, to), at)


@router.post("/cases/{case_id}/snooze", responses=CASE_PROBLEMS)
def snooze_case(services: TheServices, caller: MayReview, case_id: str, body: Pause) -> CaseAnswer:
    """Lay a case aside until an instant."""
    at = services.clock()
    return _acted(
        services, caller, case_id, lambda c: acts.snooze(c, caller.actor, at, body.until, body.text)
    )


@router.post("/cases/{case_id}/document-requests", responses=CASE_PROBLEMS)
def request_documents(
    services: TheServices, caller: MayReview, case_id: str, body: Pause
) -> CaseAnswer:
    """Ask for documents that are missing, and wait for them."""
    at = services.clock()
    return _acted(
        services,
        caller,
        case_id,
        lambda c: acts.request_documents(c, caller.actor, at, body.until, body.text),
    )


@router.post("/cases/{case_id}/notes", responses=CASE_PROBLEMS)
def note_case(services: TheServices, caller: MayReview, case_id: str, body: Note) -> CaseAnswer:
    """Write something down about a case."""
    at = services.clock()
    return _acted(services, caller, case_id, lambda c: acts.note(c, caller.actor, at, body.text))


@router.post("/cases/{case_id}/dispositions", responses=CASE_PROBLEMS)
def dispose_case(
    services: TheServices, caller: MayReview, case_id: str, body: DispositionBody
) -> CaseAnswer:
    """End a case with a reason; an adverse end waits for a second person who says the same."""
    case = services.cases.dispose(
        Reviewer.from_caller(caller), case_id, services.clock(), body.disposition()
    )
    return _answer(case, services.clock())


@router.post("/cases/{case_id}/reopen", responses=CASE_PROBLEMS)
def reopen_case(services: TheServices, caller: MayReview, case_id: str, body: Note) -> CaseAnswer:
    """Bring back a case that was closed; of an adverse end two persons do, one after another."""
    at = services.clock()
    return _acted(services, caller, case_id, lambda c: acts.reopen(c, caller.actor, at, body.text))


@router.post("/cases/{case_id}/decline", responses=CASE_PROBLEMS)
def decline_case(services: TheServices, caller: MayReview, case_id: str, body: Note) -> CaseAnswer:
    """Refuse, as a second person, the end or the opening again that another one proposed."""
    at = services.clock()
    return _acted(services, caller, case_id, lambda c: acts.decline(c, caller.actor, at, body.text))


def queued(row: CaseRecord) -> QueuedCase:
    """A case as the queue shows it."""
    holder = row.holder
    shown = {
        "lane": shown_lane(row.lane),
        "owner": holder and holder.name,
        "owner_id": holder and holder.identity,
    }
    return QueuedCase.model_validate(vars(row) | shown)


def _acted(services: Services, caller: Caller, case_id: str, act: CaseAct) -> CaseAnswer:
    case = services.cases.act(Reviewer.from_caller(caller), case_id, act)
    return _answer(case, services.clock())


def _answer(case: Case, at: datetime) -> CaseAnswer:
    return CaseAnswer(
        case_id=case.case_id,
        status=status_at(case, at),
        owner=case.owner and case.owner.name,
        owner_id=case.owner and case.owner.identity,
        snoozed_until=case.snoozed_until,
        disposition=case.disposition.code if case.disposition else None,
        proposed=case.proposed.code if case.proposed else None,
        proposed_by=case.proposed_by and case.proposed_by.name,
        is_reopening_proposed=case.reopening is not None,
    )
