"""The limits of the size of a message."""

from dataclasses import dataclass

from features.errors import MessageRefused, MessageTooLarge

_MEBIBYTE = 1024 * 1024
# Characters of the place of an element, which every element has with it.
MAX_PLACE = 1_000


@dataclass(frozen=True)
class Bounds:
    """The limits of one message: beyond them it is refused before work is spent on it.

    `elements` are those of a tree; of attributes, of comments and instructions, and of segments
    there may be as many too. `subjects` and `records` are the journeys and shipments, and the other
    records, that one message may make, and `sentences` those of AIS that are decoded; None of a
    command, which has no other callers.
    """

    size: int = 16 * _MEBIBYTE
    depth: int = 64
    elements: int = 500_000
    subjects: int | None = None
    records: int | None = None
    sentences: int | None = None

    def check_size(self, message: bytes) -> None:
        """Raise MessageRefused for a message of too many bytes, or of none."""
        if not message.strip(b"\x00 \t\r\n"):
            raise MessageRefused("line 1", "want a message; it is empty")
        if len(message) > self.size:
            raise MessageTooLarge("line 1", f"want at most {self.size / _MEBIBYTE:g} MiB")

    def check_count(self, count: int, place: str) -> None:
        """Raise MessageTooLarge where a message has too many elements."""
        if count > self.elements:
            raise MessageTooLarge(place, f"want at most {self.elements:,} elements")

    def check_place(self, place: str) -> None:
        """Raise MessageTooLarge where the place of an element is too long."""
        if len(place) > MAX_PLACE:
            wanted = f"want names that make places of at most {MAX_PLACE:,} characters"
            raise MessageTooLarge(place[:MAX_PLACE], wanted)

    def check_sentences(self, count: int, place: str) -> None:
        """Raise MessageTooLarge where there are too many sentences of AIS."""
        if self.sentences is not None and count > self.sentences:
            raise MessageTooLarge(place, f"want at most {self.sentences:,} sentences of AIS")

    def check_records(self, subjects: int, records: int, place: str) -> None:
        """Raise MessageTooLarge where a message makes too many subjects or other records."""
        if self.subjects is not None and subjects > self.subjects:
            wanted = f"want at most {self.subjects:,} journeys and shipments in a message"
            raise MessageTooLarge(place, wanted)
        if self.records is not None and records > self.records:
            raise MessageTooLarge(place, f"want at most {self.records:,} records in a message")
