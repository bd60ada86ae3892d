"""Notices: events of a case that one person should know, without content of the case.

A notice names a case, an event and its author; the content is read with the case, by anyone who may
still see it. Rescues create no notices, since the rescue board raises its own alarm.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from serving.access.actors import SERVICE, Actor
from serving.review.acts.stored_acts import CHANGED_FIELDS
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_records import CaseRow, StoredEvent
from serving.review.cases.case_state import Case
from serving.review.cases.event_kinds import EVENT_KINDS

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
# Recipients by function: the supervisors of the case's office, or the possible second persons.
# Those are the members of its team; for a case without a team, the supervisors.
NoticeGroup = Literal["second_persons", "supervisors"]

MAX_SHOWN = 100
_ACTORS: TypeAdapter[list[Actor]] = TypeAdapter(list[Actor])
_PROPOSED = ("action_proposed", "result_in")


@dataclass(frozen=True)
class Notice:
    """One notice of a holder; it is unread while `read_at` is None."""

    notice_id: str
    case_id: str
    kind: NoticeKind
    at: datetime
    by: Actor
    read_at: datetime | None


@dataclass(frozen=True)
class NewNotice:
    """A notice for the holder of an identity, or for everybody in a group.

    It is shown from `at` on: a reminder appears when its time has come.
    """

    kind: NoticeKind
    to: str | NoticeGroup
    at: datetime


# The end of a page: whether its last notice was read, when it came and its id.
NoticePosition = tuple[bool, datetime, str]


def notices_of(before: CaseRow, after: CaseRow, event: StoredEvent) -> list[NewNotice]:
    """Return the notices of an act: at most one each, never for its author."""
    if "rescue" in (before.lane, after.lane):
        return []
    told: dict[str, NewNotice] = {}
    for notice in _notices(before, after, event):
        if notice.to != event.actor or notice.kind == "reminder":
            told.setdefault(notice.to, notice)
    return list(told.values())


def ends_reminder(before: CaseRow, after: CaseRow) -> bool:
    """Return whether a pending reminder no longer applies, as the wait ended or moved."""
    return before.waiting_until is not None and after.waiting_until != before.waiting_until


def _notices(before: CaseRow, after: CaseRow, event: StoredEvent) -> Iterator[NewNotice]:
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


def _of_what_came(before: CaseRow, after: CaseRow, event: StoredEvent) -> Iterator[NewNotice]:
    """Yield notices of arrived records, reported findings and amended declarations.

    The latter two go to everyone who owns the case, made a statement in it or closed it.
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
    """Yield the owner and all who made a pending statement or closed the case."""
    stated = (each.by for each in (case.proposal, case.second_view) if each)
    yield from filter(None, (case.owner, *case.ended_by, *stated))


_RESULT_CAME = ("state_result", "close")
