"""Opens the database so that a committed row survives a crash and a power cut."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from serving.db.migration import migrate
from serving.db.write_lock import hold_for_service, turn_without_transaction
from serving.db.written_rows import watch
from serving.errors import DatabaseUrlRefused, LogUnavailable

# A request waits this long for another process (a command beside the service) to finish writing.
BUSY_TIMEOUT_MS = 5_000

LONGEST_WRITE_AHEAD_LOG = 4_000  # pages

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "secure_delete=ON",  # what is deleted is overwritten
)


def utc_now() -> datetime:
    """The present, for whoever opens a database without a clock of its own: commands."""
    return datetime.now(UTC)


def open_database(
    where: Path | str,
    *,
    is_service: bool,
    keys: Path | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Engine:
    """The database in a file or behind a PostgreSQL URL, its tables made or migrated.

    `keys` is the folder of what its data keys are wrapped under: `keys` beside a file, without; of
    a URL only what is not encrypted can then be used. `clock` dates audit events. A service holds
    its SQLite file until the engine is disposed of. Raises DatabaseUrlRefused, DatabaseInUse, or
    LogUnavailable where it cannot be opened.
    """
    if isinstance(where, Path):
        engine, keys = _sqlite(where, is_service), keys or where.parent / "keys"
    else:
        engine = _postgresql(where)
    engine.update_execution_options(keys=keys, clock=clock)
    watch(engine)
    try:
        with failing_as_unavailable():
            migrate(engine)
    except BaseException:
        engine.dispose()  # whoever was refused holds neither the file nor a connection
        raise
    return engine


def _sqlite(path: Path, is_service: bool) -> Engine:
    """Only the service moves the write-ahead log into the file, and only in a turn of its own.

    Whoever writes does so when the log has grown too long; the log of decisions, before that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    if is_service:
        service_lock = hold_for_service(path)
        event.listen(engine, "engine_disposed", lambda _: service_lock.close())
    pages = LONGEST_WRITE_AHEAD_LOG if is_service else 0
    pragmas = (*PRAGMAS, f"wal_autocheckpoint={pages}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where `_begin` says so
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "begin", _begin)
    return engine


def _postgresql(url: str) -> Engine:
    """Commits wait for the disk whatever the server's default; no call waits without end."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseUrlRefused("the database URL cannot be read") from None
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise DatabaseUrlRefused("want a database URL that begins with postgresql://")
    options = f"-c synchronous_commit=on -c statement_timeout={BUSY_TIMEOUT_MS}"
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        connect_args={"options": options, "connect_timeout": 5},
        pool_pre_ping=True,  # the server may have restarted since the last call
    )


def move_write_ahead_log(engine: Engine) -> None:
    """Move what is durable into SQLite's file itself, but for what someone still reads without.

    PostgreSQL does so by itself.
    """
    if engine.dialect.name == "sqlite":
        with turn_without_transaction(engine), engine.connect() as connection:
            bare = connection.execution_options(is_transaction=False)
            bare.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")


def sqlite_version() -> str:
    """The version of SQLite that this Python was built with."""
    return sqlite3.sqlite_version


@contextmanager
def failing_as_unavailable(but: type[Exception] | tuple[()] = ()) -> Iterator[None]:
    """Say in the service's words that the database failed, with the kind of failure only."""
    try:
        yield
    except but:
        raise
    except (SQLAlchemyError, OSError) as failure:
        kind = type(getattr(failure, "orig", None) or failure).__name__
        raise LogUnavailable(f"the database failed ({kind}); nothing was decided") from failure


def _begin(connection: Connection) -> None:
    """A transaction that writes takes the lock at once; one that reads first may fail halfway."""
    options = connection.get_execution_options()
    if options.get("is_transaction", True):
        is_writing = options.get("is_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
