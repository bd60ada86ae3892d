"""Records the rows that a transaction writes, with their digests in its last audit event.

Statements are watched rather than callers, so no code that writes through `writing` can forget it.
The rows of an UPDATE or a DELETE are determined before it runs, and read again before the commit. A
statement in plain text is not seen: `verify-log` reports its changes like any other manipulation.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Delete,
    Engine,
    Float,
    Insert,
    Integer,
    LargeBinary,
    Table,
    Update,
    event,
    select,
    tuple_,
)

from serving.access.acting import current_actor
from serving.integrity.audit_log import AuditEvent
from serving.storage.row_audit.audit_chain import append_to_chain
from serving.storage.row_audit.digests import column_digests, row_digest
from serving.storage.row_audit.tables import COVERED, TOLD_WITH
from serving.storage.tables.column_types import Converted, stored_columns
from serving.storage.tables.schema import metadata

# The key in an event's details that lists rows by table, each with its key and digest. `sha256` is
# null for a deleted row and `before` for a new one. With `before`, a manipulated row stays
# detectable after the service writes it again. `columns` is present only if few rows were written.
WRITTEN = "written"

# Column digests only serve to name a changed column, and would bloat events of many rows.
MAX_WITH_COLUMNS = 20
MAX_PER_EVENT = 1_000
_READ_TOGETHER = 100

_OPTION = "written_rows"
_AS_STORED = ((Float, float), (Integer, int), (LargeBinary, memoryview))

_Key = tuple[Any, ...]
_Object = tuple[str, str]
_ToldRow = tuple[str, dict[str, Any]]
_ToldRows = dict[str, list[dict[str, Any]]]


@dataclass
class WrittenRows:
    """The rows that one transaction wrote, and its events, until they are appended.

    A row of None must be read again before the commit.
    """

    connection: Connection
    events: list[AuditEvent] = field(default_factory=list)
    _rows: dict[str, dict[_Key, Mapping[str, Any] | None]] = field(default_factory=dict)
    _before: dict[str, dict[_Key, str | None]] = field(default_factory=dict)
    _objects: dict[tuple[str, _Key], _Object] = field(default_factory=dict)

    @classmethod
    def watched(cls, connection: Connection) -> "WrittenRows":
        """Watch what a transaction writes from now on."""
        written = cls(connection)
        connection.execution_options(**{_OPTION: written})
        return written

    @classmethod
    def of(cls, connection: Connection) -> "WrittenRows | None":
        """Return the watcher of a transaction; None if there is none."""
        found: WrittenRows | None = connection.get_execution_options().get(_OPTION)
        return found

    def append_events(self) -> None:
        """Append the events of this transaction before it commits; the last one lists the rows.

        A row whose id is the object of an earlier event is listed there. Rows of tables in
        `TOLD_WITH` are only listed in an event about their object.
        """
        events, told_by, rest = [*self.events], dict[int, _ToldRows](), list[_ToldRow]()
        own = {event.object_id: place for place, event in enumerate(events[:-1])}
        about = {(event.object_kind, event.object_id): n for n, event in enumerate(events)}
        for name, row in self._digested():
            key = tuple(row["key"])
            if (of := self._objects.get((name, key))) and of not in about:
                about[of] = len(events)
                events.append(_by_itself(self.connection, *of))
            place = about[of] if of else own.get(key[0]) if len(key) == 1 else None
            if place is None:
                rest.append((name, row))
            else:
                told_by.setdefault(place, {}).setdefault(name, []).append(row)
        # Many rows are split over several events, since a reader parses each event whole.
        for number, part in enumerate(_in_parts(iter(rest))):
            place = len(self.events) - 1 if number == 0 else -1
            if place < 0:
                place = len(events)
                events.append(_by_itself(self.connection, "table", ", ".join(part)))
            told_by.setdefault(place, {}).update(part)
        told = (
            replace(event, details={**event.details, WRITTEN: told_by[n]})
            if n in told_by
            else event
            for n, event in enumerate(events)
        )
        append_to_chain(self.connection, told)

    def has_written(self, name: str, key: _Key) -> bool:
        """Return whether this transaction wrote a row of a covered table."""
        return key in self._rows.get(name, {})

    def note_concerned(self, statement: Update | Delete, parameters: Sequence[Any]) -> None:
        """Note the rows that a statement will change or delete, for each set of `parameters`.

        Must run before the statement: afterwards its condition may match other rows.
        """
        if (table := _covered(statement)) is not None:
            concerned = select(*stored_columns(table))
            if statement.whereclause is not None:
                concerned = concerned.where(statement.whereclause)
            for given in parameters:
                found = self.connection.execute(
                    concerned, given, execution_options={"yield_per": _READ_TOGETHER}
                )
                for row in found.mappings():
                    key = tuple(row[column.name] for column in table.primary_key)
                    self._note(table.name, key, None, before=dict(row))
                    self._note_object(table.name, key, dict(row))

    def note_inserted(self, statement: Insert, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Note the rows that a statement has inserted."""
        if (table := _covered(statement)) is not None:
            is_plain = type(statement) is Insert  # an upsert may have changed a row
            for given in parameters:
                key = tuple(given[column.name] for column in table.primary_key)
                row = _stored(table, given) if is_plain else None
                self._note(table.name, key, row, before=None)
                self._note_object(table.name, key, given)

    def _note(
        self,
        name: str,
        key: _Key,
        row: Mapping[str, Any] | None,
        *,
        before: Mapping[str, Any] | None,
    ) -> None:
        rows = self._rows.setdefault(name, {})
        # Only the first state counts as the one before the transaction.
        if key not in rows:
            digest = None if before is None else row_digest(before)
            self._before.setdefault(name, {})[key] = digest
        rows[key] = row

    def _note_object(self, name: str, key: _Key, row: Mapping[str, Any]) -> None:
        if name in TOLD_WITH:
            kind, column = TOLD_WITH[name]
            self._objects[name, key] = (kind, row[column])

    def _digested(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the table and the audit entry of each row that was written."""
        for name in sorted(self._rows):
            rows = self._rows[name]
            with_columns = len(rows) <= MAX_WITH_COLUMNS
            unread = [key for key, row in rows.items() if row is None]
            now = rows | _read(self.connection, metadata.tables[name], unread)
            for key, row in now.items():
                told = digest_of_row(key, row, with_columns=with_columns)
                yield name, told | {"before": self._before[name][key]}


@contextmanager
def unwatched(connection: Connection) -> Iterator[None]:
    """Write rows without recording them, since the audit chain is copied along with them."""
    written = WrittenRows.of(connection)
    connection.execution_options(**{_OPTION: None})
    try:
        yield
    finally:
        connection.execution_options(**{_OPTION: written})


def watch(engine: Engine) -> None:
    """Let transactions begun by `writing` note what they write."""

    # Before it runs, because its condition may not match the changed rows afterwards.
    @event.listens_for(engine, "before_execute")
    def _before(connection: Connection, statement: Any, many: Any, one: Any, _: Any) -> None:
        if isinstance(statement, Update | Delete) and (written := WrittenRows.of(connection)):
            written.note_concerned(statement, many or [one])

    @event.listens_for(engine, "after_execute")
    def _after(
        connection: Connection, statement: Any, _: Any, __: Any, ___: Any, result: Any
    ) -> None:
        if isinstance(statement, Insert) and (written := WrittenRows.of(connection)):
            written.note_inserted(statement, result.context.compiled_parameters)


def digest_of_row(
    key: _Key, row: Mapping[str, Any] | None, *, with_columns: bool
) -> dict[str, Any]:
    """Return an event's entry of a row; `row` is None for a deleted one."""
    told: dict[str, Any] = {"key": list(key), "sha256": None if row is None else row_digest(row)}
    return told | {"columns": column_digests(row)} if row is not None and with_columns else told


def _covered(statement: Any) -> Table | None:
    table = statement.table
    is_ours = table.name in COVERED and metadata.tables[table.name] is table
    return table if is_ours else None


def _stored(table: Table, parameters: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return a row as the database will return it; None if the database fills in a value."""
    row = {}
    for column in table.columns:
        value = parameters.get(column.name)
        if value is None and column.server_default is not None:
            return None
        for kind, as_stored in _AS_STORED:
            if value is not None and isinstance(column.type, kind):
                value = as_stored(value)
        if value is not None and isinstance(column.type, Converted):
            value = column.type.dump(value)
        row[column.name] = value
    return row


def _read(
    connection: Connection, table: Table, keys: Sequence[_Key]
) -> dict[_Key, Mapping[str, Any] | None]:
    """Return the present rows by key; None for rows that no longer exist."""
    found: dict[_Key, Mapping[str, Any] | None] = dict.fromkeys(keys)
    columns = [*table.primary_key]
    for begin in range(0, len(keys), _READ_TOGETHER):
        some = keys[begin : begin + _READ_TOGETHER]
        query = select(*stored_columns(table)).where(tuple_(*columns).in_(some))
        for row in connection.execute(query).mappings():
            found[tuple(row[column.name] for column in columns)] = dict(row)
    return found


def _in_parts(
    rows: Iterator[tuple[str, dict[str, Any]]],
) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Yield rows by table, at most MAX_PER_EVENT at a time."""
    part: dict[str, list[dict[str, Any]]] = {}
    for count, (table, told) in enumerate(rows, start=1):
        part.setdefault(table, []).append(told)
        if count % MAX_PER_EVENT == 0:
            yield part
            part = {}
    if part:
        yield part


def _by_itself(connection: Connection, kind: str, object_id: str) -> AuditEvent:
    """Return an event for rows that no other event of their transaction lists."""
    return AuditEvent(now(connection), current_actor(), "write_rows", kind, object_id)


def now(connection: Connection) -> datetime:
    """Return the present time by the clock that the database was opened with."""
    clock: Callable[[], datetime] = connection.get_execution_options()["clock"]
    return clock()
