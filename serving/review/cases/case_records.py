"""Cases as they are stored, how a reader asks for them, and where they are stored."""

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

# Beyond this a lane is full; counting on would cost every page for a figure nobody reads.
MOST_COUNTED = 1_000

UNSEEN = "no case with this id can be seen by you"

# What stands where something of a case was; as its status, that nothing of it can be read.
ERASED = "erased"

# What an erased event changed, and its text.
NOTHING_LEFT = ("{}", ERASED)

# Statuses of cases that nobody works on any more.
ENDED = ("closed", ERASED)


@dataclass(frozen=True)
class CaseRecord:
    """A case as it is stored: `state` holds all of it, the rest is there to find and order it by.

    `owner` is an identity, with its name beside it. `risk` and `due_at` order the queue; a control
    case has the risk of an inspection. `case_id` is the id of the first decision of its subject,
    `decision_id` of the one that counts since it was scored again, None where it was not. `team` is
    the one in whose inbox it is while nobody has it, None for the inbox of its office.
    """

    case_id: str
    seq: int
    subject_kind: str
    subject_id: str
    office_id: str | None
    lane: str
    mode: str | None
    rank: int
    due_at: str
    opened_at: str
    status: str
    owner: str | None
    waiting_until: str | None
    what: str
    why: str
    state: str
    decision_id: str | None = None
    owner_name: str | None = None
    risk: float | None = None
    team: str | None = None
    escalated_at: str | None = None

    @property
    def holder(self) -> Actor | None:
        """Who works on it."""
        return None if self.owner is None else Actor.stored(self.owner, self.owner_name)

    def scored_again(self, again: Self) -> Self | None:
        """The case after a later decision about its subject; None where that changes nothing.

        A later decision may raise a case. It lowers none that somebody works on or is to visit,
        and none that was closed is touched. A journey that is due at another instant by now moves
        the end of the case.
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

    def is_in_time(self, now: str) -> bool:
        """Return whether what it is about can still be stopped at an instant (ISO)."""
        return self.due_at > now or self.lane in ALWAYS_IN_TIME

    def hours_left(self, submission: Submission | None, now: datetime) -> float | None:
        """For how long what it is about can still be stopped; below 0 once that is over.

        None of what no time is over for, or of which no journey says when it is due.
        """
        is_due_known = submission is None or submission.journey is not None
        if self.lane in ALWAYS_IN_TIME or not is_due_known:
            return None
        return (datetime.fromisoformat(self.due_at) - now) / timedelta(hours=1)

    def queue_position(self, now: str) -> "QueuePosition":
        """Return where it stands in the queue at an instant (ISO)."""
        return int(not self.is_in_time(now)), self.risk or 0.0, self.due_at, self.case_id

    def apart(self) -> Self:
        """The case of a decision by itself: a rescue, where the subject's own case has ended."""
        case_id = self.decision_id or self.case_id
        state = json.dumps(json.loads(self.state) | {"case_id": case_id})
        return replace(self, case_id=case_id, decision_id=None, state=state)


@dataclass(frozen=True)
class CaseLink:
    """One thing that a case may share with others: a container, a party, goods, a route.

    `roles` are those by which the case names it, with commas between; None in an older case.
    """

    case_id: str
    seq: int
    kind: str
    value: str
    roles: str | None = None


@dataclass(frozen=True)
class StoredEvent:
    """One act on a case; `changed` is JSON with the old and the new of every field.

    `actor` is an identity; without a name beside it, an older release stored a name there.
    """

    case_id: str
    at: str
    actor: str
    action: str
    changed: str
    text: str
    actor_name: str | None = None

    @property
    def by(self) -> Actor:
        """Who acted."""
        return Actor.stored(self.actor, self.actor_name)

    @property
    def is_erased(self) -> bool:
        """Return whether no more is left of it than who acted, and when."""
        return (self.changed, self.text) == NOTHING_LEFT


def scored_again_event(before: CaseRecord, again: CaseRecord) -> StoredEvent:
    """The event of a case whose subject was scored again."""
    changed = {"lane": [before.lane, again.lane]} if before.lane != again.lane else {}
    if again.mode and before.due_at != again.due_at:
        changed["due_at"] = [before.due_at, again.due_at]
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

    case: CaseRecord
    shared: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CaseAccess:
    """The cases that a reviewer may see: of these offices (none means all), on one side.

    `is_rescue` shows rescues alone, and everything else but rescues without it.
    """

    offices: frozenset[str]
    is_rescue: bool

    def shows(self, row: CaseRecord) -> bool:
        """Return whether a case may be seen."""
        is_own_office = not self.offices or row.office_id in self.offices
        return is_own_office and self.is_rescue == (row.lane == "rescue")


# A part of what is not closed, as one reader sees it; every such case is in one of them. Those
# that wait for a second person are in none else, and those that are over only in `mine` and
# `expired`. `inbox` is the part of `unassigned` that is in an inbox of the reader, and `escalated`
# is what calls for a supervisor, wherever else it is.
QueueTab = Literal[
    "mine", "inbox", "escalated", "unassigned", "waiting", "second_person", "others", "expired"
]


@dataclass(frozen=True)
class InboxFilter:
    """The inboxes of some teams, and of some offices: what none of `known_teams` has there."""

    teams: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    known_teams: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueueFilter:
    """A filter of the queue; None does not filter. `now` (ISO) ends waits.

    `owner` is an identity or a name. Of a `tab`, `reader` is the identity of whoever reads it, and
    `own_inbox` is theirs; it shows what waits for something too. `after_seq` lets through what was
    opened since.
    """

    now: str
    lanes: tuple[str, ...] = ()
    office_id: str | None = None
    mode: str | None = None
    owner: str | None = None
    is_unowned: bool = False
    opened_before: str | None = None
    is_in_time: bool | None = None
    tab: QueueTab | None = None
    reader: str = ""
    own_inbox: InboxFilter = InboxFilter()
    inbox: InboxFilter | None = None
    after_seq: int | None = None
    tag: str | None = None


@dataclass(frozen=True)
class CaseFilter:
    """A filter of all cases that may be seen, closed ones too; None does not filter.

    `owner` is an identity or a name; `before` is where the page before ended: the place of its last
    case, negative, and its id.
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
    """A search: what identifiers begin with, normalised, and which cases are wanted."""

    symbols: str
    wanted: CaseFilter = CaseFilter()


@dataclass(frozen=True)
class MatchedCase:
    """A case that was found, and which of its identifiers begin with what was asked for."""

    case: CaseRecord
    matched: tuple[SearchTerm, ...]


@dataclass(frozen=True)
class ListedCases:
    """A page of all cases, closed ones too, the newest first.

    `next` is the place of the last that was looked at, `before` which the next page begins. Masked
    ones are left out of some lists: a page may have fewer cases than were asked for, or none, and
    not be the last.
    """

    found: tuple[CaseRecord, ...]
    next: tuple[int, str] | None


@dataclass(frozen=True)
class SearchPage:
    """A page of cases: whole matches first, then by identifier; of one, the newest first.

    `next` is the id of the case after which the next page begins. A page may have fewer cases than
    were asked for, or none, and not be the last: each looks at so many that filters let through.
    """

    found: tuple[MatchedCase, ...]
    next: str | None


@dataclass(frozen=True)
class CaseScore:
    """One decision about the subject of a case: when it was scored, and into which lane."""

    decision_id: str
    scored_at: str
    lane: str


@dataclass(frozen=True)
class CaseTimes:
    """When a case was opened, until when it can be stopped, and when a first step was taken.

    Instants are ISO; `decided_at` is None while nothing was ordered, proposed, found or ended.
    """

    case_id: str
    office_id: str | None
    lane: str
    opened_at: str
    due_at: str
    is_waiting: bool
    decided_at: str | None = None


@dataclass(frozen=True)
class ActOnCase:
    """An event of a case, with the lane and the office that has the case now, and if it ended."""

    event: StoredEvent
    lane: str
    office_id: str | None
    is_closed: bool


# What cases are told of: an outcome, a later version of a declaration, a further decision.
NewsKind = Literal["outcomes", "journeys", "shipments", "decisions"]


@dataclass(frozen=True)
class CaseNews:
    """Something that cases are to be told: of which record or decision, which cases, and its JSON.

    A subject that was submitted several times has as many cases. Of what was erased there is no
    body. A journey of which a later version had come before is superseded.
    """

    record_id: str
    kind: NewsKind
    case_ids: tuple[str, ...]
    body: str | None
    is_superseded: bool = False


@dataclass(frozen=True)
class CaseFile:
    """A file of a case, without its content; `sha256` is that of the content, hexadecimal.

    `attached_by` is an identity, with its name beside it.
    """

    case_id: str
    sha256: str
    name: str
    media_type: str
    size_bytes: int
    attached_at: str
    attached_by: str
    attached_by_name: str | None = None

    @property
    def attacher(self) -> Actor:
        """Who attached it."""
        return Actor.stored(self.attached_by, self.attached_by_name)


class OpenedCase(NamedTuple):
    """The case that a decision opens, with its links and by what it is found."""

    case: CaseRecord
    links: list[CaseLink]
    terms: tuple[SearchTerm, ...]


# Where a page of the queue ends: 1 of what is over, else 0; risk, due_at, case_id.
QueuePosition = tuple[int, float, str, str]

# The case of a decision's place in the log and its record; None for a release.
OpenCase = Callable[[int, str], OpenedCase | None]

# A case after a change, with the event that says so and the outcomes that it states.
StoredChange = tuple[CaseRecord, StoredEvent, tuple[ReceivedRecord, ...]]

# Makes of a case as it is stored the case after an act; raises where the act is refused.
ChangeRow = Callable[[CaseRecord], StoredChange]

# Raises where what happened to a case so far forbids an act.
RequireOfEvents = Callable[[Sequence[StoredEvent]], None]
