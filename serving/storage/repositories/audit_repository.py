"""Audit events, appended to one chain and never changed."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from serving.integrity.audit_log import AuditEvent, EventFilter, RecordedEvent
from serving.integrity.hash_chain import LogHead
from serving.storage.repository import Repository
from serving.storage.row_audit.audit_chain import append_to_chain, audit_head
from serving.storage.row_audit.writer import WRITTEN, WrittenRows
from serving.storage.tables.audit import audit_events

_PAGE = 100


class AuditRepository(Repository):
    """The audit events of one database."""

    def append(self, *events: AuditEvent) -> None:
        """Store events, all or none; they are durable on return. Raises LogUnavailable."""
        with self._writing() as connection:
            append_audit_events(connection, events)

    def newest(self, wanted: EventFilter, limit: int) -> list[RecordedEvent]:
        """Return the events that match a filter, newest first; actors match by identity or name."""
        query = (
            select(audit_events)
            .where(*_conditions(wanted))
            .order_by(audit_events.c.seq.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            rows = connection.execution_options(yield_per=_PAGE).execute(query)
            return [_recorded(row) for row in rows]

    def count(self, wanted: EventFilter) -> int:
        """Return how many events match a filter."""
        query = select(func.count()).select_from(audit_events).where(*_conditions(wanted))
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def head(self) -> LogHead:
        """Return the number of audit events and the link of the newest."""
        with self._reading() as connection:
            return audit_head(connection)


def append_audit_events(connection: Connection, events: Sequence[AuditEvent]) -> None:
    """Store events in a transaction that is already writing, with the rows they concern.

    They are appended when the transaction ends, since the last of them lists the rows it wrote.
    """
    # Collected events and the digests of rows are appended together before the commit.
    if written := WrittenRows.of(connection):
        written.events.extend(events)
    else:
        append_to_chain(connection, events)


def _conditions(wanted: EventFilter) -> Iterator[ColumnElement[bool]]:
    columns = audit_events.c
    if wanted.actor is not None:
        yield or_(columns.actor == wanted.actor, columns.actor_name == wanted.actor)
    for name in ("action", "object_kind"):
        if (value := getattr(wanted, name)) is not None:
            yield columns[name] == value
    if wanted.object_ids:
        yield columns.object_id.in_(wanted.object_ids)
    if wanted.begins is not None:
        yield columns.at >= wanted.begins
    if wanted.ends is not None:
        yield columns.at < wanted.ends
    if wanted.before_seq is not None:
        yield columns.seq < wanted.before_seq


def _recorded(row: Row[Any]) -> RecordedEvent:
    # The digests of rows are for verification; readers of the log have no use for them.
    told = {name: value for name, value in row.details.items() if name != WRITTEN}
    return RecordedEvent(
        row.seq,
        row.at,
        row.actor,
        row.actor_name,
        row.action,
        row.object_kind,
        row.object_id,
        told,
    )
