"""Standard messages that came by themselves, and where they are kept as evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, InstanceOf, TypeAdapter

from features.messages.concerned_parts import ConcernedPart
from features.messages.stored_text import NO_TEXT, MessageText


@dataclass(frozen=True)
class PlacedRecord:
    """A record made of a message, and for each field the place in the message that says it.

    `cited_as` is what reasons cite it by: the id of a document, the number of a goods item.
    """

    record_type: str
    cited_as: str
    subject_kind: str
    subject_id: str
    places: dict[str, str]


@dataclass(frozen=True)
class MessageContent:
    """The content of a message without its persons; encrypted, and gone with its key.

    `request_digest` is that of body, format and options; `sha256` that of the body as it came.
    `text` is redacted, and empty where it could not be redacted surely, or was not read. `spans`
    has, for each place that a field came from, its first character and the one after its last, and
    `lines` its line from 1; `parts` say whom each stretch of the text concerns. `scored` are the
    subjects to decide about, in the order of their answers; `read_at` is when those records that do
    not say otherwise count as received.
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
        """The line, from 1, that says what stands at a place; None where no text is kept of it."""
        return self.lines.get(place)

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The subjects (kind, id) that its records are about, each once."""
        return tuple(dict.fromkeys((each.subject_kind, each.subject_id) for each in self.records))


# Reads and writes all of a content but its text.
CONTENT: TypeAdapter[MessageContent] = TypeAdapter(MessageContent)


def lines_of(text: MessageText, spans: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Return the line of each place, from 1."""
    lines: dict[str, int] = {}
    line, at = 1, 0
    for place, (start, _) in sorted(spans.items(), key=lambda each: each[1]):
        line, at = line + text.count_line_breaks(at, start), start
        lines[place] = line
    return lines


@dataclass(frozen=True)
class KeptMessage:
    """A message as it is kept: who sent it under which key, when, in which format, and what."""

    message_id: str
    caller_id: str
    idempotency_key: str
    received_at: str
    format: str
    content: MessageContent
