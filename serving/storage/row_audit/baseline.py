"""Records digests of covered tables as they are: at the first event and after a migration.

The event `begin_audit` names the tables that are covered from then on. Rows that existed before are
recorded by events of the same action; rows of a table that a migration changed, by `migrate`. A
manipulation before such a migration is not found after it: verify the log before an upgrade.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Inspector,
    column,
    inspect,
    select,
    table,
    text,
    tuple_,
)

from serving.access.acting import current_actor
from serving.integrity.audit_log import AuditEvent
from serving.storage.row_audit.audit_chain import append_to_chain
from serving.storage.row_audit.digests import row_digest
from serving.storage.row_audit.tables import COVERED
from serving.storage.row_audit.writer import WRITTEN, digest_of_row, now

_PAGE = 1_000

BEGIN = "begin_audit"


def covered_digests(connection: Connection) -> dict[str, str]:
    """Return the digest of each covered table, over all its rows in key order."""
    inspector = inspect(connection)
    if not inspector.has_table("audit_events"):
        return {}
    begun = text("SELECT details FROM audit_events WHERE action = :begin AND object_kind = 'log'")
    told = connection.scalars(begun, {"begin": BEGIN}).all()
    names = {name for details in told for name in json.loads(details)["tables"]}
    there = names.intersection(COVERED, inspector.get_table_names())
    return {name: _digest(connection, inspector, name) for name in sorted(there)}


def cover_changed(connection: Connection, before: Mapping[str, str]) -> None:
    """Record the rows of newly covered tables and of tables that differ from `before`."""
    inspector = inspect(connection)
    there = sorted(set(inspector.get_table_names()).intersection(COVERED))
    if new := [name for name in there if name not in before]:
        begins = _event(connection, BEGIN, "log", "audit_events", {"tables": new})
        append_to_chain(connection, [begins])
        for name in _not_empty(connection, new):
            _tell(connection, inspector, name, BEGIN)
    # Only tables that the migration changed are recorded again.
    for name in before:
        if name in there and before[name] != _digest(connection, inspector, name):
            _tell(connection, inspector, name, "migrate")


def _not_empty(connection: Connection, names: Sequence[str]) -> Sequence[str]:
    """Return the tables that have rows; in a new database none has, which speeds up its start."""
    # As text, because SQLAlchemy takes longer to build a union of so many parts than the database
    # takes to run it.
    has_rows = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names]  # noqa: S608 - of `COVERED`
    return sorted(connection.scalars(text(" UNION ALL ".join(has_rows))))


def _digest(connection: Connection, inspector: Inspector, name: str) -> str:
    digest = hashlib.sha256()
    for page in _pages(connection, inspector, name):
        for _, row in page:
            digest.update(row_digest(row).encode())
    return digest.hexdigest()


def _tell(connection: Connection, inspector: Inspector, name: str, action: str) -> None:
    """Append an event for each page of a table; an empty table gets none."""
    for page in _pages(connection, inspector, name):
        rows = [digest_of_row(key, row, with_columns=False) for key, row in page]
        event = _event(connection, action, "table", name, {WRITTEN: {name: rows}})
        append_to_chain(connection, [event])


def _event(
    connection: Connection, action: str, kind: str, object_id: str, details: Mapping[str, Any]
) -> AuditEvent:
    return AuditEvent(now(connection), current_actor(), action, kind, object_id, details)


def _pages(
    connection: Connection, inspector: Inspector, name: str
) -> Iterator[list[tuple[tuple[Any, ...], Mapping[str, Any]]]]:
    """Yield the rows of a table by key, with the columns it has at present.

    Columns come from the database, since a migration may just have changed them.
    """
    names = [each["name"] for each in inspector.get_columns(name)]
    rows = table(name, *map(column, names))
    keys = [rows.c[key] for key in inspector.get_pk_constraint(name)["constrained_columns"]]
    query = select(rows).order_by(*keys).limit(_PAGE)
    page = _read(connection, query, keys)
    while page:
        yield page
        after = query.where(tuple_(*keys) > page[-1][0])
        page = _read(connection, after, keys) if len(page) == _PAGE else []


def _read(
    connection: Connection, query: Any, keys: list[Any]
) -> list[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    rows = connection.execute(query).mappings()
    return [(tuple(row[key.name] for key in keys), dict(row)) for row in rows]
