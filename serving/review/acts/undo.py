"""Undo: revert an act of one person right after it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from serving.access.actors import Actor
from serving.errors import Conflict
from serving.language import say
from serving.review.acts.act_declaration import ActRequest, CaseAct
from serving.review.acts.stored_acts import case_before, event_of
from serving.review.cases.case_change import CaseChange, CaseEvent, acted
from serving.review.cases.case_records import StoredEvent
from serving.review.cases.case_state import Case
from serving.review.cases.event_kinds import EVENT_KINDS, READING_EVENTS

UNDO_WITHIN = timedelta(seconds=10)


def undo(case: Case, actor: Actor, at: datetime, last: CaseEvent, before: Case) -> CaseChange:
    """Revert the last act on a case, restoring the fields of `before`.

    Raises Conflict for an act of somebody else, one older than ten seconds, an end by two persons,
    a result that is already a label, and a referral.
    """
    if not actor.is_holder(last.actor):
        raise Conflict("somebody else has acted on this case since", code="undo-refused")
    if not EVENT_KINDS[last.action].is_undoable or len(case.ended_by) > 1:
        raise Conflict(
            "this cannot be undone; a closed case can be opened again", code="undo-refused"
        )
    # An outcome is already in history, where only a later outcome corrects it.
    if case.result is not None and case.result.label is not None:
        raise Conflict("its outcome is on record: open the case again", code="undo-refused")
    if at - last.at > UNDO_WITHIN:
        raise Conflict(
            say("only the last {seconds} seconds can be undone", seconds=UNDO_WITHIN.seconds),
            code="undo-refused",
        )
    if case.action != before.action and case.action is not None and case.action.moves:
        raise Conflict(
            "it was referred, and others have it by now: ask them for it", code="undo-refused"
        )
    after = {name: getattr(before, name) for name in last.changed if hasattr(before, name)}
    return acted(case, actor, at, "undo", last.action.replace("_", " "), **after)


def undo_last_act(acting: ActRequest) -> Case:
    """Revert the reviewer's last act unless somebody has acted since; raises Conflict."""
    cases, case_id = acting.cases, acting.case_id
    cases.case(acting.reviewer, case_id)
    last = cases.store.newest_event(case_id, READING_EVENTS)
    if last is None:
        raise Conflict("nothing was done that could be undone", code="undo-refused")

    def require_newest(events: Sequence[StoredEvent]) -> None:
        # Under the write lock: somebody may have acted since `last` was read.
        if last != [event for event in events if event.action not in READING_EVENTS][-1]:
            raise Conflict("somebody else has acted on this case since", code="undo-refused")

    return cases.act(
        acting.reviewer,
        case_id,
        lambda case: undo(case, acting.actor, acting.at, event_of(last), case_before(case, last)),
        require_newest,
    )


UNDO = CaseAct(
    name="undo",
    operation="undo_last_act",
    description="Take back one's own last act, within ten seconds and before anybody else acts.",
    perform=lambda acting, _: undo_last_act(acting),
    records=("undo",),
    revision="if_shown",
)
