"""The case that a decision opens."""

from pydantic import TypeAdapter

from features.records import Journey
from serving.decisions.decision import Decision
from serving.lanes.placement import Lane
from serving.review.case import Case
from serving.store.case_book import CaseRow
from serving.submitted import read_submission

# The order of the queue. Control cases stand among inspections and look like them, so that they get
# the same diligence; within a rank, what is due first comes first.
RANK: dict[Lane, int] = {
    "rescue": 0,
    "inspect": 1,
    "control": 1,
    "document_check": 2,
    "post_review": 3,
}

CASE = TypeAdapter(Case)


def opened(seq: int, record: str) -> CaseRow | None:
    """The case of a decision at its place in the log; None for a release."""
    decision = Decision.model_validate_json(record)
    if decision.lane == "release":
        return None
    submission = read_submission(decision.request.encode())
    journey: Journey | None = submission.journey
    due_at = journey.due_at if journey else decision.scored_at
    return CaseRow(
        case_id=decision.decision_id,
        seq=seq,
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        office_id=decision.office_id,
        lane=decision.lane,
        mode=journey.mode if journey else None,
        rank=RANK[decision.lane],
        due_at=due_at.isoformat(),
        opened_at=decision.scored_at.isoformat(),
        status="open",
        owner=None,
        snoozed_until=None,
        state=CASE.dump_json(Case(decision.decision_id)).decode(),
    )
