"""News about a subject, applied to its cases by acts of the service.

An outcome may close a case. A later version of the declaration changes the deadline and may
invalidate a decision. A further score may bring what the case waited for.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from features.records import Journey, Outcome
from features.submission import Submission
from serving.access.actors import SERVICE
from serving.audit.decision import Decision
from serving.history.received_records import RECEIVED_TYPES
from serving.review.acts import news as rules
from serving.review.acts.stored_acts import stored_change
from serving.review.cases.case_change import CaseChange, CaseRule
from serving.review.cases.case_records import CaseNews, CaseRow, ChangeRow, StoredChange
from serving.review.cases.case_state import Amendment, Case
from serving.review.cases.labels import inspection_of
from serving.review.cases.results import reported_result
from serving.review.errors import NothingToTell

log = structlog.get_logger()

# Clocks of other systems may be ahead of ours by this much.
CLOCKS_DIFFER = timedelta(minutes=5)

# Record types that end a wait for each reason.
_BRINGS = {"documents": ("documents",), "arrival": ("events", "legs")}


@dataclass(frozen=True)
class LaterDeclaration:
    """A later version of a declaration, with its new arrival time if it states one."""

    amendment: Amendment
    due_at: datetime | None = None

    @classmethod
    def from_record(cls, record: Any) -> "LaterDeclaration":
        """Return the later declaration in a received record."""
        due_at = None if record.withdrawn else getattr(record, "due_at", None)
        return cls(Amendment(record.version, record.known_at, record.withdrawn), due_at)

    @classmethod
    def from_submission(cls, submission: Submission) -> "LaterDeclaration":
        """Return the later declaration in a rescored submission, which is never a withdrawal."""
        subject: Any = submission.subject
        return cls(Amendment(subject.version, subject.known_at), _due_at(submission))


def changes_of(news: CaseNews, first: Submission | None, at: datetime) -> Iterator[ChangeRow]:
    """Yield the changes that one news item makes to a case; `first` was decided first."""
    if news.body is None:
        return
    if news.kind == "outcomes":
        outcome = Outcome.model_validate_json(news.body)
        if _is_of_now(outcome.known_at, at, news):
            yield partial(stored_change, _taking(outcome, at))
    elif news.kind == "decisions":
        yield from _of_decision(Decision.model_validate_json(news.body), first, at)
    else:
        record: Any = RECEIVED_TYPES[news.kind].model_validate_json(news.body)
        if _is_of_now(record.known_at, at, news) and _is_later(record, first):
            yield partial(_amended, LaterDeclaration.from_record(record), at)


def changes_by_journey(
    journey: Journey, first: Submission | None, at: datetime
) -> Iterator[ChangeRow]:
    """Yield the change for a case whose goods travel by an amended journey."""
    own = first.journey if first else None
    is_later = own is None or own.journey_id != journey.journey_id or own.version < journey.version
    if is_later and not journey.withdrawn:
        yield partial(_moved_by_journey, journey.due_at, at)


def _moved_by_journey(due_at: datetime, at: datetime, row: CaseRow) -> StoredChange:
    if row.due_at == due_at:
        raise NothingToTell
    amend = partial(rules.amend_journey, actor=SERVICE, at=at)
    return _moved(row, stored_change(amend, _due(row, due_at)))


def _of_decision(decision: Decision, first: Submission | None, at: datetime) -> Iterator[ChangeRow]:
    submission = decision.submission
    if _is_later(submission.subject, first):
        yield partial(_amended, LaterDeclaration.from_submission(submission), at)
    yield partial(_scored, decision, _due_at(submission), at)
    yield partial(stored_change, partial(_came_back, decision.because, at))


def _taking(outcome: Outcome, at: datetime) -> CaseRule:
    """Return the act that records an outcome, or removes a withdrawn one."""
    inspection = inspection_of(outcome)
    if outcome.withdrawn:
        return partial(rules.withdraw_outcome, actor=SERVICE, at=at, inspection=inspection)
    result = reported_result(outcome)
    return partial(rules.take_outcome, actor=SERVICE, at=at, result=result, inspection=inspection)


def _amended(later: LaterDeclaration, at: datetime, row: CaseRow) -> StoredChange:
    moved = _due(row, later.due_at)
    is_in_time = moved.is_in_time(at)
    amend = partial(
        rules.amend, actor=SERVICE, at=at, amendment=later.amendment, is_in_time=is_in_time
    )
    return _moved(row, stored_change(amend, moved))


def _scored(
    decision: Decision, due_at: datetime | None, at: datetime, row: CaseRow
) -> StoredChange:
    """Record a score that is not the case's own; raises NothingToTell if it is."""
    # The case's own decision is already shown with it, so there is nothing to report.
    if decision.decision_id in (row.decision_id, row.case_id):
        raise NothingToTell
    score_again = partial(rules.score_again, actor=SERVICE, at=at)
    return _moved(row, stored_change(score_again, _due(row, due_at)))


def _came_back(because: tuple[str, ...], at: datetime, case: Case) -> CaseChange:
    """End a wait for records that a score brought; raises NothingToTell otherwise."""
    kinds = {name.partition("/")[0] for name in because}
    if kinds.isdisjoint(_BRINGS.get(case.waiting_for or "", ())):
        raise NothingToTell
    return rules.come_back(case, SERVICE, at)


def _due(row: CaseRow, due_at: datetime | None) -> CaseRow:
    return row if due_at is None else replace(row, due_at=due_at)


def _moved(row: CaseRow, changed: StoredChange) -> StoredChange:
    """Return a change with the new deadline; a closed case keeps its old one."""
    after, event, labels = changed
    if after.status == "closed":
        return replace(after, due_at=row.due_at), event, labels
    if after.due_at == row.due_at:
        return changed
    due = [row.due_at.isoformat(), after.due_at.isoformat()]
    told = json.loads(event.changed) | {"due_at": due}
    return after, replace(event, changed=json.dumps(told)), labels


def _due_at(submission: Submission) -> datetime | None:
    return submission.journey.due_at if submission.journey else None


def _is_later(declared: Any, first: Submission | None) -> bool:
    """Return whether a version is later than the first decided one, or withdraws it."""
    own: Any = first.subject if first else None
    before = own.version if own else 1
    return bool(declared.version > before or declared.withdrawn)


def _is_of_now(known_at: datetime | None, at: datetime, news: CaseNews) -> bool:
    """Return whether something is already known; false for a date in the future."""
    # Such a record is wrong or its sender's clock is. Log it and leave the case alone.
    if known_at is not None and known_at > at + CLOCKS_DIFFER:
        log.warning("news_of_the_future", kind=news.kind, cases=news.case_ids)
        return False
    return True
