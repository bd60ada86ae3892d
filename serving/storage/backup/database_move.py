"""Carries a database from a SQLite file to PostgreSQL: all rows, the log and its identity.

The file is marked first, so that nothing is written into it during the move or after it. All rows
arrive in one transaction: a killed move leaves either nothing or everything. A target that the
file's mark does not name is left untouched.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, inspect, select, update

from features.errors import TidegateError
from serving.access.actors import Actor
from serving.integrity.audit_log import AuditEvent
from serving.storage.backup.carried_log import MOVE, has_arrived_whole, was_carried
from serving.storage.binding import HomeBinding, home_location, identity_of, require_bound
from serving.storage.engine import connected, database_errors_as_503
from serving.storage.errors import DatabaseMissing
from serving.storage.migration import require_newest, run_steps, step_of
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.row_audit.writer import unwatched
from serving.storage.tables.column_types import stored_columns, stored_insert
from serving.storage.tables.keys import installation
from serving.storage.tables.monitor import day_summaries
from serving.storage.tables.scoring import state
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from serving.storage.write_lock import write_transaction

# Rows sent in one statement, which bounds memory.
BATCH_SIZE = 1_000

_IN_PARTS = {"yield_per": BATCH_SIZE}

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class DatabaseMove:
    """A move of a home's database from a file to PostgreSQL."""

    file: Path
    url: str
    keys: Path

    @property
    def place(self) -> str:
        """Return the target's address without a password."""
        return home_location(self.url)

    def run(self, actor: Actor, at: datetime, report: Report = lambda done, total: None) -> int:
        """Carry everything over, or complete an interrupted move; return the number of rows.

        Raises TidegateError if the target has other content or a move to another target was begun,
        and LogUnavailable if it is unreachable; the file is then served as before.
        """
        source, target = self._opened()
        try:
            with database_errors_as_503():
                mark = self._movable(source)
                database_id = mark.database_id
                if not self._is_there(target, mark):
                    # The mark is committed before any row leaves: from here on the file refuses to
                    # be served.
                    with write_transaction(source) as connection:
                        connection.execute(
                            update(installation).values(moving_to=self.place, moved_at=None)
                        )
                    told = {"to": self.place}
                    event = AuditEvent(at, actor, MOVE, "database", database_id, told)
                    self._carry(source, target, event, report)
                self._require_carried(source, target)
                self._require_whole(target)
                self._mark_as_moved(source, at)
                HomeBinding(database_id, self.place).write(self.keys)
                with target.connect() as connection:
                    return sum(_count(connection, table) for table in _tables())
        finally:
            source.dispose()
            target.dispose()

    def abandon(self) -> None:
        """Let the file be served again; raise TidegateError if the move has arrived."""
        source, target = self._opened()
        try:
            with database_errors_as_503():
                with source.connect() as connection:
                    mark = _marked(connection)
                self._require_target(mark.moving_to)
                with target.connect() as connection:
                    is_same = identity_of(connection) == mark.database_id
                if is_same and was_carried(source, target):
                    raise TidegateError(
                        f"everything has arrived at {self.place}: run the same without --abandon, "
                        "or drop that database first, and create it anew"
                    )
                with write_transaction(source) as connection:
                    connection.execute(update(installation).values(moving_to=None, moved_at=None))
                if mark.moving_to:
                    HomeBinding(mark.database_id, home_location(self.file)).write(self.keys)
        finally:
            source.dispose()
            target.dispose()

    def _opened(self) -> tuple[Engine, Engine]:
        if not self.file.exists():
            raise DatabaseMissing(f"{self.file} is not there; there is nothing to move")
        target = connected(self.url, is_service=False)
        return connected(self.file, is_service=True), target

    def _movable(self, source: Engine) -> Any:
        """Return the mark of the file once it may be moved to the target."""
        place = home_location(self.file)
        with source.connect() as connection:
            step = step_of(connection)
            if step is None:
                raise DatabaseMissing(f"{place} is empty; there is nothing to move")
            require_newest(step, place)
            home = HomeBinding.read(self.keys)
            require_bound(connection, home, place, self.keys, is_moving=True)
            mark = _marked(connection)
        self._require_target(mark.moving_to)
        return mark

    def _require_target(self, marked: str | None) -> None:
        if marked not in (None, self.place):
            raise TidegateError(
                f"{home_location(self.file)} is moved, or being moved, to {marked}, and not to "
                f"{self.place}: give that as --to; --abandon then takes back a move that has not "
                "arrived"
            )

    def _is_there(self, target: Engine, mark: Any) -> bool:
        """Return whether the file was moved there; raise TidegateError for other content."""
        with target.connect() as connection:
            if mark.moving_to and identity_of(connection) == mark.database_id:
                return True
            if inspect(connection).get_table_names():
                raise self._not_empty
        return False

    @property
    def _not_empty(self) -> TidegateError:
        return TidegateError(f"{self.place} is not empty: give the address of a new database")

    def _carry(self, source: Engine, target: Engine, event: AuditEvent, report: Report) -> None:
        with source.connect() as reader, write_transaction(target) as writer:
            if inspect(writer).get_table_names():
                raise self._not_empty
            # Carrying a whole database takes longer than the limit that protects requests.
            writer.exec_driver_sql("SET LOCAL statement_timeout = 0")
            copy_rows(reader, writer, report)
            writer.execute(update(installation).values(moving_to=None))
            append_audit_events(writer, [event])

    def _mark_as_moved(self, source: Engine, at: datetime) -> None:
        with write_transaction(source) as connection:
            if _marked(connection).moved_at is None:
                connection.execute(update(installation).values(moved_at=at.isoformat()))

    def _require_whole(self, target: Engine) -> None:
        proof, audit = verify_decision_log(target), verify_audit_log(target)
        if not (proof.is_whole and audit.is_whole):
            why = proof.why or audit.findings[0]
            raise TidegateError(
                f"the log at {self.place} is not whole: {why}. The file stays as it was; "
                "drop that database and create it anew, then run the same with --abandon"
            )

    def _require_carried(self, source: Engine, target: Engine) -> None:
        """Raise TidegateError if the file has rows that the target lacks.

        A file marked as moved is not compared to its end: the mark is an event of its own that is
        not carried.
        """
        place = home_location(self.file)
        if not was_carried(source, target):
            raise TidegateError(
                f"what is at {self.place} was not carried there from {place}, which has a log of "
                "its own: run the same with --abandon, then give the address of a new database"
            )
        with source.connect() as connection:
            is_moved = _marked(connection).moved_at is not None
        if not (is_moved or has_arrived_whole(source, target)):
            raise TidegateError(
                f"something was written into {place} while it was carried to {self.place}, and is "
                "not there. End whatever writes, drop that database and create it anew, and run "
                "the same again"
            )


def _marked(connection: Connection) -> Any:
    """Return the row with a file's identity, the target of its move and its time."""
    return connection.execute(select(installation)).one()


def copy_rows(reader: Connection, writer: Connection, report: Report) -> None:
    """Copy every row into an empty database after creating its tables, and compare all rows.

    `report` receives the numbers of rows copied and in total. Raises TidegateError if a row
    differs.
    """
    with unwatched(writer):
        run_steps(writer)
        for table in _tables():
            # A migration step inserts log positions, which the copied rows contain as well.
            if _count(writer, table):
                writer.execute(table.delete())
        total = sum(_count(reader, table) for table in _tables())
        done = 0
        for table in _tables():
            for count in _copied(table, reader, writer):
                done += count
                report(done, total)
            _require_same(table, reader, writer)


def _tables() -> list[Table]:
    """Return tables in the order of their references, without the online feature store."""
    return [table for table in day_summaries.metadata.sorted_tables if table is not state]


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _copied(table: Table, reader: Connection, writer: Connection) -> Iterator[int]:
    """Copy the rows of a table as stored; yield the number of rows in each batch."""
    rows = reader.execute(select(*stored_columns(table)), execution_options=_IN_PARTS)
    for part in rows.mappings().partitions(BATCH_SIZE):
        writer.execute(stored_insert(table), [dict(row) for row in part])
        yield len(part)


def _require_same(table: Table, reader: Connection, writer: Connection) -> None:
    """Raise TidegateError unless the same rows arrived, in any order."""
    left, arrived = _digest(table, reader), _digest(table, writer)
    if left != arrived:
        raise TidegateError(
            f"the rows of {table.name} did not arrive as they left ({left[0]:,} rows, "
            f"{arrived[0]:,} arrived); nothing was moved"
        )


def _digest(table: Table, connection: Connection) -> tuple[int, int]:
    count, total = 0, 0
    rows = connection.execute(select(*stored_columns(table)), execution_options=_IN_PARTS)
    for row in rows:
        content = repr(tuple(map(_plain, row))).encode()
        # A sum of digests does not depend on the order of rows, and needs no sorting.
        total = (total + int.from_bytes(hashlib.sha256(content).digest())) % (1 << 256)
        count += 1
    return count, total


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview | bytearray) else value
