"""Reads rows that grant power, only if they match their newest audit event.

Someone who can write to the database cannot append audit events unnoticed. So they gain nothing
from changing a row for a moment: a password, a role, a scope, the end of an account, a colleague's
proposal. A result is cached until another event concerns the same object.
"""

import json
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, Row, Select, Text, type_coerce
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

from serving.storage.row_audit.audit_chain import events_about
from serving.storage.row_audit.digests import row_digest
from serving.storage.row_audit.writer import WRITTEN, WrittenRows
from serving.storage.tables.audit import audit_events
from serving.storage.tables.column_types import Converted, stored_columns
from serving.storage.tables.schema import metadata

log = structlog.get_logger(__name__)

MAX_REMEMBERED = 10_000

_Object = tuple[str, str]
_Key = str | int


class AuditedRows:
    """A reader of one table that checks rows against the audit log.

    `object_kind` is the kind of object that the events of the table are about.
    """

    def __init__(self, name: str, object_kind: str):
        self._table = metadata.tables[name]
        self._object_kind = object_kind
        self._remembered: dict[_Key, tuple[int, str]] = {}

    def read(self, connection: Connection, query: Select[Any], *also: str) -> Row[Any] | None:
        """Return the row of a query whose first column is its key; None if it fails the audit.

        `also` names further objects whose events may concern it. The row is read twice, in case
        another worker wrote it in between.
        """
        # As stored: values are converted only once they are known to be the service's own.
        stored = query.with_only_columns(*stored_columns(self._table))
        key = None
        for _ in range(2):
            row = connection.execute(stored).first()
            if row is None:
                return None
            if self._is_audited(connection, row, also):
                return self._converted(row)
            key = row[0]
        log.error("row_not_as_audited", table=self._table.name, key=key)
        return None

    def _converted(self, row: Row[Any]) -> Row[Any]:
        """Return a row with the values that its columns have in Python."""
        types = [column.type for column in self._table.columns]
        values = (
            kind.load(value) if value is not None and isinstance(kind, Converted) else value
            for kind, value in zip(types, row, strict=True)
        )
        names = SimpleResultMetaData(row._fields)
        result: IteratorResult[Any] = IteratorResult(names, iter([tuple(values)]))
        return result.one()

    def _is_audited(self, connection: Connection, row: Row[Any], also: Sequence[str]) -> bool:
        key, digest = row[0], row_digest(dict(row._mapping))
        if (written := WrittenRows.of(connection)) and written.has_written(
            self._table.name, (key,)
        ):
            # Written by this very transaction, whose events are appended at its end.
            return True
        own = [(self._object_kind, name) for name in dict.fromkeys((str(key), *also)) if name]
        objects = [*own, ("table", self._table.name)]
        newest = max(newest_place(connection, each) for each in objects)
        if self._remembered.get(key) == (newest, digest):
            return True
        told = (0, "")
        for each in objects:
            told = self._told(connection, each, key, told[0]) or told
        if told[1] != digest:
            return False
        if len(self._remembered) >= MAX_REMEMBERED:
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
        columns, name = audit_events.c, self._table.name
        text = type_coerce(columns.details, Text)
        query = (
            events_about(*of)
            .with_only_columns(columns.seq, columns.details)
            .where(columns.seq > after, text.contains(json.dumps(name), autoescape=True))
            .order_by(columns.seq.desc())
        )
        for seq, details in connection.execute(query):
            for row in details.get(WRITTEN, {}).get(name, ()):
                if row["key"] == [key]:
                    return seq, row["sha256"] or ""
        return None


def newest_place(connection: Connection, of: tuple[str, str]) -> int:
    """Return the number of the newest event about an object; 0 if there is none."""
    seq = audit_events.c.seq
    newest = events_about(*of).with_only_columns(seq).order_by(seq.desc()).limit(1)
    return connection.scalar(newest) or 0
