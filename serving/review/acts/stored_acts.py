"""Storage of acts: the changed case, and the event with old and new values."""

from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from serving.errors import Conflict
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_change import CaseEvent, CaseRule
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_records import CaseRow, StoredChange, StoredEvent
from serving.review.cases.case_state import Case
from serving.review.cases.reviewer import Reviewer
from serving.triage.lane_declarations import QUEUE_RANK

CHANGED_FIELDS = TypeAdapter(dict[str, tuple[object, object]])


def stored_change(act: CaseRule, row: CaseRow) -> StoredChange:
    """Return the case after an act, with its event."""
    before = CASE.validate_json(row.state)
    case, event = act(before)
    # Only a new action moves a case; a later act on it must not move it again.
    moved = case.action if case.action != before.action else None
    after = replace(
        _moved(row, moved),
        status=case.status,
        owner=case.owner.identity if case.owner else None,
        owner_name=case.owner.name if case.owner else None,
        waiting_until=case.waiting_until,
        team=case.team,
        escalated_at=case.escalation.at if case.escalation else None,
        state=CASE.dump_json(case).decode(),
    )
    # Office and lane are columns of the row, not of `state`, so add them to the event.
    places = {
        name: (getattr(row, name), getattr(after, name))
        for name in ("office_id", "lane")
        if getattr(row, name) != getattr(after, name)
    }
    return after, event_row(replace(event, changed=event.changed | places)), ()


def stored_change_if_unchanged(act: CaseRule, looked_at: CaseRow, row: CaseRow) -> StoredChange:
    """Return the case after an act; raises Conflict if it differs from the row seen before."""
    if CASE.validate_json(row.state) != CASE.validate_json(looked_at.state):
        raise Conflict("somebody has acted on this case since", code="case-taken")
    return stored_change(act, row)


def _moved(row: CaseRow, action: CaseAction | None) -> CaseRow:
    """Return the row moved to the office or the rescuers to whom the case was referred."""
    if action is not None and action.refer_to == "office":
        return replace(row, office_id=action.destination)
    if action is not None and action.refer_to == "rescue":
        return replace(row, lane="rescue", rank=QUEUE_RANK["rescue"])
    return row


def event_row(event: CaseEvent) -> StoredEvent:
    """Return an event as stored."""
    changed = CHANGED_FIELDS.dump_json(event.changed).decode()
    return StoredEvent(
        event.case_id,
        event.at,
        event.actor.identity,
        event.action,
        changed,
        event.text,
        event.actor.name,
    )


def event_of_reading(
    reviewer: Reviewer,
    case_id: str,
    at: datetime,
    action: str,
    changed: str = "{}",
    text: str = "",
) -> StoredEvent:
    """Return an event that changes no case."""
    who = reviewer.actor
    return StoredEvent(case_id, at, who.identity, action, changed, text, who.name)


def event_of(stored: StoredEvent) -> CaseEvent:
    """Return a stored event as the rules use it."""
    changed = CHANGED_FIELDS.validate_json(stored.changed)
    return CaseEvent(stored.case_id, stored.at, stored.by, stored.action, changed, stored.text)  # type: ignore[arg-type]  # an action, as it was stored


def case_before(case: Case, last: StoredEvent) -> Case:
    """Return the case before its last event, from the old values in that event."""
    state = CASE.dump_python(case, mode="json")
    # Office and lane appear in events too, but are not part of the state.
    old = {name: old for name, (old, _) in CHANGED_FIELDS.validate_json(last.changed).items()}
    return CASE.validate_python(state | {name: old[name] for name in old.keys() & state.keys()})
