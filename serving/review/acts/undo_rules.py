"""The rules of taking back at once what one person did alone."""

from datetime import datetime, timedelta

from serving.access.actors import Actor
from serving.language import say
from serving.review.cases.case_change import CaseChange, CaseEvent, acted
from serving.review.cases.case_state import Case
from serving.review.errors import UndoRefused

UNDO_WITHIN = timedelta(seconds=10)
UNDOABLE: frozenset[str] = frozenset(
    {
        "assign",
        "hand_over",
        "give_back",
        "put_into_inbox",
        "escalate",
        "tag",
        "wait",
        "propose_action",
        "order_action",
        "state_result",
        "state_view",
    }
)
"""What one person did alone, and may take back at once."""


def undo(case: Case, actor: Actor, at: datetime, last: CaseEvent, before: Case) -> CaseChange:
    """Take back the last act on a case, which left it as it was `before`.

    Raises UndoRefused for what somebody else did, what is ten seconds old, what two persons ended,
    a result that is a label by now, and a referral.
    """
    if not actor.is_holder(last.actor):
        raise UndoRefused("somebody else has acted on this case since")
    if last.action not in UNDOABLE or len(case.ended_by) > 1:
        raise UndoRefused("this cannot be undone; a closed case can be opened again")
    if case.result is not None and case.result.label is not None:
        raise UndoRefused("its outcome is on record: open the case again")
    if at - last.at > UNDO_WITHIN:
        raise UndoRefused(
            say("only the last {seconds} seconds can be undone", seconds=UNDO_WITHIN.seconds)
        )
    if case.action != before.action and case.action is not None and case.action.moves:
        raise UndoRefused("it was referred, and others have it by now: ask them for it")
    after = {name: getattr(before, name) for name in last.changed if hasattr(before, name)}
    return acted(case, actor, at, "undo", last.action.replace("_", " "), **after)
