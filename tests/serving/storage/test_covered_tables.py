"""Whatever is done behind the service's back to a table that tells who did what is located."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Table,
    event,
    inspect,
    literal,
    select,
    text,
    tuple_,
)

from serving.access.acting import begin_acting
from serving.access.actors import SERVICE, Actor
from serving.access.api_keys import new_key
from serving.storage.migration import take_steps
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.row_audit.tables import COVERED, NOT_COVERED
from serving.storage.tables.access import accounts
from serving.storage.tables.audit import audit_events
from serving.storage.tables.column_types import (
    FLAG,
    INSTANT,
    JSON,
    TEXTS,
    Converted,
    stored_type,
)
from serving.storage.tables.monitor import alerts
from serving.storage.tables.schema import metadata
from serving.storage.verification.audit_verification import AuditProof, verify_audit_log
from serving.storage.verification.log_verification import ProvenHead
from serving.storage.write_lock import write_transaction
from tests.counts import count
from tests.serving.conftest import NOW
from tests.serving.databases import database

assert alerts is not None  # the tables of monitoring are among those of the database
ROWS = 12


def random_value(column: Any, lots: random.Random) -> Any:
    if isinstance(column.type, Converted):
        return random_converted(column.type, lots)
    if isinstance(column.type, Integer):
        return lots.randrange(1, 2**40 if isinstance(column.type, BigInteger) else 2**31)
    if isinstance(column.type, Float):
        return lots.random()
    content = lots.randbytes(12)
    return content if isinstance(column.type, LargeBinary) else content.hex()


def random_converted(kind: Converted[Any], lots: random.Random) -> Any:
    name = lots.randbytes(12).hex()
    values = {
        INSTANT: NOW + timedelta(microseconds=lots.randrange(2**40)),
        TEXTS: (name,),
        JSON: {"a": name},
        FLAG: lots.random() < 0.5,
    }
    return values[kind]


def random_row(table: Table, lots: random.Random) -> dict[str, Any]:
    """A row that nobody has: every column holds something, or, if it may, sometimes nothing."""
    return {
        column.name: None
        if column.nullable and lots.random() < 0.3
        else random_value(column, lots) % 2**31
        if type(column.type) is Integer
        else random_value(column, lots)
        for column in table.columns
    }


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """A transaction of somebody who has the database, and took its guards off."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            guards = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for name in connection.exec_driver_sql(guards).scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.exec_driver_sql("COMMIT")
        connection.invalidate()


def let_references_dangle(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA foreign_keys = OFF")


@pytest.fixture
def filled(where: Path | str) -> Engine:
    """A database with rows in every covered table, each written as the service writes."""
    engine, lots = database(where), random.Random(5)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", let_references_dangle)
        engine.dispose()
    for name in COVERED:
        table = metadata.tables[name]
        for _ in range(3):
            rows = [random_row(table, lots) for _ in range(ROWS // 3)]
            with write_transaction(engine) as connection:
                if engine.dialect.name == "postgresql":
                    connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
                connection.execute(table.insert(), rows)
    return engine


def changed_column(table: Table, lots: random.Random) -> Any:
    keys = {column.name for column in table.primary_key}
    return lots.choice([c for c in table.columns if c.name not in keys] or [*table.columns])


def where_key(table: Table, key: tuple[Any, ...]) -> Any:
    return tuple_(*table.primary_key) == key


Rows = dict[tuple[Any, ...], dict[str, Any]]
Keys = set[tuple[Any, ...]]


def rows_of(connection: Connection, table: Table) -> Rows:
    names = [column.name for column in table.primary_key]
    rows = [dict(row) for row in connection.execute(select(table)).mappings()]
    return {tuple(row[name] for name in names): row for row in rows}


def edit(connection: Connection, table: Table, rows: Rows, lots: random.Random) -> Keys:
    """Change one value to any on disk; the key of its row, or both where it was of the key."""
    key, column = lots.choice([*rows]), changed_column(table, lots)
    kind = stored_type(column.type)
    value = random_value(Column(column.name, kind), lots)
    while value == rows[key][column.name]:
        value = random_value(Column(column.name, kind), lots)
    changed = {column.name: literal(value, kind)}
    connection.execute(table.update().where(where_key(table, key)).values(changed))
    if column.primary_key:
        return {key, tuple(value if c is column else rows[key][c.name] for c in table.primary_key)}
    return {key}


def remove(connection: Connection, table: Table, rows: Rows, lots: random.Random) -> Keys:
    """Delete some rows."""
    keys = set(lots.sample([*rows], lots.randrange(1, 4)))
    for key in keys:
        connection.execute(table.delete().where(where_key(table, key)))
    return keys


def insert(connection: Connection, table: Table, rows: Rows, lots: random.Random) -> Keys:
    """Add a row that the service never wrote."""
    row = random_row(table, lots)
    connection.execute(table.insert(), [row])
    return {tuple(row[column.name] for column in table.primary_key)}


def swap(connection: Connection, table: Table, rows: Rows, lots: random.Random) -> Keys:
    """Exchange all but the keys of two rows."""
    one, other = lots.sample([*rows], 2)
    names = [c.name for c in table.columns if not c.primary_key]
    if not names:
        return edit(connection, table, rows, lots)
    swapped = [
        rows[key] | {name: rows[source][name] for name in names}
        for key, source in ((one, other), (other, one))
    ]
    for key in (one, other):
        connection.execute(table.delete().where(where_key(table, key)))
    connection.execute(table.insert(), swapped)
    return {one, other}


def truncate(connection: Connection, table: Table, rows: Rows, lots: random.Random) -> Keys:
    """Cut off the newest rows, or all."""
    keys = [*rows][-lots.choice((2, 5, len(rows))) :]
    for key in keys:
        connection.execute(table.delete().where(where_key(table, key)))
    return set(keys)


EDITS = (edit, remove, insert, swap, truncate)


def put_back(engine: Engine, table: Table, rows: Rows) -> None:
    with unguarded(engine) as connection:
        connection.execute(table.delete())
        connection.execute(table.insert(), [*rows.values()])


@pytest.mark.faults
def test_every_edit_of_a_covered_table_is_found_where_it_is(filled: Engine) -> None:
    lots = random.Random(7)
    proof = verify_audit_log(filled)
    assert proof.is_whole, proof.findings[:3]
    assert proof.rows >= len(COVERED) * ROWS  # and those that name the home's keys
    for _ in range(count(30, 1_000)):
        table = metadata.tables[lots.choice(COVERED)]
        tamper = lots.choice(EDITS)
        with unguarded(filled) as connection:
            rows = rows_of(connection, table)
            keys = tamper(connection, table, rows, lots)

        findings = verify_audit_log(filled).findings

        place = f"{tamper.__name__} {table.name} {keys}"
        assert {finding.table for finding in findings} == {table.name}, place
        assert {finding.key for finding in findings} == keys, place
        assert all(finding.seq for finding in findings if finding.key in rows), place
        put_back(filled, table, rows)
    assert verify_audit_log(filled).is_whole


@pytest.mark.faults
def test_every_edit_of_the_audit_chain_is_found_where_it_begins(filled: Engine) -> None:
    lots, mark = random.Random(9), verify_audit_log(filled).mark
    for _ in range(count(10, 200)):
        tamper: Callable[..., Keys] = lots.choice((edit, remove, swap, truncate))
        with unguarded(filled) as connection:
            rows = rows_of(connection, audit_events)
            keys = tamper(connection, audit_events, rows, lots)

        findings = verify_audit_log(filled, [mark]).findings

        first = min(finding.seq or 0 for finding in findings if finding.table == "audit_events")
        assert first == min(seq for (seq,) in keys), f"{tamper.__name__} {keys}"
        put_back(filled, audit_events, rows)
    assert verify_audit_log(filled, [mark]).is_whole


def test_a_chain_that_was_made_anew_is_held_to_an_earlier_head(filled: Engine) -> None:
    mark = verify_audit_log(filled).mark

    other = verify_audit_log(filled, [ProvenHead(mark.size, "00" * 32)])
    longer = verify_audit_log(filled, [ProvenHead(mark.size + 2, mark.head)])

    assert [finding.seq for finding in other.findings] == [mark.size]
    assert [finding.seq for finding in longer.findings] == [mark.size + 1]


def located(engine: Engine, statement: str) -> AuditProof:
    with unguarded(engine) as connection:
        connection.execute(text(statement))
    return verify_audit_log(engine)


def test_of_a_changed_row_the_column_is_told(where: Path | str) -> None:
    engine = database(where)
    key, _ = new_key("a", ("score",), (), NOW)
    ApiKeyRepository(engine).add_key(key)
    assert verify_audit_log(engine).is_whole

    (finding,) = located(engine, "UPDATE api_keys SET scopes = '[\"administer\"]'").findings

    assert (finding.table, finding.key, finding.column) == ("api_keys", (key.key_id,), "scopes")
    assert str(finding).startswith(f"api_keys {key.key_id}, column scopes: this row was changed")


def test_every_table_is_covered_or_says_why_not(where: Path | str) -> None:
    there = set(inspect(database(where)).get_table_names()) - {"alembic_version"}

    assert there == set(metadata.tables)
    assert set(COVERED) | NOT_COVERED.keys() == there
    assert set(COVERED) & NOT_COVERED.keys() == set()
    assert all(NOT_COVERED.values())


def rows_covered(connection: Connection) -> int:
    """How many rows the covered tables have."""
    tables = (metadata.tables[name] for name in COVERED)
    return sum(len(connection.execute(table.select()).all()) for table in tables)


def test_rows_that_a_migration_changes_are_told_again(
    where: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database(where)
    ApiKeyRepository(engine).add_key(new_key("a", ("score",), (), NOW)[0])

    def step(connection: Connection) -> None:
        connection.execute(text("UPDATE api_keys SET name = 'b'"))

    monkeypatch.setattr("serving.storage.migration.run_steps", step)
    before = verify_audit_log(engine).mark.size
    with write_transaction(engine) as connection:
        take_steps(connection)

    proof = verify_audit_log(engine)
    assert (proof.is_whole, proof.mark.size) == (True, before + 1)


def test_what_is_written_is_told_with_whoever_acts(where: Path | str) -> None:
    engine = database(where)
    begin_acting(Actor("account:an admin", "an admin"))
    try:
        with write_transaction(engine) as connection:
            row = {"name": "a", "password_hash": "-", "role": "auditor", "offices": ()}
            connection.execute(accounts.insert(), [{**row, "created_at": NOW}])
    finally:
        begin_acting(SERVICE)
    query = select(audit_events).order_by(audit_events.c.seq.desc()).limit(1)
    with engine.connect() as connection:
        newest = connection.execute(query).one()

    assert (newest.actor, newest.action, newest.object_id) == (
        "account:an admin",
        "write_rows",
        "accounts",
    )


def test_nothing_is_told_of_what_was_undone(where: Path | str) -> None:
    engine = database(where)
    before = verify_audit_log(engine)
    row = {"name": "a", "password_hash": "-", "role": "auditor", "offices": ()}

    def write_and_fail() -> None:
        with write_transaction(engine) as connection:
            connection.execute(accounts.insert(), [{**row, "created_at": NOW}])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert verify_audit_log(engine) == before


def test_rows_that_are_changed_and_deleted_lawfully_are_told(where: Path | str) -> None:
    engine = database(where)
    before = verify_audit_log(engine).rows
    row = {"name": "a", "password_hash": "-", "role": "auditor", "offices": ()}
    with write_transaction(engine) as connection:
        connection.execute(accounts.insert(), [{**row, "created_at": NOW}])
    with write_transaction(engine) as connection:
        connection.execute(accounts.update().where(accounts.c.name == "a").values(role="admin"))
    assert verify_audit_log(engine).is_whole
    with write_transaction(engine) as connection:
        connection.execute(accounts.delete())

    proof = verify_audit_log(engine)
    assert (proof.is_whole, proof.rows) == (True, before)


def test_a_row_that_was_inserted_or_deleted_is_located(where: Path | str) -> None:
    engine = database(where)
    row = "('a', '-', 'admin', '[]', 'now', NULL, NULL)"
    names = "(name, password_hash, role, offices, created_at, disabled_at, subject)"
    (inserted,) = located(engine, f"INSERT INTO accounts {names} VALUES {row}").findings
    assert (inserted.table, inserted.key, "inserted" in inserted.why) == ("accounts", ("a",), True)
    with unguarded(engine) as connection:
        connection.execute(text("DELETE FROM accounts"))
    key, _ = new_key("a", ("score",), (), NOW)
    ApiKeyRepository(engine).add_key(key)

    (deleted,) = located(engine, "DELETE FROM api_keys").findings

    assert (deleted.table, deleted.key) == ("api_keys", (key.key_id,))
    assert "deleted" in deleted.why


def test_a_changed_row_stays_found_when_the_service_writes_it_again(where: Path | str) -> None:
    engine = database(where)
    key, _ = new_key("a", ("score",), (), NOW)
    ApiKeyRepository(engine).add_key(key)
    located(engine, "UPDATE api_keys SET scopes = '[\"administer\"]'")

    ApiKeyRepository(engine).revoke("a", NOW)

    (finding,) = verify_audit_log(engine).findings
    assert (finding.table, finding.key) == ("api_keys", (key.key_id,))
    assert "before event" in finding.why


def test_a_deleted_row_stays_found_when_the_service_writes_it_again(where: Path | str) -> None:
    engine = database(where)
    key, _ = new_key("a", ("score",), (), NOW)
    ApiKeyRepository(engine).add_key(key)
    located(engine, "DELETE FROM api_keys")

    ApiKeyRepository(engine).add_key(key)

    (finding,) = verify_audit_log(engine).findings
    assert (finding.table, finding.key) == ("api_keys", (key.key_id,))
