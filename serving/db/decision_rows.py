"""Rows of decisions and of the answers given for them, as they come and go."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DecisionRow:
    """One decision; `record` holds it whole, the rest is there to find it by.

    `lasting` is what else outlasts the decision: it says nothing of any party. `probability` is
    None where no model was asked.
    """

    decision_id: str
    scored_at: str
    subject_kind: str
    subject_id: str
    office_id: str | None
    caller_id: str
    lane: str
    probability: float | None
    record: str
    lasting: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class AnswerRow:
    """The bytes a caller was answered with, under the idempotency key it gave."""

    caller_id: str
    idempotency_key: str
    request_digest: str
    decision_id: str
    answered_at: str
    body: bytes
