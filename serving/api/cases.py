"""`GET /v1/queue`, `/v1/cases` and `/v1/cases/{id}`: lists of cases, and single ones."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from features.records import SubjectKind
from serving.api.case_answers import (
    CaseAnswer,
    CasePage,
    CaseScoreAnswer,
    ListedCase,
    MatchedTerm,
    QueuedCase,
    QueuePage,
    WholeCase,
    declaration_since,
)
from serving.api.case_revisions import tag_of
from serving.api.entities import named_entities
from serving.api.openapi import answer_headers, problems
from serving.container import Services
from serving.errors import RequestFault, Unprocessable
from serving.review.acts.tag import TagText, normalised_tag
from serving.review.cases.case_records import CaseFilter, CaseRow, CaseSearch, QueueFilter
from serving.review.cases.case_redaction import amendment_shown
from serving.review.cases.case_state import Status
from serving.review.cases.reviewer import Reviewer
from serving.review.search.search_terms import MAX_SEARCH_LENGTH, read_search
from serving.triage.lane_declarations import ShownLane, shown_lane, shown_score_lane, stored_lanes
from serving.web.authentication import MayReviewOrRescue
from serving.web.caller_first import CallerFirst
from serving.web.queue_cursor import (
    decode_cursor,
    decode_found,
    decode_place,
    encode_cursor,
    encode_place,
)
from serving.web.services import TheServices

router = APIRouter(prefix="/v1", tags=["review"], route_class=CallerFirst)


class CaseQuery(BaseModel):
    """A filter of all cases, including closed ones, and a page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject_kind: SubjectKind | None = None
    subject_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    q: Annotated[
        str | None,
        Field(
            description=(
                "The beginning of an identifier of the case: its own id, a shipment or journey, a "
                "document number, a container, seal or plate, a vessel or vehicle, an IMO number, "
                "MMSI or call sign, or the pseudonym of a party, as payer or consignee. Case and "
                "separators do not count. At least three letters or digits; no wildcards."
            ),
            max_length=MAX_SEARCH_LENGTH,
            examples=["MSCU 1234"],
        ),
    ] = None
    status: list[Status] = []
    office_id: str | None = None
    mode: str | None = None
    owner: str | None = None
    tag: TagText | None = None
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class QueueQuery(BaseModel):
    """A filter of the queue, and a page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lane: list[ShownLane] = []
    office_id: str | None = None
    mode: str | None = None
    owner: str | None = None
    is_unowned: bool = False
    inbox: Annotated[
        str | None, Field(description="A team, or else an office: what no team has there.")
    ] = None
    is_in_time: bool | None = None
    tag: TagText | None = None
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/queue", responses=problems(s422="A filter or the cursor is refused."))
def read_queue(
    services: TheServices, caller: MayReviewOrRescue, query: Annotated[QueueQuery, Query()]
) -> QueuePage:
    """List the waiting cases: those that can still be stopped first, then by risk."""
    now = services.clock()
    queue_filter = QueueFilter(
        now=now,
        # A filter for inspections includes control cases, which must look the same.
        lanes=stored_lanes(query.lane),
        office_id=query.office_id,
        mode=query.mode,
        owner=query.owner,
        is_unowned=query.is_unowned,
        inbox=None if query.inbox is None else services.cases.in_inbox(query.inbox),
        is_in_time=query.is_in_time,
        tag=None if query.tag is None else normalised_tag(query.tag),
    )
    after = decode_cursor(query.cursor)
    rows = services.cases.queue(Reviewer.from_caller(caller), queue_filter, after, query.limit)
    is_full = len(rows) == query.limit
    return QueuePage(
        cases=[queued(row, now) for row in rows],
        next=encode_cursor(rows[-1], now) if is_full else None,
    )


@router.get("/cases", responses=problems(s422="A filter or the cursor is refused."))
def list_cases(
    services: TheServices, caller: MayReviewOrRescue, query: Annotated[CaseQuery, Query()]
) -> CasePage:
    """List all cases that the caller may see, including closed ones, the newest first.

    `status` says whether a case is closed; the queue lists the waiting ones in order. `q` finds
    cases with an identifier that begins with it, and says which; masked and erased cases are not
    found.
    """
    asked = query.model_dump(exclude={"q", "status", "tag", "cursor", "limit"})
    tag = None if query.tag is None else normalised_tag(query.tag)
    wanted = CaseFilter(**asked, statuses=tuple(query.status), tag=tag)
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    if query.q is not None:
        return _searched(services, reviewer, query, wanted)
    wanted = replace(wanted, before=decode_place(query.cursor))
    listed = services.cases.list_cases(reviewer, wanted, query.limit)
    found = [ListedCase(**_found(services, reviewer, row, now)) for row in listed.found]
    return CasePage(cases=found, next=encode_place(listed.next))


def _searched(
    services: Services, reviewer: Reviewer, query: CaseQuery, wanted: CaseFilter
) -> CasePage:
    """Return a page of search results; raises Unprocessable for an invalid search."""
    if query.subject_id is not None:
        fault = RequestFault("/subject_id", "subject_id", "want `q` or `subject_id`, not both")
        raise Unprocessable("the search is refused", (fault,))
    asked = CaseSearch(read_search(query.q or ""), wanted)
    now, after = services.clock(), decode_found(query.cursor)
    searched = services.cases.search(reviewer, asked, after, query.limit)
    found = [
        ListedCase(
            **_found(services, reviewer, each.case, now),
            matched=[MatchedTerm.model_validate(vars(term)) for term in each.matched],
        )
        for each in searched.found
    ]
    return CasePage(cases=found, next=searched.next)


@router.get(
    "/cases/{case_id}",
    responses=problems(s404="No such case that this key may see.")
    | {200: {"headers": answer_headers("ETag")}},
)
def read_case(
    services: TheServices, caller: MayReviewOrRescue, case_id: str, response: Response
) -> WholeCase:
    """Return a case as it is now, with every score of its subject.

    To decide on what you read, send its `ETag` as `If-Match` with the act.
    """
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    revision = services.cases.revision(case_id)  # read first, so that later changes count as unread
    row, _ = services.cases.case(reviewer, case_id)
    scores = [
        CaseScoreAnswer.model_validate(vars(score) | {"lane": shown_score_lane(score.lane)})
        for score in services.cases.scores(row)
    ]
    entities = named_entities(services.entities.named_by([row]))
    response.headers["ETag"] = tag_of(revision)
    found = _found(services, reviewer, row, now)
    return WholeCase(**found, revision=revision, scores=scores, entities=entities)


def queued(row: CaseRow, now: datetime) -> QueuedCase:
    """Return a case as the queue shows it at an instant."""
    # Stored lanes reveal random draws, so only shown lanes leave the service.
    holder = row.holder
    shown = {
        "lane": shown_lane(row.lane),
        "owner": holder and holder.name,
        "owner_id": holder and holder.identity,
        "is_in_time": row.is_in_time(now),
        **declaration_since(amendment_shown(row)),
    }
    return QueuedCase.model_validate(vars(row) | shown)


def _found(services: Services, reviewer: Reviewer, row: CaseRow, now: datetime) -> dict[str, Any]:
    state = CaseAnswer.from_case(services.cases.state_of(reviewer, row), now)
    names = ("subject_kind", "subject_id", "office_id", "mode", "due_at", "opened_at", "what")
    shown = {name: getattr(row, name) for name in names}
    return dict(state) | shown | {"lane": shown_lane(row.lane)}
