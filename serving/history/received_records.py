"""Records that were received by themselves, without a submission, and where they are stored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from features.records import RECORD_FILES, Record
from features.subject_types import SUBJECT_TYPES
from features.submission import submitted_subject

RECEIVED_TYPES: dict[str, type[Record]] = RECORD_FILES | {
    each.record_file: submitted_subject(kind) for kind, each in SUBJECT_TYPES.items()
}
"""What may come by itself: every record type; a shipment has the goods items that it declares."""

SUBJECT_KIND_OF = {each.record_file: kind for kind, each in SUBJECT_TYPES.items()}
"""The kind of subject that a record is the declaration of, by its type."""


@dataclass(frozen=True)
class ReceivedRecord:
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
        """What identifies the record: its kind and id."""
        return self.kind, self.record_id

    @property
    def record(self) -> Record:
        """The record itself."""
        return RECEIVED_TYPES[self.kind].model_validate_json(self.body)


@dataclass(frozen=True)
class KeptRecord:
    """What is kept under an id: its body, empty where it was erased, and who sent it."""

    body: str
    caller_id: str


class RecordStore(Protocol):
    """The received records. Every method raises LogUnavailable where it fails."""

    def add_new(
        self, records: Sequence[ReceivedRecord], *, raises_alerts: bool = True
    ) -> dict[tuple[str, str], KeptRecord]:
        """Store the new ones, durably; of each that was there, by key, what is kept under it.

        No two records may have one key. Without `raises_alerts` calls for help among them are known
        already to whoever is told of them.
        """
        ...

    def kept(self, records: Sequence[ReceivedRecord]) -> dict[tuple[str, str], KeptRecord]:
        """What is kept under the keys of these, of those that there are; stores nothing."""
        ...

    def about(
        self, subjects: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], list[ReceivedRecord]]:
        """The records about each subject (kind, id), in order of their kinds and ids."""
        ...

    def all(self, since: str = "", kinds: Iterable[str] = ()) -> Iterator[ReceivedRecord]:
        """Every record received since an instant (ISO) and not erased, in order of arrival.

        With `kinds`, of these alone.
        """
        ...
