"""Messages as they come from a broker and as they go to one, whichever it is."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

ID_HEADERS = ("message-id", "nats-msg-id")
CLOUD_EVENT_HEADERS = (("ce_source", "ce_id"), ("ce-source", "ce-id"))
KIND_HEADER = "tidegate-kind"
LONGEST_ID = 1_024  # characters
_PLAIN = re.compile(r"[\x21-\x7e]{1,160}")


@dataclass(frozen=True)
class StreamMessage:
    """A message that came: its bytes, and where the broker keeps it.

    `reader` is the group or consumer that it came to. `place` names it for people, `position` is
    the same at each delivery and at no other message's, also where a topic was made anew. `lane` is
    what it is kept in order with. Names of headers are in small letters. `receipt` is the broker's
    own, to acknowledge it by.
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
        """The sender's id, else the position; a digest where no header can carry it back."""
        given = self._given_id() or self.position
        is_carried = given.isprintable() and given == given.strip() and len(given) <= LONGEST_ID
        return given if is_carried else _digest(given)

    @property
    def idempotency_key(self) -> str:
        """One key for a message however often it comes, and for no other topic's."""
        return _plain(f"{self.topic}/{self.id}")

    @property
    def origin(self) -> str:
        """A key that is the same however often the message comes, and unique to it.

        Senders may give several messages one id.
        """
        return _plain(f"{self.topic}/{self.reader}/{self.position}")

    def _given_id(self) -> str | None:
        for name in ID_HEADERS:
            if self.headers.get(name):
                return self.headers[name]
        for source, name in CLOUD_EVENT_HEADERS:  # an id of theirs is unique in its source alone
            if self.headers.get(name):
                return f"{self.headers.get(source, '')}#{self.headers[name]}"
        return None


@dataclass(frozen=True)
class Outgoing:
    """A message to a broker.

    Readers know what comes twice by `id`. JetStream forgets a second one of the same `role` and
    `origin` at a subject.
    """

    id: str
    role: str
    origin: str
    body: bytes
    key: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def all_headers(self) -> dict[str, str]:
        """The headers, with the id."""
        return {"message-id": self.id, "content-type": "application/json", **self.headers}


def _plain(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _digest(text)


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
