"""Blind second readings of closed cases; each reader counts once."""

from collections.abc import Sequence
from datetime import datetime

from serving.access.actors import Actor
from serving.errors import Conflict
from serving.review.cases.case_change import CaseChange, acted
from serving.review.cases.case_records import StoredEvent
from serving.review.cases.case_state import Case
from serving.review.cases.cases import Cases
from serving.review.cases.reviewer import Reviewer


def reread(case: Case, actor: Actor, at: datetime, code: str) -> CaseChange:
    """Record how a reader would have ended a closed case, by its evidence without its score.

    `code` is the code of a result, or `release`. Raises Conflict, also for a case that the actor
    closed.
    """
    if case.status != "closed":
        raise Conflict("only a closed case is read again", code="case-not-closed")
    if any(actor.may_be(ended) for ended in (case.owner, *case.ended_by) if ended):
        raise Conflict("somebody else must read again what you ended", code="same-reviewer")
    return acted(case, actor, at, "reread", code)


def reread_case(cases: Cases, reviewer: Reviewer, case_id: str, at: datetime, code: str) -> Case:
    """Store a reader's blind reading of a closed case.

    Raises NotFound, and Conflict the second time.
    """

    def require_first(events: Sequence[StoredEvent]) -> None:
        if _is_reread(reviewer, events):
            raise Conflict(
                "your blind reading of this case is stored already, and counts once",
                code="already-judged",
            )

    return cases.act(
        reviewer,
        case_id,
        lambda case: reread(case, reviewer.actor, at, code),
        require_first,
    )


def has_reread(cases: Cases, reviewer: Reviewer, case_id: str) -> bool:
    """Return whether a reader has read a case blind since it last closed."""
    return _is_reread(reviewer, cases.events(case_id))


def _is_reread(reviewer: Reviewer, events: Sequence[StoredEvent]) -> bool:
    for event in reversed(events):
        # A reopened case may end otherwise, so an earlier reading says nothing about its new end.
        if event.action == "reopen":
            return False
        if event.action == "reread" and reviewer.actor.is_holder(event.by):
            return True
    return False
