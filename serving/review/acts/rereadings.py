"""Blind second readings of closed cases: that of each reader counts once."""

from collections.abc import Sequence
from datetime import datetime

from serving.review.acts import remark_rules
from serving.review.cases.case_records import StoredEvent
from serving.review.cases.case_state import Case
from serving.review.cases.cases import Cases
from serving.review.cases.reviewer import Reviewer
from serving.review.errors import AlreadyJudged


def reread(cases: Cases, reviewer: Reviewer, case_id: str, at: datetime, code: str) -> Case:
    """Keep how a closed case would have ended for a reader who did not see its score.

    Raises NotFound, NotYours, Conflict or AlreadyJudged the second time.
    """

    def require_first(events: Sequence[StoredEvent]) -> None:
        if _is_reread(reviewer, events):
            raise AlreadyJudged("your blind reading of this case is kept, and counts once")

    return cases.act(
        reviewer,
        case_id,
        lambda case: remark_rules.reread(case, reviewer.actor, at, code),
        require_first,
    )


def has_reread(cases: Cases, reviewer: Reviewer, case_id: str) -> bool:
    """Whether a reader has read a case blind since it ended: once open again, it ends anew."""
    return _is_reread(reviewer, cases.events(case_id))


def _is_reread(reviewer: Reviewer, events: Sequence[StoredEvent]) -> bool:
    for event in reversed(events):
        if event.action == "reopen":
            return False
        if event.action == "reread" and reviewer.actor.is_holder(event.by):
            return True
    return False
