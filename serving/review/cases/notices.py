"""Notices: what happened to a case that one person is to know, without a word of the case itself.

A notice names a case, what happened and who did it; what the case is about is read with the case,
by whoever may still see it. Of a rescue there is none: its board calls by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from serving.access.actors import SERVICE, Actor, StoredActor
from serving.review.acts.stored_acts import CHANGED_FIELDS
from serving.review.cases.case_records import CaseRecord, StoredEvent
from serving.review.cases.case_state import Case
from serving.review.cases.event_kinds import EVENT_KINDS
from serving.review.cases.opening import CASE

NoticeKind = Literal[
    "assigned",
    "handed_over",
    "second_person",
    "mentioned",
    "reminder",
    "result_in",
    "escalated",
    "amended",
    "withdrawn",
]
# Whom it is for by what they do: a case's supervisors by office, or who is asked to be second.
# These are the members of its team, and of a case without a team the same supervisors.
NoticeGroup = Literal["second_persons", "supervisors"]

MOST_SHOWN = 100
_ACTORS: TypeAdapter[list[StoredActor]] = TypeAdapter(list[StoredActor])
_PROPOSED = ("action_proposed", "result_in")


@dataclass(frozen=True)
class Notice:
    """One notice of a holder; nobody has read it while `read_at` is None."""

    notice_id: str
    case_id: str
    kind: NoticeKind
    at: datetime
    by: Actor
    read_at: datetime | None


@dataclass(frozen=True)
class NewNotice:
    """A notice for the holder of an identity, or for everybody of a group.

    It is shown from `at` on (ISO): a reminder when what it reminds of is due.
    """

    kind: NoticeKind
    to: str | NoticeGroup
    at: str


# Where a page ends: whether its last notice was read, when it came (ISO) and its id.
NoticePosition = tuple[bool, str, str]


def notices_of(before: CaseRecord, after: CaseRecord, event: StoredEvent) -> list[NewNotice]:
    """Whom an act on a case is told, never whoever did it; nobody is told twice of one act."""
    if "rescue" in (before.lane, after.lane):
        return []
    told: dict[str, NewNotice] = {}
    for notice in _notices(before, after, event):
        if notice.to != event.actor or notice.kind == "reminder":
            told.setdefault(notice.to, notice)
    return list(told.values())


def ends_reminder(before: CaseRecord, after: CaseRecord) -> bool:
    """Return whether a case waits no more, or for another instant, than it was laid aside to."""
    return before.waiting_until is not None and after.waiting_until != before.waiting_until


def _notices(before: CaseRecord, after: CaseRecord, event: StoredEvent) -> Iterator[NewNotice]:
    changed = CHANGED_FIELDS.validate_json(event.changed)
    for actor in _ACTORS.validate_python(changed.get("mentioned", (None, []))[1]):
        yield NewNotice("mentioned", actor.identity, event.at)
    if event.action == "undo":
        return
    yield from _of_what_came(before, after, event)
    is_proposed = after.status in _PROPOSED
    if after.owner is not None and after.owner != before.owner:
        kind: NoticeKind = "handed_over" if before.owner else "assigned"
        yield NewNotice("second_person" if is_proposed else kind, after.owner, event.at)
    if event.action == "wait" and after.owner and after.waiting_until:
        yield NewNotice("reminder", after.owner, after.waiting_until)
    if event.actor == SERVICE.identity and before.owner and event.action in _RESULT_CAME:
        yield NewNotice("result_in", before.owner, event.at)
    if event.action == "escalate":
        yield NewNotice("escalated", "supervisors", event.at)
    if is_proposed and EVENT_KINDS[event.action].asks_second:
        yield NewNotice("second_person", "second_persons", event.at)


def _of_what_came(before: CaseRecord, after: CaseRecord, event: StoredEvent) -> Iterator[NewNotice]:
    """That a case waited for what came, that others found something, or declared otherwise.

    The latter two to all who work on the case, proposed what waits in it or ended it.
    """
    if event.action == "come_back" and after.owner:
        yield NewNotice("reminder", after.owner, event.at)
    if event.action == "note" and event.actor == SERVICE.identity:
        for who in _at_work(CASE.validate_json(before.state)):
            yield NewNotice("result_in", who.identity, event.at)
    was, case = CASE.validate_json(before.state), CASE.validate_json(after.state)
    if case.amendment is None or case.amendment == was.amendment:
        return
    kind: NoticeKind = "withdrawn" if case.amendment.is_withdrawn else "amended"
    for who in _at_work(was):
        yield NewNotice(kind, who.identity, event.at)


def _at_work(case: Case) -> Iterator[Actor]:
    """Who has a case, proposed what waits in it, or ended it."""
    stated = (each.by for each in (case.proposal, case.second_view) if each)
    yield from filter(None, (case.owner, *case.ended_by, *stated))


_RESULT_CAME = ("state_result", "close")
