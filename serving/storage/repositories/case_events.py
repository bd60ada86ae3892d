"""Stores an event of a case together with its audit event."""

from sqlalchemy import Connection, func, select

from serving.access.acting import current_actor
from serving.integrity.audit_log import AuditEvent
from serving.review.cases.case_records import StoredEvent
from serving.storage.encrypted_cases import EncryptedCases
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.tables.review import case_events


def insert_event(connection: Connection, encrypted: EncryptedCases, event: StoredEvent) -> None:
    """Store an event in a transaction that is already writing."""
    last = connection.scalar(select(func.coalesce(func.max(case_events.c.seq), 0))) or 0
    kept = encrypted.event(event, connection)
    connection.execute(case_events.insert().values(seq=last + 1, **kept))
    act = AuditEvent(event.at, current_actor(), event.action, "case", event.case_id)
    append_audit_events(connection, [act])
