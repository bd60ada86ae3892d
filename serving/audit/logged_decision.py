"""The parts of a decision that the log stores, and who may read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from serving.audit.ship_journey import ShipJourney


@dataclass(frozen=True)
class LoggedDecision:
    """A decision for the log; `record` contains it whole, the other fields serve to find it.

    `lasting` outlasts the decision and names no party. `probability` is None if no model was used.
    `rescores` is the first decision about a rescored subject, `lane_before` its former lane.
    `danger_begins_at` is when silence or delay would become a sign of danger to life.
    `ship_journey` is the index entry of its journey, and `alerted_as` lists the journeys under
    which persons to be rescued may have called before. These three are not part of the log.
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
    danger_begins_at: datetime | None = None
    ship_journey: ShipJourney | None = None
    alerted_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredAnswer:
    """The bytes of an answer, under the idempotency key of the caller."""

    caller_id: str
    idempotency_key: str
    request_digest: str
    decision_id: str
    answered_at: str
    body: bytes


@dataclass(frozen=True)
class DecisionAccess:
    """The access of a reader: decisions of its offices and its own; without offices, all."""

    caller_id: str
    offices: frozenset[str]


CaseOfDecision = Literal["none", "open", "closed"]


@dataclass(frozen=True)
class DecisionFilter:
    """A filter of decisions; None and no lanes match all. `begins` and `ends` are ISO dates.

    The service's later scores of a caller's subjects count as the caller's. `case` is whether one
    was opened and is still open. `model` is a version of the models in service.
    """

    subject_kind: str | None = None
    subject_id: str | None = None
    caller_id: str | None = None
    lanes: tuple[str, ...] = ()
    office_id: str | None = None
    begins: str | None = None
    ends: str | None = None
    case: CaseOfDecision | None = None
    model: str | None = None


@dataclass(frozen=True)
class RecordPage:
    """A page of records, newest first, and the position before which the next page begins.

    `before` is None on the last page. A page may have few records, or none, and not be the last.
    """

    records: list[str]
    before: int | None
