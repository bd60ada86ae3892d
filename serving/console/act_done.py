"""What a reader did just before, as the next page says it, with the way to undo it."""

from dataclasses import dataclass
from datetime import datetime

from serving.container import Services
from serving.errors import NotFound
from serving.language import say, subject_named
from serving.review.acts.undo import UNDO_WITHIN
from serving.review.cases.case_records import CaseRecord, StoredEvent
from serving.review.cases.case_state import Case
from serving.review.cases.event_kinds import EVENT_KINDS
from serving.review.cases.reviewer import Reviewer


@dataclass(frozen=True)
class ActDone:
    """The last act of the reader, in words; it can be undone for `undo_seconds` more, if at all.

    `revision` is that of the case after the act: what is undone is this act and no later one.
    """

    case_id: str
    title: str
    words: str
    undo_seconds: int
    revision: int


def act_done(services: Services, reviewer: Reviewer, case_id: str, now: datetime) -> ActDone | None:
    """The last act of the reader on a case; None where another has acted since, or nobody.

    Of a case that the reader may not see it is told only that they have just given it away.
    """
    if not case_id:
        return None
    revision = services.cases.revision(case_id)  # first: what comes meanwhile is not undone
    if not is_seen(services, reviewer, case_id):
        given = services.cases.given_away(reviewer, case_id, now)
        return _told(*given, now, revision) if given else None
    row, case = services.cases.case(reviewer, case_id)
    events = services.cases.history(reviewer, row)
    told = [event for event in events if event.action not in ("read", "judge")]
    if not told or not reviewer.actor.is_holder(told[-1].by):
        return None
    return _told(row, case, told[-1], now, revision)


def is_seen(services: Services, reviewer: Reviewer, case_id: str) -> bool:
    """Return whether a reader may see a case; not if it was referred to others since."""
    try:
        services.cases.case(reviewer, case_id)
    except NotFound:
        return False
    return True


def _told(row: CaseRecord, case: Case, last: StoredEvent, now: datetime, revision: int) -> ActDone:
    if case.action and last.action == "order_action":
        words = say("ordered to {action}", action=case.action.in_words)
    else:
        words = say(EVENT_KINDS[last.action].done or last.action.replace("_", " "))
    title = subject_named(row.subject_kind, row.subject_id)
    return ActDone(row.case_id, title, words, _undo_seconds(case, last, now), revision)


def _undo_seconds(case: Case, last: StoredEvent, now: datetime) -> int:
    """For how long an act can still be undone; 0 of one that stays, as the rule `undo` says."""
    is_referred = last.action == "order_action" and case.action and case.action.moves
    is_labelled = case.result and case.result.label
    if not EVENT_KINDS[last.action].is_undoable or is_referred or is_labelled:
        return 0
    age = now - datetime.fromisoformat(last.at)
    return max(int((UNDO_WITHIN - age).total_seconds()), 0)
