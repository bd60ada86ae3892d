"""Records received without a submission, and their storage."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from features.records import RECORD_FILES, Record
from features.subject_types import SUBJECT_TYPES
from features.submission import submitted_subject

T = TypeVar("T")

# Every record type can be sent alone; a shipment includes its declared goods items.
RECEIVED_TYPES: dict[str, type[Record]] = RECORD_FILES | {
    each.record_file: submitted_subject(kind) for kind, each in SUBJECT_TYPES.items()
}

# The kind of subject that a record type declares.
SUBJECT_KIND_OF = {each.record_file: kind for kind, each in SUBJECT_TYPES.items()}


@dataclass(frozen=True)
class ReceivedRecord:
    """One record of one kind (`legs`, `documents` …) as JSON, with its subject."""

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
        """The key of the record: its kind and id."""
        return self.kind, self.record_id

    @property
    def record(self) -> Record:
        """The parsed record."""
        return RECEIVED_TYPES[self.kind].model_validate_json(self.body)


@dataclass(frozen=True)
class StoredRecord:
    """A stored record: its body, which is empty once erased, and its sender."""

    body: str
    caller_id: str


def pages_of(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """Yield items in lists of at most `size`, so that few are in memory."""
    while page := list(islice(items, size)):
        yield page
