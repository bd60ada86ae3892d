"""The feed of case events for other systems, in strict order.

An event reports what is in force: what was opened, ordered, found and closed. Proposals are not
published, because a possible second person might read them here. Events name no officer and no
reason for a selection or decision: anyone who carries out an action needs neither.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

from pydantic import TypeAdapter

from features.records import SubjectKind
from serving.access.acting import add_audit_details
from serving.access.callers import Caller
from serving.audit.masking import Masking
from serving.errors import RequestFault, Unprocessable
from serving.review.cases.actions import ActionKind, CaseAction, ReferredTo
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_records import CaseAccess, CaseRow, CaseScore, StoredEvent
from serving.review.cases.case_state import Case, Statement, WaitingFor
from serving.review.cases.results import ResultCode
from serving.triage.lane_declarations import ScoreLane, shown_lane, shown_score_lane

if TYPE_CHECKING:
    from serving.storage.repositories.published_event_repository import PublishedEventRepository

EventType = Literal[
    "tidegate.case.opened",
    "tidegate.case.score_appended",
    "tidegate.case.assigned",
    "tidegate.case.given_back",
    "tidegate.case.waiting",
    "tidegate.case.escalated",
    "tidegate.case.action_ordered",
    "tidegate.case.action_withdrawn",
    "tidegate.case.result_stated",
    "tidegate.case.closed",
    "tidegate.case.reopened",
    "tidegate.case.declaration_amended",
    "tidegate.case.declaration_withdrawn",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
Content = Literal["whole", "masked", "erased"]


@dataclass(frozen=True)
class OrderedAction:
    """An ordered action, without the officer's words."""

    kind: ActionKind
    refer_to: ReferredTo | None = None
    destination: str | None = None

    @classmethod
    def from_action(cls, action: CaseAction | None) -> "OrderedAction | None":
        """Return the published part of an action; None if there is no action."""
        return cls(action.kind, action.refer_to, action.destination) if action else None


@dataclass(frozen=True)
class EventDetails:
    """The details of an event besides its type; None if it has none."""

    lane: ScoreLane | None = None
    action: OrderedAction | None = None
    result: ResultCode | None = None
    waiting_until: datetime | None = None
    waiting_for: WaitingFor | None = None


NO_DETAILS = EventDetails()
DETAILS: TypeAdapter[EventDetails] = TypeAdapter(EventDetails)


@dataclass(frozen=True)
class FeedItem:
    """One published event of a case: `office_id` has it now, `left_office_id` had it before.

    `decision_id` is the decision that counted for the case at the time.
    """

    event_id: str
    case_id: str
    type: EventType
    at: datetime
    decision_id: str
    office_id: str | None
    left_office_id: str | None
    details: EventDetails | None


@dataclass(frozen=True)
class FeedEntry:
    """A published event, with the case as it is stored now."""

    happening: FeedItem
    case: CaseRow


@dataclass(frozen=True)
class FeedAccess:
    """The part of the feed for a reader: cases of offices, or its own submissions.

    Both offices receive the event by which a case moves between them.
    """

    cases: CaseAccess
    submitted_by: str | None = None

    @classmethod
    def from_caller(cls, caller: Caller) -> "FeedAccess":
        """Return a caller's part of the feed; one that only submits gets its own cases."""
        if caller.may("review") or caller.may("rescue") or caller.may("events"):
            return cls(CaseAccess(caller.offices, caller.may("rescue")))
        return cls(CaseAccess(frozenset(), is_rescue=False), caller.key_id)


@dataclass(frozen=True)
class FeedPage:
    """A page of the feed, in order; the next one begins after the event `reached`.

    `reached` is None if there is no event yet.
    """

    entries: list[FeedEntry]
    reached: str | None
    has_more: bool


@dataclass(frozen=True)
class PublishedEvent:
    """One thing that became of a case, as other systems get it.

    `decision_id` is the decision that counted for it then, `office_id` who has it since. Of a
    `masked` case the subject has a short name, of an `erased` one none, and of both no more is
    told than the type. `action` and `result` are told where something was ordered, found or ended.
    """

    id: str
    type: EventType
    time: datetime
    case_id: str
    subject_kind: SubjectKind
    subject_id: str | None
    decision_id: str
    office_id: str | None
    content: Content
    lane: ScoreLane | None
    action: OrderedAction | None
    result: ResultCode | None
    waiting_until: datetime | None
    waiting_for: WaitingFor | None


@dataclass(frozen=True)
class PublishedEvents:
    """The feed as a reader may see it."""

    feed: "PublishedEventRepository"
    masking: Masking

    def page(
        self, access: FeedAccess, after: str | None, limit: int
    ) -> tuple[list[PublishedEvent], FeedPage]:
        """Return the events after a given one, and the page as stored.

        Raises Unprocessable for an unknown event, for example after a restore of an older copy.
        """
        page = self.feed.page(access, after, limit)
        if page is None:
            fault = RequestFault("/after", "cursor", "want the `next` of a page")
            raise Unprocessable("this cursor did not come from a page", (fault,))
        events = [self.shown(entry) for entry in page.entries]
        add_audit_details(cases=list(dict.fromkeys(event.case_id for event in events)))
        return events, page

    def shown(self, entry: FeedEntry) -> PublishedEvent:
        """Return an event as it may be seen now: masked or erased with its case."""
        told, case = entry.happening, entry.case
        subject_id: str | None = case.subject_id
        content: Content = "whole"
        if told.details is None:
            content, subject_id = "erased", None
        # Events are stored whole; masks apply when they are read.
        elif self.masking.covers(case.subject_kind, case.subject_id, case.opened_at):
            content, subject_id = "masked", self.masking.name(case.subject_id)
        # Masked and erased events reveal nothing beyond their type.
        details = told.details if content == "whole" else None
        return PublishedEvent(
            told.event_id,
            told.type,
            told.at,
            told.case_id,
            case.subject_kind,  # type: ignore[arg-type]  # one of two, as it was stored
            subject_id,
            told.decision_id,
            told.office_id,
            content,
            **vars(details or NO_DETAILS),
        )


def opening_of(case: CaseRow) -> FeedItem:
    """Return the event of a case that was opened."""
    details = EventDetails(lane=shown_lane(case.lane))
    return _happening(case, "tidegate.case.opened", case.opened_at, details)


def further_score(score: CaseScore, case_id: str, office_id: str | None) -> FeedItem:
    """Return the event of a further score of a case's subject."""
    return FeedItem(
        _new_id(),
        case_id,
        "tidegate.case.score_appended",
        score.scored_at,
        score.decision_id,
        office_id,
        None,
        EventDetails(lane=shown_score_lane(score.lane)),
    )


def happenings_of_act(before: CaseRow, after: CaseRow, act: StoredEvent) -> list[FeedItem]:
    """Return the published events of one act, in order; there may be none."""
    # The former office is named only with the action that moved the case.
    left = before.office_id if before.office_id != after.office_id else None
    return [
        _happening(after, type_, act.at, details, left if details.action else None)
        for type_, details in _changes(CASE.validate_json(before.state), after, act)
    ]


def _changes(
    was: Case, after: CaseRow, act: StoredEvent
) -> Iterator[tuple[EventType, EventDetails]]:
    case = CASE.validate_json(after.state)
    if case.amendment is not None and case.amendment != was.amendment:
        kind: EventType = "tidegate.case.declaration_amended"
        withdrawn: EventType = "tidegate.case.declaration_withdrawn"
        yield withdrawn if case.amendment.is_withdrawn else kind, NO_DETAILS
    yield from _orders(was, case, act.action)
    if case.status == "closed":
        yield from _end(was, case)
        return
    if was.status == "closed":
        yield "tidegate.case.reopened", NO_DETAILS
    if was.owner != case.owner:
        named: EventType = "tidegate.case.assigned" if case.owner else "tidegate.case.given_back"
        yield named, NO_DETAILS
    if act.action == "wait" and case.waiting_until is not None:
        waits = EventDetails(waiting_until=case.waiting_until, waiting_for=case.waiting_for)
        yield "tidegate.case.waiting", waits
    if case.escalation is not None and case.escalation != was.escalation:
        yield "tidegate.case.escalated", NO_DETAILS


def _orders(was: Case, case: Case, act: str) -> Iterator[tuple[EventType, EventDetails]]:
    """Yield the actions that an act withdrew and ordered."""
    action = OrderedAction.from_action(case.action)
    is_taken_back = act == "undo" and was.action is not None and was.action != case.action
    if is_taken_back:
        withdrawn = EventDetails(action=OrderedAction.from_action(was.action))
        yield "tidegate.case.action_withdrawn", withdrawn
    # Undo restores the earlier action, which is then in force again.
    if _is_ordered(was, case, act) or (is_taken_back and action is not None):
        yield "tidegate.case.action_ordered", EventDetails(action=action)


def _end(was: Case, case: Case) -> Iterator[tuple[EventType, EventDetails]]:
    """Yield the events of a case that was open and has closed."""
    # A note on a closed case must not publish its end again.
    if was.status == "closed":
        return
    code = case.result.code if case.result else None
    ended = EventDetails(action=OrderedAction.from_action(case.action), result=code)
    if code is not None:
        yield "tidegate.case.result_stated", ended
    yield "tidegate.case.closed", ended


def _is_ordered(was: Case, case: Case, act: str) -> bool:
    """Return whether an act ordered the case's current action."""
    if act == "order_action":
        return True
    if act not in ("agree", "disagree") or was.proposal is None or case.proposal is not None:
        return False
    # The statement that came into force: the proposal, or the view that replaced it.
    counted: Statement | None = was.proposal if act == "agree" else was.second_view
    return counted is not None and counted.action is not None


def _happening(
    case: CaseRow,
    type_: EventType,
    at: datetime,
    details: EventDetails,
    left_office_id: str | None = None,
) -> FeedItem:
    return FeedItem(
        _new_id(),
        case.case_id,
        type_,
        at,
        case.decision_id or case.case_id,
        case.office_id,
        left_office_id,
        details,
    )


def _new_id() -> str:
    return f"evt_{secrets.token_hex(16)}"
