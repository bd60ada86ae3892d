"""Cases as they are stored, how a reader asks for them, and where they are stored."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol, Self

from features.submission import Submission
from serving.access.actors import SERVICE, Actor
from serving.history.received_records import ReceivedRecord
from serving.review.acts.attachments import AttachmentQuota
from serving.review.cases.case_state import Status
from serving.review.cases.queue_rank import ALWAYS_IN_TIME
from serving.review.cases.shared_things import SharedThing
from serving.review.search.search_terms import SearchTerm
from serving.triage.lane_rule import VISITED

# Beyond this a lane is full; counting on would cost every page for a figure nobody reads.
MOST_COUNTED = 1_000

UNSEEN = "no case with this id can be seen by you"

ERASED = "erased"
"""What stands where something of a case was; as its status, that nothing of it can be read."""

NOTHING_LEFT = ("{}", ERASED)
"""What an erased event changed, and its text."""

ENDED = ("closed", ERASED)
"""Statuses of cases that nobody works on any more."""


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
        """Whether what it is about can still be stopped at an instant (ISO)."""
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
        """Where it stands in the queue at an instant (ISO)."""
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
        """Whether no more is left of it than who acted, and when."""
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
    """What a reviewer may see: cases of these offices (none means all), on one side of the wall.

    `is_rescue` shows rescues alone, and everything else but rescues without it.
    """

    offices: frozenset[str]
    is_rescue: bool

    def shows(self, row: CaseRecord) -> bool:
        """Whether a case may be seen."""
        is_own_office = not self.offices or row.office_id in self.offices
        return is_own_office and self.is_rescue == (row.lane == "rescue")


QueueTab = Literal[
    "mine", "inbox", "escalated", "unassigned", "waiting", "second_person", "others", "expired"
]
"""A part of what is not closed, as one reader sees it; every such case is in one of them.

Those that wait for a second person are in none else, and those that are over only in `mine` and
`expired`. `inbox` is the part of `unassigned` that is in an inbox of the reader, and `escalated` is
what calls for a supervisor, wherever else it is.
"""


@dataclass(frozen=True)
class InboxFilter:
    """The inboxes of some teams, and of some offices: what none of `known_teams` has there."""

    teams: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    known_teams: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueueFilter:
    """Which cases of the queue; None does not filter. `now` (ISO) ends what was laid aside.

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
    """Which cases of all that may be seen, closed ones too; None does not filter.

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


NewsKind = Literal["outcomes", "journeys", "shipments", "decisions"]
"""What cases are told of: an outcome, a later version of a declaration, a further decision."""


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


QueuePosition = tuple[int, float, str, str]
"""Where a page of the queue ends: 1 of what is over, else 0; risk, due_at, case_id."""

OpenCase = Callable[[int, str], OpenedCase | None]
"""The case of a decision's place in the log and its record; None for a release."""

StoredChange = tuple[CaseRecord, StoredEvent, tuple[ReceivedRecord, ...]]
"""A case after a change, with the event that says so and the outcomes that it states."""

ChangeRow = Callable[[CaseRecord], StoredChange]
"""Makes of a case as it is stored the case after an act; raises where the act is refused."""

RequireOfEvents = Callable[[Sequence[StoredEvent]], None]
"""Raises where what happened to a case so far forbids an act."""


class CaseStore(Protocol):
    """The cases and their events. Every method raises LogUnavailable where it fails."""

    def open_new(self, open_case: OpenCase) -> None:
        """Open cases for all decisions that were logged since the last time."""
        ...

    def page(
        self, access: CaseAccess, queue: QueueFilter, after: QueuePosition | None, limit: int
    ) -> list[CaseRecord]:
        """Cases that wait for a person: in time before what is over, the riskiest first."""
        ...

    def count_queue(self, access: CaseAccess, queue: QueueFilter) -> int:
        """How many cases a filter of the queue lets through; MOST_COUNTED is that many or more."""
        ...

    def count_cases(self, access: CaseAccess, wanted: CaseFilter) -> int:
        """The same of all cases, closed ones too."""
        ...

    def case(self, case_id: str, access: CaseAccess) -> CaseRecord | None:
        """A case, if it exists and may be seen."""
        ...

    def list_cases(self, access: CaseAccess, wanted: CaseFilter, limit: int) -> list[CaseRecord]:
        """The cases that a filter lets through, the newest first."""
        ...

    def search(
        self, access: CaseAccess, asked: CaseSearch, after: str | None, limit: int
    ) -> SearchPage:
        """Cases with an identifier that begins with what was asked for.

        Raises Unprocessable where no page ended with the case `after`.
        """
        ...

    def lacks_terms(self) -> bool:
        """Whether there are older cases that no search finds yet."""
        ...

    def index_older(self, open_case: OpenCase, limit: int) -> int:
        """Make some older cases searchable; how many were looked at."""
        ...

    def scores(self, case_id: str) -> list[CaseScore]:
        """Every score of the subject of a case, in order."""
        ...

    def untold_news(self, limit: int) -> list[CaseNews]:
        """What cases were not told of yet, what came first before the rest."""
        ...

    def remove_news(self, record_id: str) -> None:
        """Let something wait no more: the cases were told, or it changes none."""
        ...

    def decision_of(self, case_id: str) -> str:
        """The id of the decision that counts for a case."""
        ...

    def linked(
        self, case_id: str, kinds: tuple[str, ...], access: CaseAccess, limit: int
    ) -> list[LinkedCase]:
        """The newest other cases that share something of these kinds with this one."""
        ...

    def shared_things(self, case_id: str, access: CaseAccess) -> tuple[SharedThing, ...]:
        """What other cases share with this one: parties, containers, the conveyance."""
        ...

    def tags_in_use(self, access: CaseAccess, limit: int) -> list[str]:
        """Tags of the newest cases that may be seen, in order."""
        ...

    def cases_of(self, case_ids: Iterable[str], access: CaseAccess) -> list[CaseRecord]:
        """The cases with these ids that may be seen, in any order."""
        ...

    def change(
        self,
        case_id: str,
        change: ChangeRow,
        revision: int | None = None,
        require: RequireOfEvents | None = None,
    ) -> CaseRecord:
        """Change a case: of two who try at once, the second sees the first.

        Whatever `require` or `change` raises leaves everything as it was. Raises Conflict for a
        case that was changed behind the service's back, CaseChanged for one of another `revision`.
        """
        ...

    def revision(self, case_id: str) -> int:
        """How many events changed a case or told something new of it."""
        ...

    def append_event(self, event: StoredEvent) -> None:
        """Store an event that changes no case: who read it, for instance."""
        ...

    def events(self, case_id: str) -> list[StoredEvent]:
        """The events of a case, in order."""
        ...

    def newest_event(self, case_id: str, but: frozenset[str]) -> StoredEvent | None:
        """The newest event of a case that is none of these actions; raises Conflict."""
        ...

    def running_out(
        self, span: tuple[str, str], after: tuple[str, str] | None, limit: int
    ) -> list[CaseRecord]:
        """Cases that wait for a person, are not escalated and end in a span, the next ones first.

        `after` is the end and the id of the last case of the page before. Not those that no time
        is over for.
        """
        ...

    def opened_to(self) -> int:
        """The place in the log up to which cases were opened."""
        ...

    def count_unopened(self) -> int:
        """How many decisions no case was looked for yet; releases are among them."""
        ...


class CaseLoadStore(Protocol):
    """How cases are got through. Every method raises LogUnavailable where it fails."""

    def acts_between(
        self, actions: tuple[str, ...], span: tuple[str, str], access: CaseAccess
    ) -> list[ActOnCase]:
        """Every event of these kinds from an instant up to, not including, another, in order."""
        ...

    def case_times(
        self, access: CaseAccess, opened: tuple[str, str], deciding: tuple[str, ...], now: str
    ) -> list[CaseTimes]:
        """The times of cases that were opened in a span, or wait now; `deciding` are actions."""
        ...

    def closed_case(self, access: CaseAccess, not_by: Actor, draw: int) -> CaseRecord | None:
        """One closed case that somebody else ended, drawn at random; None where there is none."""
        ...

    def oldest_waiting(self, access: CaseAccess, now: str) -> dict[str, str]:
        """When the oldest case that waits in each lane was opened."""
        ...

    def count_overdue(self, lane: str, now: str) -> int:
        """How many cases that wait in a lane are due by now, of all offices."""
        ...

    def count_waiting(self, lanes: Iterable[str], access: CaseAccess, now: str) -> dict[str, int]:
        """How many cases wait in each lane; MOST_COUNTED stands for that many or more."""
        ...


class CaseFileStore(Protocol):
    """The files of cases. Every method raises LogUnavailable where it fails."""

    def attach(
        self,
        file: CaseFile,
        content: bytes,
        event: StoredEvent,
        access: CaseAccess,
        limit: int,
        quota: AttachmentQuota,
    ) -> None:
        """Store a file with the event that records it.

        Raises NotFound for a case that may not be seen by then, AlreadyAttached, Unprocessable for
        one that has `limit` files or too many bytes, or ServingError for who attached too much.
        """
        ...

    def of_case(self, case_id: str) -> list[CaseFile]:
        """The files of a case, the first attached first."""
        ...

    def content(self, case_id: str, sha256: str) -> tuple[CaseFile, bytes] | None:
        """A file of a case; None where the case has none such, or its content was deleted."""
        ...
