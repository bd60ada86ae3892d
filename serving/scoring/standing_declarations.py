"""Find the version of a declaration in force at an instant; received later versions take over.

It keeps the instant of the first version, as in a training set, and the declared goods items unless
it states new ones.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from features.record_versions import CountingVersion, amends, counting_versions, version_at
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission
from serving.history.received_records import SUBJECT_KIND_OF, ReceivedRecord
from serving.scoring.new_evidence import NamedRecord, name_of_version


def amendments(submission: Submission, rows: Iterable[ReceivedRecord]) -> list[NamedRecord]:
    """Return the versions later than the submitted one, without withdrawals."""
    return [
        (name_of_version(submission.subject_kind, record), record.known_at)
        for record in _received(submission.subject_kind, submission.subject_id, rows)
        if record.version > submission.subject.version and not record.withdrawn
    ]


def as_standing(
    submission: Submission, rows: Sequence[ReceivedRecord], at: datetime
) -> Submission | None:
    """Return a submission with its declaration and journey as in force at an instant.

    None if the declaration was withdrawn by then. A withdrawn journey stays.
    """
    declared = _standing(submission.subject_kind, submission.subject, rows, at)
    if declared is None:
        return None
    field = SUBJECT_TYPES[submission.subject_kind].submission_field
    update = {field: declared}
    if field != "journey" and submission.journey is not None:
        journey = _standing("route", submission.journey, rows, at)
        update["journey"] = journey or submission.journey
    return submission.model_copy(update=update)


def as_declared_last(submission: Submission, rows: Sequence[ReceivedRecord]) -> Submission:
    """Return a submission with its newest version that is not a withdrawal.

    A search for people in danger uses it even though the declaration is no longer in force.
    """
    versions = _received(submission.subject_kind, submission.subject_id, rows)
    declared = [each for each in (*versions, submission.subject) if not each.withdrawn]
    field = SUBJECT_TYPES[submission.subject_kind].submission_field
    newest = max(declared, key=lambda each: each.version)
    kept = {"declared_at": submission.declared_at}
    return submission.model_copy(update={field: newest.model_copy(update=kept)})


def withdrawn_at(
    submission: Submission, rows: Iterable[ReceivedRecord], at: datetime
) -> datetime | None:
    """Return when the last withdrawal before an instant became known; None if there is none."""
    versions = _received(submission.subject_kind, submission.subject_id, rows)
    known = [each.known_at for each in versions if each.withdrawn and each.known_at < at]
    return max(known, default=None)


def _standing(kind: str, declared: Any, rows: Iterable[ReceivedRecord], at: datetime) -> Any | None:
    subject_id = getattr(declared, SUBJECT_TYPES[kind].id_field)  # type: ignore[index]  # a kind
    later = [each for each in _received(kind, subject_id, rows) if each.version > declared.version]
    if not later:
        return declared
    versions = {each.version: each for each in (*later, declared)}
    life = version_at(_lives(kind, versions.values()), at)
    if life is None:
        return None
    stands = versions[life["version"]]
    kept: dict[str, Any] = {"declared_at": declared.declared_at}
    # An amendment that names no goods items leaves the declared ones in force.
    if kind == "shipment" and not stands.items:
        kept["items"] = declared.items
    return stands.model_copy(update=kept)


def _lives(kind: str, versions: Iterable[Any]) -> list[CountingVersion]:
    record = SUBJECT_TYPES[kind].record  # type: ignore[index]  # a kind
    return counting_versions([dict(each) for each in versions], record)


def _received(kind: str, subject_id: str, rows: Iterable[ReceivedRecord]) -> list[Any]:
    """Return the received later versions and withdrawals of a declaration."""
    named = [each for each in rows if SUBJECT_KIND_OF.get(each.kind) == kind]
    records = [each.record for each in named if each.subject_id == subject_id]
    return [each for each in records if amends(each)]
