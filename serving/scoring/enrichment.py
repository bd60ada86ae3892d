"""Enrich submissions with the received records of their subjects."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from features.records import RECORD_FILES, Document, Leg, Position, Transaction
from features.submission import AttachedDocument, AttachedTransaction, Submission
from serving.history.received_records import ReceivedRecord

LINKED_RECORD_LIMITS = {"legs": 500, "positions": 5_000, "documents": 500, "transactions": 500}


@dataclass(frozen=True)
class EnrichedSubmission:
    """A submission with the records of its subject; `attached` names those that were added."""

    submission: Submission
    attached: tuple[str, ...]


def enrich(submission: Submission, records: Iterable[ReceivedRecord]) -> EnrichedSubmission:
    """Add received records to a submission; where both have one, the submission's counts."""
    linked = {name: list(getattr(submission, name)) for name in LINKED_RECORD_LIMITS}
    keys = {name: {_key(record) for record in present} for name, present in linked.items()}
    attached = []
    for row in records:
        if (
            row.kind not in LINKED_RECORD_LIMITS
            or len(linked[row.kind]) >= LINKED_RECORD_LIMITS[row.kind]
        ):
            continue
        record = RECORD_FILES[row.kind].model_validate_json(row.body)
        if _key(record) not in keys[row.kind]:
            linked[row.kind].append(_as_attached(record))
            attached.append(f"{row.kind}/{row.record_id}")
    if not attached:
        return EnrichedSubmission(submission, ())
    update = {name: tuple(present) for name, present in linked.items()}
    return EnrichedSubmission(submission.model_copy(update=update), tuple(attached))


def _key(record: Any) -> tuple[Any, ...]:
    match record:
        case Leg():
            return (record.sequence,)
        case Position():
            return record.observed_at, record.source
        case Document():
            return record.document_id, record.version
        case Transaction():
            return (record.transaction_id,)
    raise TypeError(f"{type(record).__name__} is not attached to a subject")


def _as_attached(record: Any) -> Any:
    if isinstance(record, Document):
        return AttachedDocument.model_construct(**dict(record))
    if isinstance(record, Transaction):
        return AttachedTransaction.model_construct(**dict(record))
    return record
