"""The audit log: who read, decided, signed in or changed what, each event chained to the last."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from serving.access.actors import Actor


@dataclass(frozen=True)
class AuditEvent:
    """One act or reading: `action` is a verb (`read`, `sign_in`), on one object of a kind.

    `details` is what JSON can say; neither ids of parties nor words of a person are in it.
    """

    at: datetime
    actor: Actor
    action: str
    object_kind: str
    object_id: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedEvent:
    """An event as the log has it; `details` without the rows whose digests it tells."""

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
    """Which events are asked for; None asks for all. `before_seq` is where the last page ended."""

    actor: str | None = None
    action: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    before_seq: int | None = None


def next_audit_link(link: bytes, row: Mapping[str, Any]) -> bytes:
    """The link of a row that follows `link`; it covers every column but the link itself."""
    covered = {name: value for name, value in row.items() if name != "chain"}
    line = json.dumps(covered, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(link + line.encode()).digest()
