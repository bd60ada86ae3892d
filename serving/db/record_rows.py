"""Rows of records that came by themselves, as they come and go."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RecordRow:
    """One record of one kind (`legs`, `documents` …) as JSON, with the subject it is about."""

    kind: str
    record_id: str
    subject_kind: str
    subject_id: str
    received_at: str
    caller_id: str
    body: str
    purpose: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What the record is known by."""
        return self.kind, self.record_id
