"""Audit events on disk; appended to one chain, never changed."""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from serving.audit.audit_log import AuditEvent
from serving.audit.hash_chain import LogHead
from serving.db.audit_chain import append_to_chain, audit_head
from serving.db.engine import failing_as_unavailable
from serving.db.write_lock import writing
from serving.db.written_rows import WrittenRows


class AuditRepository:
    """The audit events of one database."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def append(self, *events: AuditEvent) -> None:
        """Store events, all or none, durable when this returns; raises LogUnavailable."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            append_audit_events(connection, events)

    def head(self) -> LogHead:
        """How many audit events there are, and the link of the newest."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return audit_head(connection)


def append_audit_events(connection: Connection, events: Sequence[AuditEvent]) -> None:
    """Store events in a transaction that is already writing, with what they tell of.

    They are appended when it ends: the last of them tells the rows that it wrote.
    """
    if written := WrittenRows.of(connection):
        written.events.extend(events)
    else:
        append_to_chain(connection, events)
