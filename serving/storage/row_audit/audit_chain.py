"""Appends events to the audit chain, in a transaction that is already writing."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Select, select

from serving.integrity.audit_log import AuditEvent, next_audit_link
from serving.integrity.hash_chain import FIRST_LINK, LogHead
from serving.storage.tables.audit import audit_events
from serving.storage.tables.column_types import stored_insert


def append_to_chain(connection: Connection, events: Iterable[AuditEvent]) -> LogHead:
    """Append events to the chain, each linked to the one before; return the new head."""
    head = audit_head(connection)
    seq, link = head.size, bytes.fromhex(head.head)
    rows: list[dict[str, Any]] = []
    for event in events:
        row = _row(event, seq := seq + 1)
        link = next_audit_link(link, row)
        rows.append({**row, "chain": link})
    if rows:
        connection.execute(stored_insert(audit_events), rows)
    return LogHead(seq, link.hex())


def audit_head(connection: Connection) -> LogHead:
    """Return the number of audit events and the link of the newest."""
    last = select(audit_events.c.seq, audit_events.c.chain)
    newest = connection.execute(last.order_by(audit_events.c.seq.desc()).limit(1)).first()
    return (
        LogHead(newest.seq, bytes(newest.chain).hex()) if newest else LogHead(0, FIRST_LINK.hex())
    )


def events_about(kind: str, object_id: str, *actions: str) -> Select[Any]:
    """Select the events of these actions, or all, on one object."""
    columns = audit_events.c
    query = select(audit_events).where(columns.object_kind == kind, columns.object_id == object_id)
    return query.where(columns.action.in_(actions)) if actions else query


def _row(event: AuditEvent, seq: int) -> dict[str, Any]:
    """Return the row of an event as it is on disk, which its link is computed from."""
    return {
        "seq": seq,
        "at": event.at.isoformat(),
        "actor": event.actor.identity,
        "actor_name": event.actor.name,
        "action": event.action,
        "object_kind": event.object_kind,
        "object_id": event.object_id,
        # Sorted keys make the stored text reproducible, which the link is computed from.
        "details": json.dumps(dict(event.details), sort_keys=True),
    }
