"""Stored cases, the filters and pages of their lists, and what a store takes and returns."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Self

from features.submission import Submission
from serving.access.actors import SERVICE, Actor
from serving.history.received_records import ReceivedRecord
from serving.review.cases.case_state import Status
from serving.review.search.search_terms import SearchTerm
from serving.triage.lane_declarations import ALWAYS_IN_TIME, VISITED

# Counting further would slow every page for a number that nobody reads.
MAX_COUNTED = 1_000

UNSEEN = "no case with this id can be seen by you"

# Replaces erased content; as a status, it means that nothing of the case is readable.
ERASED = "erased"

# The changes and the text that remain of an erased event.
NOTHING_LEFT = ("{}", ERASED)

# Statuses of cases on which nobody works any more.
ENDED = ("closed", ERASED)


@dataclass(frozen=True)
class CaseRow:
    """A case row: `state` holds the whole case, the other fields serve search and order.

    `owner` is an identity, stored with its name. `risk` and `due_at` order the queue; a control
    case has the risk of an inspection. `case_id` is the id of the subject's first decision,
    `decision_id` that of the current one after it was scored again, else None. `team` is the inbox
    while the case has no owner; None means its office's inbox.
    """

    case_id: str
    seq: int
    subject_kind: str
    subject_id: str
    office_id: str | None
    lane: str
    mode: str | None
    rank: int
    due_at: datetime
    opened_at: datetime
    status: str
    owner: str | None
    waiting_until: datetime | None
    what: str
    why: str
    state: str
    decision_id: str | None = None
    owner_name: str | None = None
    risk: float | None = None
    team: str | None = None
    escalated_at: datetime | None = None

    @property
    def holder(self) -> Actor | None:
        """The owner; None if there is none."""
        return None if self.owner is None else Actor(self.owner, self.owner_name or "")

    def scored_again(self, again: Self) -> Self | None:
        """Return the row after a later decision about its subject; None if nothing changes.

        A later decision may raise a case. It never lowers one that has an owner or is to be
        inspected, and never touches a closed one. A new arrival time moves the deadline.
        """
        is_worked_on = self.owner is not None or self.status != "open"
        is_lower = again.rank > self.rank
        if self.status == "closed" or (is_lower and (is_worked_on or self.lane in VISITED)):
            return None
        return replace(
            self,
            due_at=again.due_at if again.mode else self.due_at,  # without a journey none is known
            lane=again.lane,
            rank=again.rank,
            risk=again.risk,
            why=again.why,
            decision_id=again.decision_id,
        )

    def is_in_time(self, now: datetime) -> bool:
        """Return whether its subject can still be stopped at an instant."""
        return self.due_at > now or self.lane in ALWAYS_IN_TIME

    def hours_left(self, submission: Submission | None, now: datetime) -> float | None:
        """Return the hours until the deadline, negative after it; None if there is none.

        Some lanes have no deadline, and without a journey the arrival is unknown.
        """
        is_due_known = submission is None or submission.journey is not None
        if self.lane in ALWAYS_IN_TIME or not is_due_known:
            return None
        return (self.due_at - now) / timedelta(hours=1)

    def queue_position(self, now: datetime) -> "QueuePosition":
        """Return its sort key in the queue at an instant."""
        return int(not self.is_in_time(now)), self.risk or 0.0, self.due_at, self.case_id

    def apart(self) -> Self:
        """Return the row as a case of its own, for a rescue after the subject's case has ended."""
        case_id = self.decision_id or self.case_id
        state = json.dumps(json.loads(self.state) | {"case_id": case_id})
        return replace(self, case_id=case_id, decision_id=None, state=state)


@dataclass(frozen=True)
class CaseLink:
    """One thing that cases may share: a container, a party, goods or a route.

    `roles` are its roles in the case, joined by commas.
    """

    case_id: str
    seq: int
    kind: str
    value: str
    roles: str | None = None


@dataclass(frozen=True)
class StoredEvent:
    """One act on a case; `changed` is JSON of field to [old, new].

    `actor` is an identity, and `actor_name` the name to show.
    """

    case_id: str
    at: datetime
    actor: str
    action: str
    changed: str
    text: str
    actor_name: str = ""

    @property
    def by(self) -> Actor:
        """The principal who acted."""
        return Actor(self.actor, self.actor_name)

    @property
    def is_erased(self) -> bool:
        """Return whether only its author and time remain."""
        return (self.changed, self.text) == NOTHING_LEFT


def scored_again_event(before: CaseRow, again: CaseRow) -> StoredEvent:
    """Return the event of scoring a case's subject again."""
    changed = {"lane": [before.lane, again.lane]} if before.lane != again.lane else {}
    if again.mode and before.due_at != again.due_at:
        changed["due_at"] = [before.due_at.isoformat(), again.due_at.isoformat()]
    return StoredEvent(
        again.case_id,
        again.opened_at,
        SERVICE.identity,
        "score_again",
        json.dumps(changed),
        "",
        SERVICE.name,
    )


@dataclass(frozen=True)
class LinkedCase:
    """Another case, and what it shares: pairs of a kind and a value."""

    case: CaseRow
    shared: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CaseAccess:
    """The cases that a reviewer may see: of these offices (empty means all), on one side.

    With `is_rescue` only rescues are visible, without it everything else.
    """

    offices: frozenset[str]
    is_rescue: bool

    def shows(self, row: CaseRow) -> bool:
        """Return whether a case may be seen."""
        is_own_office = not self.offices or row.office_id in self.offices
        return is_own_office and self.is_rescue == (row.lane == "rescue")


# A part of the open cases, as one reader sees it; every open case is in at least one. A case that
# waits for a second person is in no other tab, an expired one only in `mine` and `expired`. `inbox`
# is the part of `unassigned` in the reader's own inbox; `escalated` overlaps the others.
QueueTab = Literal[
    "mine", "inbox", "escalated", "unassigned", "waiting", "second_person", "others", "expired"
]


@dataclass(frozen=True)
class InboxFilter:
    """Inboxes of teams and of offices; an office's holds what no `known_teams` has."""

    teams: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    known_teams: tuple[str, ...] = ()


# The order of a queue other than by risk; "-" reverses it.
QueueOrder = Literal["due", "-due", "opened", "-opened", "owner", "-owner"]


@dataclass(frozen=True)
class QueueFilter:
    """A filter of the queue; None does not filter. `now` decides which waits have ended.

    `owner` is an identity or a name. A `tab` needs `reader`, the identity of its reader, and
    `own_inbox`, theirs; it includes waiting cases. `after_seq` selects cases opened after that
    number in the log.
    """

    now: datetime
    lanes: tuple[str, ...] = ()
    office_id: str | None = None
    mode: str | None = None
    owner: str | None = None
    is_unowned: bool = False
    opened_before: datetime | None = None
    is_in_time: bool | None = None
    tab: QueueTab | None = None
    reader: str = ""
    own_inbox: InboxFilter = InboxFilter()
    inbox: InboxFilter | None = None
    after_seq: int | None = None
    tag: str | None = None


@dataclass(frozen=True)
class CaseFilter:
    """A filter of all visible cases, including closed ones; None does not filter.

    `owner` is an identity or a name. `before` is the end of the page before: the negative sequence
    number of its last case, and its id.
    """

    statuses: tuple[Status, ...] = ()
    subject_kind: str | None = None
    subject_id: str | None = None
    office_id: str | None = None
    mode: str | None = None
    owner: str | None = None
    before: tuple[int, str] | None = None
    tag: str | None = None


@dataclass(frozen=True)
class CaseSearch:
    """A search: the normalised prefix of identifiers, and a filter of cases."""

    symbols: str
    wanted: CaseFilter = CaseFilter()


@dataclass(frozen=True)
class MatchedCase:
    """A case that was found, with its identifiers that match."""

    case: CaseRow
    matched: tuple[SearchTerm, ...]


@dataclass(frozen=True)
class ListedCases:
    """A page of all cases, including closed ones, newest first.

    `next` is the position of the last row examined, from which the next page continues. Some lists
    leave out masked cases, so a page may be short or empty without being the last.
    """

    found: tuple[CaseRow, ...]
    next: tuple[int, str] | None


@dataclass(frozen=True)
class SearchPage:
    """A page of search results: whole matches first, then by identifier, newest first.

    `next` is the id of the case after which the next page begins. Each page examines a limited
    number of rows before filters apply, so it may be short or empty without being the last.
    """

    found: tuple[MatchedCase, ...]
    next: str | None


@dataclass(frozen=True)
class CaseScore:
    """One decision about a case's subject: its id, time and lane."""

    decision_id: str
    scored_at: datetime
    lane: str


@dataclass(frozen=True)
class CaseTimes:
    """The times of a case: opened, deadline, first step.

    `decided_at` is None until something is ordered, proposed, found or closed.
    """

    case_id: str
    office_id: str | None
    lane: str
    opened_at: datetime
    due_at: datetime
    is_waiting: bool
    decided_at: datetime | None = None


@dataclass(frozen=True)
class ActOnCase:
    """A case event with the case's current lane and office, and whether it is closed."""

    event: StoredEvent
    lane: str
    office_id: str | None
    is_closed: bool


# News about a subject: an outcome, a later version of a declaration, a further decision.
NewsKind = Literal["outcomes", "journeys", "shipments", "decisions"]


@dataclass(frozen=True)
class CaseNews:
    """A news item for cases: its record or decision, the cases concerned, and its JSON body.

    A subject that was submitted several times has several cases. `body` is None if it was erased. A
    journey is superseded if a later version arrived before it.
    """

    record_id: str
    kind: NewsKind
    case_ids: tuple[str, ...]
    body: str | None
    is_superseded: bool = False


@dataclass(frozen=True)
class CaseFile:
    """A file of a case without its content; `sha256` is of the content, in hexadecimal.

    `attached_by` is an identity, stored with its name.
    """

    case_id: str
    sha256: str
    name: str
    media_type: str
    size_bytes: int
    attached_at: datetime
    attached_by: str
    attached_by_name: str = ""

    @property
    def attacher(self) -> Actor:
        """The principal who attached it."""
        return Actor(self.attached_by, self.attached_by_name)


class OpenedCase(NamedTuple):
    """A new case with its links and search terms."""

    case: CaseRow
    links: list[CaseLink]
    terms: tuple[SearchTerm, ...]


# The end of a page: 1 if its last case is past its deadline, else 0; risk, due_at, case_id.
QueuePosition = tuple[int, float, datetime, str]

# Makes the case of a decision from its sequence number and record; None for a release.
OpenCase = Callable[[int, str], OpenedCase | None]

# A case after a change, the event of the change, and the outcomes that it states.
StoredChange = tuple[CaseRow, StoredEvent, tuple[ReceivedRecord, ...]]

# Applies an act to a stored case; raises if the act is refused.
ChangeRow = Callable[[CaseRow], StoredChange]

# Raises if the earlier events of a case forbid an act.
RequireOfEvents = Callable[[Sequence[StoredEvent]], None]
