"""Enrich submissions with the received records of their subjects."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from features.linked_records import LINKED_RECORD_TYPES
from features.records import RECORD_FILES, Record
from features.submission import Submission, submitted_type
from serving.history.received_records import ReceivedRecord, RecordStore


@dataclass(frozen=True)
class EnrichedSubmission:
    """A submission with the records of its subject; `attached` names those that were added."""

    submission: Submission
    attached: tuple[str, ...]


def enrich(submission: Submission, records: Iterable[ReceivedRecord]) -> EnrichedSubmission:
    """Add received records to a submission; where both have one, the submission's counts."""
    linked = {name: list(getattr(submission, name)) for name in LINKED_RECORD_TYPES}
    keys = {name: {_key(name, record) for record in present} for name, present in linked.items()}
    attached = []
    for row in records:
        name = row.kind
        if name not in linked or _is_full(name, linked[name]):
            continue
        record = RECORD_FILES[name].model_validate_json(row.body)
        if _key(name, record) not in keys[name]:
            linked[name].append(_as_submitted(name, record))
            attached.append(f"{name}/{row.record_id}")
    if not attached:
        return EnrichedSubmission(submission, ())
    update = {name: tuple(present) for name, present in linked.items()}
    return EnrichedSubmission(submission.model_copy(update=update), tuple(attached))


def with_newest_positions(submission: Submission, records: RecordStore) -> Submission:
    """A submission with where its conveyance was heard by now; raises LogUnavailable."""
    if submission.journey is None:
        return submission
    subject = ("route", submission.journey.journey_id)
    rows = records.about([subject])[subject]
    return enrich(submission, [row for row in rows if row.kind == "positions"]).submission


def _is_full(name: str, records: list[Any]) -> bool:
    return len(records) >= LINKED_RECORD_TYPES[name].most_in_submission


def _key(name: str, record: Record) -> tuple[Any, ...]:
    """What tells a record from the others of its type and subject."""
    return tuple(getattr(record, field) for field in LINKED_RECORD_TYPES[name].key_fields)


def _as_submitted(name: str, record: Record) -> Record:
    submitted = submitted_type(name)
    return record if type(record) is submitted else submitted.model_construct(**dict(record))
