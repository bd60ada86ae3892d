"""What was known of a subject by itself, put beside what its submission brings."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from features.records import RECORD_FILES, Document, Leg, Position, Transaction
from features.submission import AttachedDocument, AttachedTransaction, Submission
from serving.history.received_records import ReceivedRecord

MOST = {"legs": 500, "positions": 5_000, "documents": 500, "transactions": 500}


@dataclass(frozen=True)
class Completed:
    """A submission with what is known of its subject; `attached` names what it did not bring."""

    submission: Submission
    attached: tuple[str, ...]


def completed(submission: Submission, kept: Iterable[ReceivedRecord]) -> Completed:
    """Attach kept records to a submission; where both hold one, the submission's counts."""
    brought = {name: list(getattr(submission, name)) for name in MOST}
    seen = {name: {_key(record) for record in records} for name, records in brought.items()}
    attached = []
    for row in kept:
        if row.kind not in MOST or len(brought[row.kind]) >= MOST[row.kind]:
            continue
        record = RECORD_FILES[row.kind].model_validate_json(row.body)
        if _key(record) not in seen[row.kind]:
            brought[row.kind].append(_as_attached(record))
            attached.append(f"{row.kind}/{row.record_id}")
    if not attached:
        return Completed(submission, ())
    update = {name: tuple(records) for name, records in brought.items()}
    return Completed(submission.model_copy(update=update), tuple(attached))


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
