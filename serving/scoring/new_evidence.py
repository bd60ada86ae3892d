"""Find the records of a subject that did not count in its previous decision.

A later version of its declaration is one of them.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from features.linked_records import linked_record_types
from features.record_versions import amends
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission
from serving.audit.decision import Decision

# A record by kind and id, and when it became known.
NamedRecord = tuple[str, datetime]


def newly_counted(before: Decision, submission: Submission) -> list[NamedRecord]:
    """Return records that count at the submission's scoring instant but not in the decision."""
    as_of = submission.scoring_instant
    return [record for record in not_counted(before, submission) if record[1] < as_of]


def not_counted(before: Decision, submission: Submission) -> list[NamedRecord]:
    """Return records that did not count in a decision, whenever they became known."""
    counted_until = before.next_from
    there = names_counted(before)
    return [
        (name, known_at)
        for name, known_at in _records(submission)
        if name not in there or known_at >= counted_until
    ]


def names_counted(before: Decision) -> set[str]:
    """Return the kind and id of every record, submitted or received, behind a decision."""
    return {*before.linked_records, *(name for name, _ in _records(before.submission))}


def name_of_version(kind: SubjectKind, declaration: Any) -> str:
    """Return the name of a later version of a declaration among the counted records."""
    subject_type = SUBJECT_TYPES[kind]
    subject_id = getattr(declaration, subject_type.id_field)
    return f"{subject_type.record_file}/{subject_id} version {declaration.version}"


def _records(submission: Submission) -> Iterator[NamedRecord]:
    """Yield a later version of the declaration, and the linked records.

    A record without a known instant never counts.
    """
    subject = submission.subject
    if amends(subject) and subject.known_at is not None:
        yield name_of_version(submission.subject_kind, subject), subject.known_at
    for record_type in linked_record_types(submission.subject_kind):
        for record in submission.linked(record_type.name):
            if (known_at := getattr(record, record_type.known_from)) is not None:
                yield f"{record_type.name}/{record_type.id_of(record)}", known_at
