"""The options and limits with which messages are read."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from features.errors import MessageRefused
from features.messages.id_templates import IdTemplate

_MEBIBYTE = 1024 * 1024
# Maximum number of characters of an element's location, a copy of which is stored per element.
MAX_PLACE = 1_000


@dataclass(frozen=True)
class Bounds:
    """The limits of one message, checked before any work is spent on it.

    `elements` counts the nodes of a tree; as many attributes, comments and instructions, and
    segments are allowed. `subjects` (journeys and shipments), `records` (all other records) and
    `sentences` (of AIS) limit what one message may create; None means no limit, for commands, which
    serve a single caller.
    """

    size: int = 16 * _MEBIBYTE
    depth: int = 64
    elements: int = 500_000
    subjects: int | None = None
    records: int | None = None
    sentences: int | None = None

    def check_size(self, message: bytes) -> None:
        """Raise MessageRefused if a message is empty or has too many bytes."""
        if not message.strip(b"\x00 \t\r\n"):
            raise MessageRefused("line 1", "want a message; it is empty")
        if len(message) > self.size:
            raise MessageRefused(
                "line 1", f"want at most {self.size / _MEBIBYTE:g} MiB", kind="too_large"
            )

    def check_count(self, count: int, place: str) -> None:
        """Raise MessageRefused if a message has too many elements."""
        if count > self.elements:
            raise MessageRefused(
                place, f"want at most {self.elements:,} elements", kind="too_large"
            )

    def check_place(self, place: str) -> None:
        """Raise MessageRefused if the location of an element is too long."""
        if len(place) > MAX_PLACE:
            wanted = f"want names that make places of at most {MAX_PLACE:,} characters"
            raise MessageRefused(place[:MAX_PLACE], wanted, kind="too_large")

    def check_sentences(self, count: int, place: str) -> None:
        """Raise MessageRefused if a message has too many AIS sentences."""
        if self.sentences is not None and count > self.sentences:
            raise MessageRefused(
                place, f"want at most {self.sentences:,} sentences of AIS", kind="too_large"
            )

    def check_records(self, subjects: int, records: int, place: str) -> None:
        """Raise MessageRefused if a message creates too many subjects or other records."""
        if self.subjects is not None and subjects > self.subjects:
            wanted = f"want at most {self.subjects:,} journeys and shipments in a message"
            raise MessageRefused(place, wanted, kind="too_large")
        if self.records is not None and records > self.records:
            raise MessageRefused(
                place, f"want at most {self.records:,} records in a message", kind="too_large"
            )


@dataclass(frozen=True)
class Options:
    """The options of reading messages.

    `key` makes the pseudonyms of parties. `received_at` is when the authority received the message;
    None means the time at which the message says it was sent. `zone` applies to times without one.
    The patterns find the shipment or journey in a payment's references. `heard_at` is the time of
    reception of AIS sentences that state none.
    """

    key: bytes
    received_at: datetime | None = None
    zone: tzinfo = UTC
    shipment_pattern: IdTemplate | None = None
    journey_pattern: IdTemplate | None = None
    heard_at: datetime | None = None
    bounds: Bounds = field(default_factory=Bounds)
