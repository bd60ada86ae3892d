"""Response bodies for calls about cases, and their problems."""

from datetime import datetime

from pydantic import BaseModel

from features.records import SubjectKind
from serving.api.entities import EntityAnswer
from serving.api.openapi import problems
from serving.review.cases.actions import ActionKind, CaseAction, ReferredTo
from serving.review.cases.case_state import Amendment, Case, Status, WaitingFor, status_at
from serving.review.cases.results import ResultCode
from serving.triage.lane_declarations import ScoreLane, ShownLane

CASE_PROBLEMS = problems(
    s404="No such case, or none that this key may see.",
    s409="Another was faster, the case is not in a state for this, or not as `If-Match` says.",
    s422="The body or `If-Match` is refused.",
)


class ActionAnswer(BaseModel):
    """The action that was ordered or proposed."""

    kind: ActionKind
    refer_to: ReferredTo | None
    destination: str | None
    text: str

    @classmethod
    def from_action(cls, action: CaseAction | None) -> "ActionAnswer | None":
        """Return the response for an action; None if there is none."""
        return cls.model_validate(vars(action)) if action else None


class CaseAnswer(BaseModel):
    """A case as it is now.

    `owner` is a name, `owner_id` the identity behind it, which never changes. `proposed_action` and
    `proposed_result` wait for a second person, who sees them only after giving a view of their own;
    until then `is_view_needed` is true. `is_reopening_proposed` waits for a second person too.
    While nobody owns the case, it is in the inbox of `team`, or else in that of its office.
    `is_escalated` calls for the supervisor of its office. `tags` were set by officers.
    `declaration_amended_at` and `declaration_withdrawn_at` say since when an amendment or a
    withdrawal of the declaration is known: at most one of the two is set.
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
        """Return the response for a case at an instant, as its reader may see it."""
        # Already redacted for a possible second person (`as_seen_by`).
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
    """Return the time since which an amendment or a withdrawal is known, one of the two."""
    is_withdrawn = amendment is not None and amendment.is_withdrawn
    known_at = amendment.known_at if amendment else None
    return {
        "declaration_amended_at": None if is_withdrawn else known_at,
        "declaration_withdrawn_at": known_at if is_withdrawn else None,
    }


class QueuedCase(BaseModel):
    """A case as the queue shows it; a control case looks like any other inspection.

    `is_in_time` says whether the consignment or journey can still be stopped; cases where it
    cannot come last.
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
    """A page of the queue; `next` is the cursor of the next page."""

    cases: list[QueuedCase]
    next: str | None


class CaseScoreAnswer(BaseModel):
    """One score of the subject of a case; a control case looks like any other inspection."""

    decision_id: str
    scored_at: datetime
    lane: ScoreLane


class FoundCase(CaseAnswer):
    """A case and its subject, as the caller may see them."""

    subject_kind: SubjectKind
    subject_id: str
    office_id: str | None
    mode: str | None
    lane: ShownLane
    due_at: datetime
    opened_at: datetime
    what: str


class WholeCase(FoundCase):
    """A case with every score of its subject, the newest last, and the entities it names.

    `revision` counts its changes. In quotation marks it is the `ETag`, to send as `If-Match`.
    """

    revision: int
    scores: list[CaseScoreAnswer]
    entities: list[EntityAnswer]


class MatchedTerm(BaseModel):
    """An identifier that begins with the search term, and its role in the case."""

    names: list[str]
    value: str


class ListedCase(FoundCase):
    """A case of a list; `matched` says why a search found it and is empty without a search."""

    matched: list[MatchedTerm] = []


class CasePage(BaseModel):
    """Cases, the newest first; `next` is the cursor of the next page.

    A search lists whole matches first, then sorts by identifier. Each page examines a limited
    number of cases, so a short or empty page is the last one only if `next` is null.
    """

    cases: list[ListedCase]
    next: str | None
