"""Standard messages received directly, and their storage as evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, InstanceOf, TypeAdapter

from features.messages.concerned_parts import ConcernedPart
from features.messages.stored_text import NO_TEXT, MessageText


@dataclass(frozen=True)
class PlacedRecord:
    """A record made from a message, and the location in the message of each field.

    Reasons cite it as `cited_as`: the id of a document or the number of a goods item.
    """

    record_type: str
    cited_as: str
    subject_kind: str
    subject_id: str
    places: dict[str, str]


@dataclass(frozen=True)
class MessageContent:
    """The content of a message without personal data; encrypted, and lost with its key.

    `request_digest` covers body, format and options; `sha256` the body as received. `text` is
    redacted; it is empty if redaction was uncertain or the text was not read. `spans` gives the
    start and end offset of each place that a field came from, and `lines` its line from 1. `parts`
    are the stretches of the text with the subjects they concern. `scored` are the subjects to
    decide about, in the order of their answers. `read_at` is the time of receipt of records without
    one of their own.
    """

    request_digest: str
    sha256: str
    size_bytes: int
    read_at: str
    report: dict[str, Any]
    records: tuple[PlacedRecord, ...]
    scored: tuple[tuple[str, str], ...]
    text: Annotated[InstanceOf[MessageText], Field(exclude=True)] = NO_TEXT
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    parts: tuple[ConcernedPart, ...] = ()
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, place: str) -> int | None:
        """Return the line of a place, from 1; None if its text is not stored."""
        return self.lines.get(place)

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The subjects (kind, id) of its records, each once."""
        return tuple(dict.fromkeys((each.subject_kind, each.subject_id) for each in self.records))


# Serializes a content without its text, which is stored elsewhere.
CONTENT: TypeAdapter[MessageContent] = TypeAdapter(MessageContent)


def lines_of(text: MessageText, spans: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Return the line of each place, from 1."""
    lines: dict[str, int] = {}
    line, at = 1, 0
    # In order of position, so that each stretch of the text is counted only once.
    for place, (start, _) in sorted(spans.items(), key=lambda each: each[1]):
        line, at = line + text.count_line_breaks(at, start), start
        lines[place] = line
    return lines


@dataclass(frozen=True)
class KeptMessage:
    """A stored message: sender, idempotency key, time of receipt, format and content."""

    message_id: str
    caller_id: str
    idempotency_key: str
    received_at: str
    format: str
    content: MessageContent
