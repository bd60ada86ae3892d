"""The decision log: what is logged of a decision, and who may read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from serving.audit.ship_journey import ShipJourney


@dataclass(frozen=True)
class LoggedDecision:
    """One decision; `record` holds it whole, the other fields are there to find it by.

    `lasting` outlasts the decision and names no party. `probability` is None where no model was
    asked. `rescores` is the first decision about a subject that is scored again, `lane_before` its
    lane before. `danger_begins_at` is when silence or delay would become a sign of danger to life,
    if nothing more became known, `ship_journey` what its journey is found by, `alerted_as` under
    which journeys those who are to be rescued may have called before; none is part of the log.
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
    rescores: str | None = None
    lane_before: str | None = None
    lasting: Mapping[str, object] = field(default_factory=dict)
    danger_begins_at: str | None = None
    ship_journey: ShipJourney | None = None
    alerted_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredAnswer:
    """The bytes a caller was answered with, under the idempotency key it gave."""

    caller_id: str
    idempotency_key: str
    request_digest: str
    decision_id: str
    answered_at: str
    body: bytes


@dataclass(frozen=True)
class DecisionAccess:
    """What a reader may see: its offices' decisions and its own; all without offices."""

    caller_id: str
    offices: frozenset[str]


@dataclass(frozen=True)
class DecisionFilter:
    """Which decisions to list: about a kind of subject or one subject, asked for by a caller.

    Those by which the service scored such a subject again are among a caller's.
    """

    subject_kind: str | None = None
    subject_id: str | None = None
    caller_id: str | None = None


@dataclass(frozen=True)
class RecordPage:
    """Records of decisions, newest first, and before which place in the log the next ones are.

    `before` is None on the last page. A page may have few records, or none, and not be the last.
    """

    records: list[str]
    before: int | None
