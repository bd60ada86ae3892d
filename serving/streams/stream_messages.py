"""Messages from and to a broker, independent of the kind of broker."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

ID_HEADERS = ("message-id", "nats-msg-id")
CLOUD_EVENT_HEADERS = (("ce_source", "ce_id"), ("ce-source", "ce-id"))
KIND_HEADER = "tidegate-kind"
MAX_ID_LENGTH = 1_024  # characters
# Idempotency keys go into an HTTP header, so other characters and lengths become a digest.
_PLAIN = re.compile(r"[\x21-\x7e]{1,160}")


@dataclass(frozen=True)
class StreamMessage:
    """A received message: its bytes, and its position at the broker.

    `reader` is the group or consumer that received it. `place` shows the position to people.
    `position` identifies the message: the same at every delivery, and different even if a topic is
    deleted and created again. Messages of one `lane` stay in order. Header names are in lower case.
    `receipt` is the broker's own object to acknowledge the message.
    """

    topic: str
    reader: str
    position: str
    place: Mapping[str, Any]
    lane: str
    key: bytes | None
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    receipt: Any = None

    @cached_property
    def id(self) -> str:
        """The sender's id, else the position; a digest if a header cannot carry it."""
        given = self._given_id() or self.position
        is_carried = given.isprintable() and given == given.strip() and len(given) <= MAX_ID_LENGTH
        return given if is_carried else _digest(given)

    @property
    def idempotency_key(self) -> str:
        """A key that is equal for all deliveries of a message, and differs between topics."""
        return _plain(f"{self.topic}/{self.id}")

    @property
    def origin(self) -> str:
        """A key that is equal for all deliveries of a message and unique to it.

        The id is not enough: senders may give several messages one id.
        """
        return _plain(f"{self.topic}/{self.reader}/{self.position}")

    def _given_id(self) -> str | None:
        for name in ID_HEADERS:
            if self.headers.get(name):
                return self.headers[name]
        for source, name in CLOUD_EVENT_HEADERS:  # their ids are unique only within a source
            if self.headers.get(name):
                return f"{self.headers.get(source, '')}#{self.headers[name]}"
        return None


@dataclass(frozen=True)
class Outgoing:
    """A message to send to a broker.

    Readers detect duplicates by `id`. JetStream drops a second message with the same `role` and
    `origin` for a subject.
    """

    id: str
    role: str
    origin: str
    body: bytes
    key: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def all_headers(self) -> dict[str, str]:
        """Return the headers, including the id and the content type."""
        return {"message-id": self.id, "content-type": "application/json", **self.headers}


def _plain(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _digest(text)


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
