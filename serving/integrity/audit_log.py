"""The audit log: every reading, decision, sign-in and change, each event chained to the last."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from features.signed_documents import canonical_json
from serving.access.actors import Actor


@dataclass(frozen=True)
class AuditEvent:
    """An act or a reading: `action` is a verb (`read`, `sign_in`), applied to an object of a kind.

    `details` must be JSON, without ids of parties or text written by a person.
    """

    at: datetime
    actor: Actor
    action: str
    object_kind: str
    object_id: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedEvent:
    """A stored event; `details` lacks the rows whose digests it has."""

    seq: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    object_kind: str
    object_id: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class EventFilter:
    """A filter of events; None and no ids match everything.

    `before_seq` is the end of the last page.
    """

    actor: str | None = None
    action: str | None = None
    object_kind: str | None = None
    object_ids: tuple[str, ...] = ()
    begins: datetime | None = None
    ends: datetime | None = None
    before_seq: int | None = None


def next_audit_link(link: bytes, row: Mapping[str, Any]) -> bytes:
    """Return the link of a row that follows `link`, covering every column but the link itself."""
    # Every column but the link itself, so that none can be changed unnoticed.
    covered = {name: value for name, value in row.items() if name != "chain"}
    return hashlib.sha256(link + canonical_json(covered)).digest()
