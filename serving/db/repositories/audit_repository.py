"""Audit events on disk; appended to one chain, never changed."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, select

from serving.audit.audit_log import AuditEvent, next_audit_link
from serving.audit.hash_chain import FIRST_LINK, LogHead
from serving.db.engine import failing_as_unavailable
from serving.db.tables import audit_events
from serving.db.write_lock import writing


class AuditRepository:
    """The audit events of one database."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def append(self, *events: AuditEvent) -> None:
        """Store events, all or none, durable when this returns; raises LogUnavailable."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            append_audit_events(connection, events)


def append_audit_events(connection: Connection, events: Sequence[AuditEvent]) -> LogHead:
    """Store events in a transaction that is already writing, with what they tell of."""
    last = select(audit_events.c.seq, audit_events.c.chain)
    newest = connection.execute(last.order_by(audit_events.c.seq.desc()).limit(1)).first()
    seq, link = (newest.seq, bytes(newest.chain)) if newest else (0, FIRST_LINK)
    rows: list[dict[str, Any]] = []
    for event in events:
        row = _row(event, seq := seq + 1)
        link = next_audit_link(link, row)
        rows.append({**row, "chain": link})
    if rows:
        connection.execute(audit_events.insert(), rows)
    return LogHead(seq, link.hex())


def _row(event: AuditEvent, seq: int) -> dict[str, Any]:
    return {
        "seq": seq,
        "at": event.at.isoformat(),
        "actor": event.actor.identity,
        "actor_name": event.actor.name,
        "action": event.action,
        "object_kind": event.object_kind,
        "object_id": event.object_id,
        "details": json.dumps(dict(event.details), sort_keys=True),
    }
