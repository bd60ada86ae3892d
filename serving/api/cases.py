"""`GET /v1/queue` and `/v1/cases/{id}/…`: what reviewers do, for clients other than the console."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from features.records import SubjectKind
from serving.access.callers import Caller
from serving.api.case_revisions import ServicesAsRead, tag_of
from serving.api.entities import EntityAnswer, named_entities
from serving.api.openapi import answer_headers, problems
from serving.container import Services
from serving.errors import RequestFault, Unprocessable
from serving.review import owner_rules, statement_rules
from serving.review.actions import ActionKind, CaseAction, ReferredTo
from serving.review.bulk_acts import act_together
from serving.review.case_records import CaseFilter, CaseRecord, CaseSearch, QueueFilter
from serving.review.case_state import Amendment, Case, Status, WaitingFor, status_at
from serving.review.results import ResultCode
from serving.review.reviewer import Reviewer
from serving.review.search_terms import LONGEST_SEARCH, read_search
from serving.review.seen_cases import amendment_shown
from serving.review.shown_lanes import (
    ScoreLane,
    ShownLane,
    shown_lane,
    shown_score_lane,
    stored_lanes,
)
from serving.review.stored_acts import CaseAct
from serving.review.tags import normalised_tag, tag_case
from serving.web.authentication import WithScope
from serving.web.caller_first import CallerFirst
from serving.web.case_bodies import (
    ActionBody,
    Assignment,
    BulkActBody,
    FirstJudgement,
    Judgement,
    Note,
    ResultBody,
    TagText,
    Wait,
)
from serving.web.queue_cursor import (
    decode_cursor,
    decode_found,
    decode_place,
    encode_cursor,
    encode_place,
)
from serving.web.services import TheServices

router = APIRouter(prefix="/v1", tags=["review"], route_class=CallerFirst)

MayReview = Annotated[Caller, Depends(WithScope("review", "rescue"))]

CASE_PROBLEMS = problems(
    s404="No such case, or none that this key may see.",
    s409="Another was faster, the case is not in a state for this, or not as `If-Match` says.",
    s422="The body or `If-Match` is refused.",
)


class QueuedCase(BaseModel):
    """A case as the queue shows it; a control case looks like any other inspection.

    `is_in_time` says whether what it is about can still be stopped; those that cannot come last.
    """

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
    is_in_time: bool
    declaration_amended_at: datetime | None
    declaration_withdrawn_at: datetime | None


class QueuePage(BaseModel):
    """A page of the queue; `next` is the cursor of the page after it."""

    cases: list[QueuedCase]
    next: str | None


class ActionAnswer(BaseModel):
    """What was ordered or proposed."""

    kind: ActionKind
    refer_to: ReferredTo | None
    destination: str | None
    text: str

    @classmethod
    def from_action(cls, action: CaseAction | None) -> "ActionAnswer | None":
        """The answer of an action; None of none."""
        return cls.model_validate(vars(action)) if action else None


class CaseAnswer(BaseModel):
    """A case as it is now.

    `owner` is a name, `owner_id` the identity behind it, which never changes. `proposed_action` and
    `proposed_result` wait for a second person, who sees them after a view of their own; until then
    `is_view_needed`. `is_reopening_proposed` waits for a second person too. `team` is the one in
    whose inbox it is while nobody has it; without one it is in that of its office. `is_escalated`
    calls for the supervisor of its office. `tags` are those that officers have set.
    `declaration_amended_at` and `declaration_withdrawn_at` say since when it is known that the
    declaration is another than the first, or stands no more: one of the two, if any.
    """

    case_id: str
    status: Status
    owner: str | None
    owner_id: str | None
    team: str | None
    waiting_until: datetime | None
    waiting_for: WaitingFor | None
    action: ActionAnswer | None
    result: ResultCode | None
    proposed_by: str | None
    proposed_action: ActionAnswer | None
    proposed_result: ResultCode | None
    is_view_needed: bool
    is_reopening_proposed: bool
    is_escalated: bool
    tags: list[str]
    declaration_amended_at: datetime | None
    declaration_withdrawn_at: datetime | None

    @classmethod
    def from_case(cls, case: Case, at: datetime) -> "CaseAnswer":
        """A case at an instant, as its reader may see it."""
        proposal, view = case.proposal, case.second_view
        return cls(
            case_id=case.case_id,
            status=status_at(case, at),
            owner=case.owner and case.owner.name,
            owner_id=case.owner and case.owner.identity,
            team=case.team,
            waiting_until=case.waiting_until,
            waiting_for=case.waiting_for,
            action=ActionAnswer.from_action(case.action),
            result=case.result.code if case.result else None,
            proposed_by=proposal and proposal.by.name,
            proposed_action=ActionAnswer.from_action(proposal.action) if proposal else None,
            proposed_result=proposal.result.code if proposal and proposal.result else None,
            is_view_needed=proposal is not None and view is None,
            is_reopening_proposed=case.reopening is not None,
            is_escalated=case.escalation is not None,
            tags=list(case.tags),
            **declaration_since(case.amendment),
        )


def declaration_since(amendment: Amendment | None) -> dict[str, datetime | None]:
    """Since when it is known what became of the declaration behind a case."""
    is_withdrawn = amendment is not None and amendment.is_withdrawn
    known_at = amendment.known_at if amendment else None
    return {
        "declaration_amended_at": None if is_withdrawn else known_at,
        "declaration_withdrawn_at": known_at if is_withdrawn else None,
    }


class CaseScoreAnswer(BaseModel):
    """One score of the subject of a case; a control case looks like any other inspection."""

    decision_id: str
    scored_at: datetime
    lane: ScoreLane


class FoundCase(CaseAnswer):
    """A case with what it is about, as it was shown to whoever asked."""

    subject_kind: SubjectKind
    subject_id: str
    office_id: str | None
    mode: str | None
    lane: ShownLane
    due_at: datetime
    opened_at: datetime
    what: str


class WholeCase(FoundCase):
    """A case with every score of its subject, the newest last, and whom and what it names.

    `revision` counts what became of it: in quotation marks it is the `ETag`, for `If-Match`.
    """

    revision: int
    scores: list[CaseScoreAnswer]
    entities: list[EntityAnswer]


class MatchedTerm(BaseModel):
    """An identifier that begins with what was searched for, and as what the case names it."""

    names: list[str]
    value: str


class ListedCase(FoundCase):
    """A case of a list; `matched` says why a search found it, and is empty without one."""

    matched: list[MatchedTerm] = []


class CasePage(BaseModel):
    """Cases, the newest first; `next` is the cursor of the page after it.

    Of a search: whole matches first, then by identifier. A page that has few cases, or none, is the
    last only where `next` is null: each looks at so many that filters let through.
    """

    cases: list[ListedCase]
    next: str | None


class CaseQuery(BaseModel):
    """Which of all cases, closed ones too, and which page of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject_kind: SubjectKind | None = None
    subject_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    q: Annotated[
        str | None,
        Field(
            description=(
                "What an identifier of the case begins with: its own id, a shipment or journey, a "
                "document number, a container, seal or plate, a vessel or vehicle, an IMO number, "
                "MMSI or call sign, or the pseudonym of a party, as payer or consignee. Case and "
                "separators do not count. At least three letters or digits; no wildcards."
            ),
            max_length=LONGEST_SEARCH,
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
    """Which cases of the queue, and which page of them."""

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
    services: TheServices, caller: MayReview, query: Annotated[QueueQuery, Query()]
) -> QueuePage:
    """The cases that wait: what can still be stopped before what is over, the riskiest first."""
    now = services.clock()
    queue_filter = QueueFilter(
        now=now.isoformat(),
        lanes=stored_lanes(query.lane),
        office_id=query.office_id,
        mode=query.mode,
        owner=query.owner,
        is_unowned=query.is_unowned,
        inbox=services.cases.inboxes().named(query.inbox) if query.inbox is not None else None,
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
    services: TheServices, caller: MayReview, query: Annotated[CaseQuery, Query()]
) -> CasePage:
    """All cases that may be seen, closed ones too, the newest first.

    Whether one is closed is told by its status; what waits now, in order, is the queue. With `q`,
    those of which an identifier begins so, with what matched; masked and erased ones are not found.
    """
    asked = query.model_dump(exclude={"q", "status", "tag", "cursor", "limit"})
    tag = None if query.tag is None else normalised_tag(query.tag)
    wanted = CaseFilter(**asked, statuses=tuple(query.status), tag=tag)
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    if query.q is not None:
        return _searched(services, reviewer, query, wanted)
    wanted = replace(wanted, before=decode_place(query.cursor))
    rows = services.cases.list_cases(reviewer, wanted, query.limit)
    found = [ListedCase(**_found(services, reviewer, row, now)) for row in rows]
    is_full = len(rows) == query.limit
    return CasePage(cases=found, next=encode_place(rows[-1]) if is_full else None)


def _searched(
    services: Services, reviewer: Reviewer, query: CaseQuery, wanted: CaseFilter
) -> CasePage:
    """A page of cases that a search finds; raises Unprocessable for what cannot be searched for."""
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


class RefusedCase(BaseModel):
    """A case with which nothing was done, and why."""

    case_id: str
    detail: str


class BulkAnswer(BaseModel):
    """With which cases it was done, each by an act of its own, and with which not."""

    done: list[str]
    refused: list[RefusedCase]


@router.post("/bulk-acts", responses=problems(s422="The body is refused."))
def act_on_several(services: TheServices, caller: MayReview, body: BulkActBody) -> BulkAnswer:
    """Do the same with several cases: give them to somebody or back, let them wait, tag them.

    The answer says for each what happened; a case that another has by now is refused, and the
    others are not. What is final, as an order or a result, is for one case at a time.
    """
    reviewer, at = Reviewer.from_caller(caller), services.clock()
    tagging = None if body.tags is None else body.tags.tagging()

    def act(case_id: str) -> object:
        if tagging is not None:
            return tag_case(services.cases, reviewer, case_id, at, tagging)
        if body.assignment is not None:
            return _assign(services, reviewer, case_id, at, body.assignment)
        if body.until is None:
            return services.cases.act(
                reviewer, case_id, lambda c: owner_rules.give_back(c, caller.actor, at)
            )
        until = body.until
        return services.cases.act(
            reviewer,
            case_id,
            lambda c: owner_rules.take_and_wait(c, caller.actor, at, until, "other", body.text),
        )

    acted = act_together(body.case_ids, act)
    refused = [RefusedCase(case_id=case_id, detail=why) for case_id, why in acted.refused]
    return BulkAnswer(done=list(acted.done), refused=refused)


@router.get(
    "/cases/{case_id}",
    responses=problems(s404="No such case that this key may see.")
    | {200: {"headers": answer_headers("ETag")}},
)
def read_case(
    services: TheServices, caller: MayReview, case_id: str, response: Response
) -> WholeCase:
    """A case as it is now, with every score of its subject.

    Whoever decides by what they read sends its `ETag` as `If-Match` with the act.
    """
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    revision = services.cases.revision(case_id)  # first: what comes meanwhile was not read
    row, _ = services.cases.case(reviewer, case_id)
    scores = [
        CaseScoreAnswer.model_validate(vars(score) | {"lane": shown_score_lane(score.lane)})
        for score in services.cases.scores(row)
    ]
    entities = named_entities(services.entities.named_by([row]))
    response.headers["ETag"] = tag_of(revision)
    found = _found(services, reviewer, row, now)
    return WholeCase(**found, revision=revision, scores=scores, entities=entities)


@router.post("/cases/{case_id}/claim", responses=CASE_PROBLEMS)
def claim_case(services: ServicesAsRead, caller: MayReview, case_id: str) -> CaseAnswer:
    """Take a case; of two who try, one has it and the other gets a 409."""
    return _acted(
        services, caller, case_id, lambda c: owner_rules.claim(c, caller.actor, services.clock())
    )


@router.post("/cases/{case_id}/release", responses=CASE_PROBLEMS)
def give_case_back(services: ServicesAsRead, caller: MayReview, case_id: str) -> CaseAnswer:
    """Give a case back for others. To let the goods go is an action, `release`."""
    return _acted(
        services,
        caller,
        case_id,
        lambda c: owner_rules.give_back(c, caller.actor, services.clock()),
    )


@router.post("/cases/{case_id}/assignments", responses=CASE_PROBLEMS)
def assign_case(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: Assignment
) -> CaseAnswer:
    """Give a case to the holder of an account, or put it into an inbox.

    From its owner only they or a supervisor do.
    """
    at = services.clock()
    case = _assign(services, Reviewer.from_caller(caller), case_id, at, body)
    return CaseAnswer.from_case(case, at)


def _assign(
    services: Services, reviewer: Reviewer, case_id: str, at: datetime, body: Assignment
) -> Case:
    if body.inbox is not None:
        return services.cases.put_into_inbox(reviewer, case_id, at, body.inbox)
    account = services.accounts.find(body.to or "")
    is_live = account is not None and account.disabled_at is None
    to = Reviewer.from_caller(account.caller()) if account is not None and is_live else None
    return services.cases.assign(reviewer, case_id, at, to)


@router.post("/cases/{case_id}/waits", responses=CASE_PROBLEMS)
def let_case_wait(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: Wait
) -> CaseAnswer:
    """Let a case wait until an instant, for documents, a reply or an arrival."""
    at = services.clock()
    return _acted(
        services,
        caller,
        case_id,
        lambda c: owner_rules.wait(c, caller.actor, at, body.until, body.waiting_for, body.text),
    )


@router.post("/cases/{case_id}/escalations", responses=CASE_PROBLEMS)
def escalate_case(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: Note
) -> CaseAnswer:
    """Call for the supervisor of the office of a case, and say why."""
    at = services.clock()
    return _acted(
        services, caller, case_id, lambda c: owner_rules.escalate(c, caller.actor, at, body.text)
    )


@router.post("/cases/{case_id}/notes", responses=CASE_PROBLEMS)
def note_case(services: ServicesAsRead, caller: MayReview, case_id: str, body: Note) -> CaseAnswer:
    """Write something down about a case; `@name` in it tells a colleague who may see the case."""
    at = services.clock()
    case = services.cases.note(Reviewer.from_caller(caller), case_id, at, body.text)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/judgements", responses=CASE_PROBLEMS)
def judge_case(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: FirstJudgement
) -> CaseAnswer:
    """Say what one thinks of a case by its evidence, before its score; once for each reviewer."""
    at = services.clock()
    case = services.cases.judge(Reviewer.from_caller(caller), case_id, at, body.judged_as)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/actions", responses=CASE_PROBLEMS)
def order_action(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: ActionBody
) -> CaseAnswer:
    """Order an action; a hold and a referral to an agency are proposed to a second person.

    Where something was proposed, it is the second person's own view.
    """
    at = services.clock()
    case = services.cases.order(Reviewer.from_caller(caller), case_id, at, body.action())
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/results", responses=CASE_PROBLEMS)
def state_result(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: ResultBody
) -> CaseAnswer:
    """State what the ordered action found; an adverse result waits for a second person.

    Where a result was proposed, it is the second person's own view.
    """
    at = services.clock()
    case = services.cases.state_result(Reviewer.from_caller(caller), case_id, at, body.result)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/agreements", responses=CASE_PROBLEMS)
def agree_with_proposal(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: Judgement | None = None
) -> CaseAnswer:
    """Agree, as a second person, with what was proposed, after a view of one's own."""
    at = services.clock()
    case = services.cases.agree(
        Reviewer.from_caller(caller), case_id, at, body.text if body else ""
    )
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/disagreements", responses=CASE_PROBLEMS)
def disagree_with_proposal(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: Note
) -> CaseAnswer:
    """Disagree, as a second person: one's own view takes the place of what was proposed.

    What was proposed to be opened again stays closed.
    """
    at = services.clock()
    case = services.cases.disagree(Reviewer.from_caller(caller), case_id, at, body.text)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/undo", responses=CASE_PROBLEMS)
def undo_last_act(services: ServicesAsRead, caller: MayReview, case_id: str) -> CaseAnswer:
    """Take back one's own last act, within ten seconds and before anybody else acts."""
    at = services.clock()
    case = services.cases.undo(Reviewer.from_caller(caller), case_id, at)
    return CaseAnswer.from_case(case, at)


@router.post("/cases/{case_id}/reopen", responses=CASE_PROBLEMS)
def reopen_case(
    services: ServicesAsRead, caller: MayReview, case_id: str, body: Note
) -> CaseAnswer:
    """Bring back a case that was closed; of an adverse end two persons do, one after another."""
    at = services.clock()
    return _acted(
        services, caller, case_id, lambda c: statement_rules.reopen(c, caller.actor, at, body.text)
    )


def queued(row: CaseRecord, now: datetime) -> QueuedCase:
    """A case as the queue shows it at an instant."""
    holder = row.holder
    shown = {
        "lane": shown_lane(row.lane),
        "owner": holder and holder.name,
        "owner_id": holder and holder.identity,
        "is_in_time": row.is_in_time(now.isoformat()),
        **declaration_since(amendment_shown(row)),
    }
    return QueuedCase.model_validate(vars(row) | shown)


def _found(
    services: Services, reviewer: Reviewer, row: CaseRecord, now: datetime
) -> dict[str, Any]:
    state = CaseAnswer.from_case(services.cases.state_of(reviewer, row), now)
    names = ("subject_kind", "subject_id", "office_id", "mode", "due_at", "opened_at", "what")
    shown = {name: getattr(row, name) for name in names}
    return dict(state) | shown | {"lane": shown_lane(row.lane)}


def _acted(services: Services, caller: Caller, case_id: str, act: CaseAct) -> CaseAnswer:
    case = services.cases.act(Reviewer.from_caller(caller), case_id, act)
    return CaseAnswer.from_case(case, services.clock())
