"""Reads rows that grant power, only if they match their newest audit event.

Someone who can write to the database cannot append audit events unnoticed. So they gain nothing
from changing a row for a moment: a password, a role, a scope, the end of an account, a colleague's
proposal. A result is cached until another event concerns the same object.
"""

import json
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, Row, Select, and_, select

from serving.storage.row_audit.digests import row_digest
from serving.storage.row_audit.writer import WRITTEN, WrittenRows
from serving.storage.tables.audit import audit_events

log = structlog.get_logger(__name__)

MOST_REMEMBERED = 10_000

_Object = tuple[str, str]
_Key = str | int


class AuditedRows:
    """A reader of one table that checks rows against the audit log.

    `object_kind` is the kind of object that the events of the table are about.
    """

    def __init__(self, name: str, object_kind: str):
        self._name = name
        self._object_kind = object_kind
        self._remembered: dict[_Key, tuple[int, str]] = {}

    def read(self, connection: Connection, query: Select[Any], *also: str) -> Row[Any] | None:
        """Return the row of a query whose first column is its key; None if it fails the audit.

        `also` names further objects whose events may concern it. The row is read twice, in case
        another worker wrote it in between.
        """
        row = connection.execute(query).first()
        if row is None or self._is_audited(connection, row, also):
            return row
        again = connection.execute(query).first()
        if again is None or self._is_audited(connection, again, also):
            return again
        log.error("row_not_as_audited", table=self._name, key=row[0])
        return None

    def _is_audited(self, connection: Connection, row: Row[Any], also: Sequence[str]) -> bool:
        key, digest = row[0], row_digest(dict(row._mapping))
        if (written := WrittenRows.of(connection)) and written.has_written(self._name, (key,)):
            # Written by this very transaction, whose events are appended at its end.
            return True
        own = [(self._object_kind, name) for name in dict.fromkeys((str(key), *also)) if name]
        objects = [*own, ("table", self._name)]
        newest = max(newest_place(connection, each) for each in objects)
        if self._remembered.get(key) == (newest, digest):
            return True
        told = (0, "")
        for each in objects:
            told = self._told(connection, each, key, told[0]) or told
        if told[1] != digest:
            return False
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = newest, digest
        return True

    def _told(
        self,
        connection: Connection,
        of: _Object,
        key: _Key,
        after: int,
        # Each object is searched only after the newest event found so far: the newest one counts.
    ) -> tuple[int, str] | None:
        """Return the newest event after a number that concerns a row, with the row's digest."""
        # The text filter skips events of other tables before any JSON is parsed.
        query = (
            select(audit_events.c.seq, audit_events.c.details)
            .where(_is(of), audit_events.c.seq > after)
            .where(audit_events.c.details.contains(json.dumps(self._name), autoescape=True))
            .order_by(audit_events.c.seq.desc())
        )
        for seq, details in connection.execute(query):
            for row in json.loads(details).get(WRITTEN, {}).get(self._name, ()):
                if row["key"] == [key]:
                    return seq, row["sha256"] or ""
        return None


def newest_place(connection: Connection, of: tuple[str, str]) -> int:
    """Return the number of the newest event about an object; 0 if there is none."""
    query = select(audit_events.c.seq).where(_is(of)).order_by(audit_events.c.seq.desc()).limit(1)
    return connection.scalar(query) or 0


def _is(of: _Object) -> Any:
    kind, object_id = of
    return and_(audit_events.c.object_kind == kind, audit_events.c.object_id == object_id)
