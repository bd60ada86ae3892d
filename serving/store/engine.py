"""Opens the database file so that a committed row survives a crash and a power cut."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from serving.errors import LogUnavailable
from serving.store.tables import metadata

# A request waits this long for another process (a command beside the service) to finish writing.
BUSY_TIMEOUT_MS = 5_000

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "foreign_keys=ON",
    "trusted_schema=OFF",
)


def open_database(path: Path, *, is_service: bool) -> Engine:
    """The database at `path`, made with its tables where it is new.

    Only the service moves the write-ahead log into the file: SQLite before 3.51.3 can lose commits
    when two processes do so at once (sqlite.org/wal.html, "the WAL-reset bug").
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    pages = 1_000 if is_service else 0
    pragmas = (*PRAGMAS, f"wal_autocheckpoint={pages}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where `_begin` says so
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "begin", _begin)
    with failing_as_unavailable():
        metadata.create_all(writing(engine))
    return engine


def writing(engine: Engine) -> Engine:
    """The same database for transactions that write: they take the lock when they begin.

    A transaction that reads first and writes later can fail halfway on another's lock; one that
    takes the lock at once waits for its turn.
    """
    return engine.execution_options(is_writing=True)


@contextmanager
def failing_as_unavailable() -> Iterator[None]:
    """Say in the service's words that the database failed, with the kind of failure only."""
    try:
        yield
    except SQLAlchemyError as failure:
        kind = type(getattr(failure, "orig", None) or failure).__name__
        raise LogUnavailable(f"the database failed ({kind}); nothing was decided") from failure


def _begin(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("is_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
