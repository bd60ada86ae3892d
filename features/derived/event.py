"""The columns of an event of a subject: whether it happened at the destination, and when."""

from features.engine.columns import Columns
from features.records import SubjectKind


def derive_event(kind: SubjectKind, event: Columns, subject: Columns) -> Columns:
    """The columns of an event relative to its subject."""
    return {
        "subject_id": event["subject_id"],
        "known_at": event["known_at"],
        "record_id": event["event_id"],
    }
