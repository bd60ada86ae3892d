"""The outcome that a closed case contributes as a label, and how its subject was selected.

Danger to life and protection of people produce no outcome: no enforcement model may learn from
them, and they count in nobody's rate.

A reopened case may end differently. Its new outcome belongs to the same inspection unless another
one is stated, and corrects the earlier outcome, which stays in history. If the new end yields no
outcome or concerns another inspection, the earlier outcome is withdrawn and becomes inconclusive.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import ValidationError

from features.errors import in_own_words
from features.records import OF_DOCUMENTS, Outcome
from serving.audit.decision import Decision
from serving.audit.selections import selection_of
from serving.errors import Unprocessable
from serving.history.received_records import ReceivedRecord
from serving.language import say
from serving.review.cases.results import CaseResult, StatedInspection

# An inspection may begin this long before the declaration, since goods met on the road are declared
# days later. The limit refuses a mistyped year.
MAX_BEFORE_DECLARATION = timedelta(days=30)


def label_of(
    decision: Decision,
    result: CaseResult,
    reviewer: str,
    at: datetime,
    earlier: StatedInspection | None = None,
) -> tuple[Outcome, ReceivedRecord] | None:
    """Return the outcome of a result, as record and row; None if it is no label.

    `earlier` is the inspection of an earlier end of the case. Without an examination, after a
    rescue and after protection there is no label. Raises Unprocessable, in these cases too,
    if the inspection is said to begin in the future.
    """
    outcome = _outcome(decision, result, at, earlier)
    if outcome is None or decision.lane == "rescue" or result.is_protection:
        return None
    return outcome, _row(decision, outcome, reviewer, f"{decision.decision_id}:{at.isoformat()}")


def require_plausible_start(decision: Decision, result: CaseResult) -> None:
    """Raise Unprocessable if a stated inspection begins too long before the declaration.

    The limit is MAX_BEFORE_DECLARATION. Inspections that a record reports are accepted as they
    are.
    """
    began_at, declared_at = result.finding.inspected_at, decision.submission.subject.declared_at
    if began_at and declared_at - began_at > MAX_BEFORE_DECLARATION:
        raise Unprocessable(
            say(
                "the inspection began, by this form, more than {days} days before the declaration",
                days=MAX_BEFORE_DECLARATION.days,
            ),
            code="contradictory-finding",
        )


def withdrawal_of(
    decision: Decision, earlier: StatedInspection, reviewer: str, at: datetime
) -> tuple[Outcome, ReceivedRecord]:
    """Return the outcome, as record and row, that withdraws an earlier one."""
    withdrawn = CaseResult("inspect", "inconclusive", "other", "low", "withdrawn")
    outcome = _outcome(decision, withdrawn, at, earlier)
    assert outcome is not None, "an inconclusive inspection has an outcome"
    record_id = f"{decision.decision_id}:{at.isoformat()}:withdrawn"
    return outcome, _row(decision, outcome, reviewer, record_id)


def inspection_of(outcome: Outcome) -> StatedInspection | None:
    """Return the inspection in an outcome; None for a check of documents alone."""
    if outcome.result in OF_DOCUMENTS:
        return None
    return StatedInspection(outcome.inspected_at, bool(outcome.is_inspected_at_stated))


def _row(decision: Decision, outcome: Outcome, reviewer: str, record_id: str) -> ReceivedRecord:
    return ReceivedRecord(
        kind="outcomes",
        record_id=record_id,
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        received_at=outcome.known_at.isoformat(),
        caller_id=reviewer,
        body=outcome.model_dump_json(),
        purpose=decision.purpose,
    )


def _outcome(
    decision: Decision, stated: CaseResult, at: datetime, earlier: StatedInspection | None
) -> Outcome | None:
    finding, result = stated.finding, stated.label
    if earlier and earlier.is_stated and finding.inspected_at is None:
        finding = replace(finding, inspected_at=earlier.inspected_at)
    if result is None:
        return None
    inspected_at = finding.inspected_at or (earlier.inspected_at if earlier else at)
    if inspected_at > at:
        raise Unprocessable("the inspection begins in the future", code="contradictory-finding")
    selected_by, probability = selection_of(decision, result, finding.inspected_at)
    try:
        return Outcome(
            **vars(finding)
            | {
                "subject_kind": decision.subject_kind,
                "subject_id": decision.subject_id,
                "inspected_at": inspected_at,
                "is_inspected_at_stated": finding.inspected_at is not None,
                "known_at": at,
                "result": result,
                "offences": stated.offences,
                "selected_by": selected_by,
                "selection_probability": probability,
            }
        )
    except ValidationError as refusal:
        first = refusal.errors(include_url=False)[0]
        raise Unprocessable(in_own_words(first["msg"]), code="contradictory-finding") from None
