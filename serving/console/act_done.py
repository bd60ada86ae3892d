"""Last act of the reader, shown on the next page with a button to undo it."""

from dataclasses import dataclass
from datetime import datetime

from serving.container import Services
from serving.errors import NotFound
from serving.language import say, subject_named
from serving.review.acts.undo import UNDO_WITHIN
from serving.review.cases.case_records import CaseRow, StoredEvent
from serving.review.cases.case_state import Case
from serving.review.cases.event_kinds import EVENT_KINDS, JUDGEMENTS
from serving.review.cases.reviewer import Reviewer


@dataclass(frozen=True)
class ActDone:
    """Last act of the reader as text, undoable for `undo_seconds` more (0: not undoable).

    `revision` is the revision of the case after the act, so that undo never reverts a later act.
    """

    case_id: str
    title: str
    words: str
    undo_seconds: int
    revision: int


def act_done(services: Services, reviewer: Reviewer, case_id: str, now: datetime) -> ActDone | None:
    """Return the reader's last act on a case; None if someone else acted since, or nobody.

    About a case that the reader may no longer see, it reports only a handover just made.
    """
    if not case_id:
        return None
    # Read the revision before the events: an act in between then makes undo fail, not revert it.
    revision = services.cases.revision(case_id)
    if not is_seen(services, reviewer, case_id):
        given = services.cases.given_away(reviewer, case_id, now)
        return _act_done(*given, now, revision) if given else None
    row, case = services.cases.case(reviewer, case_id)
    events = services.cases.history(reviewer, row)
    # Reads and first judgements follow an act without changing the case.
    told = [event for event in events if event.action not in ("read", *JUDGEMENTS)]
    if not told or not reviewer.actor.is_holder(told[-1].by):
        return None
    return _act_done(row, case, told[-1], now, revision)


def is_seen(services: Services, reviewer: Reviewer, case_id: str) -> bool:
    """Return whether a reader may see a case; false if it was referred elsewhere since."""
    try:
        services.cases.case(reviewer, case_id)
    except NotFound:
        return False
    return True


def _act_done(row: CaseRow, case: Case, last: StoredEvent, now: datetime, revision: int) -> ActDone:
    if case.action and last.action == "order_action":
        words = say("ordered to {action}", action=case.action.in_words)
    else:
        words = say(EVENT_KINDS[last.action].done or last.action.replace("_", " "))
    title = subject_named(row.subject_kind, row.subject_id)
    return ActDone(row.case_id, title, words, _undo_seconds(case, last, now), revision)


def _undo_seconds(case: Case, last: StoredEvent, now: datetime) -> int:
    """Return the seconds for which an act can be undone; 0 if it is final by the rule `undo`."""
    is_referred = last.action == "order_action" and case.action and case.action.moves
    is_labelled = case.result and case.result.label
    if not EVENT_KINDS[last.action].is_undoable or is_referred or is_labelled:
        return 0
    age = now - last.at
    return max(int((UNDO_WITHIN - age).total_seconds()), 0)
