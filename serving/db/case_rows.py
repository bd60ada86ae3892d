"""Rows of cases, what hangs on them, and how a reader asks for them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CaseRow:
    """A case as it is kept: `state` holds all of it, the rest is there to find and order it by.

    `rank` and `due_at` order the queue; `case_id` is the id of the decision that opened it.
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
    snoozed_until: str | None
    what: str
    why: str
    state: str


@dataclass(frozen=True)
class LinkRow:
    """One thing that a case shares with others: a container, a party, goods, a way."""

    case_id: str
    seq: int
    kind: str
    value: str


@dataclass(frozen=True)
class EventRow:
    """One act on a case; `changed` is JSON with the old and the new of every field."""

    case_id: str
    at: str
    actor: str
    action: str
    changed: str
    text: str


@dataclass(frozen=True)
class Linked:
    """Another case, and what it shares: pairs of a kind and a value."""

    case: CaseRow
    shared: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sight:
    """What a reviewer may see: cases of these offices (none means all), and rescue or not."""

    offices: frozenset[str]
    may_rescue: bool


@dataclass(frozen=True)
class Wanted:
    """Which cases of the queue; None leaves a question open. `now` ends what was laid aside."""

    now: str
    lanes: tuple[str, ...] = ()
    office_id: str | None = None
    mode: str | None = None
    owner: str | None = None
    is_unowned: bool = False
    opened_before: str | None = None


Place = tuple[int, str, str]
"""Where a page of the queue ends: rank, due_at, case_id."""
