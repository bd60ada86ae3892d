"""Opens the database so that a committed row survives a crash and a power cut."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from features.errors import TidegateError
from features.home_keys import is_blank_home, make_keys
from serving.access.acting import current_actor
from serving.errors import LogUnavailable
from serving.integrity.audit_log import AuditEvent
from serving.storage.binding import (
    HomeBinding,
    bind_database,
    bind_present_keys,
    home_location,
    identity_of,
    is_database_missing,
    lacks_a_binding,
    refuse_unbound,
    require_bound,
)
from serving.storage.errors import DatabaseMissing
from serving.storage.migration import require_newest, step_of, steps_lacking, take_steps
from serving.storage.row_audit.writer import WrittenRows, now, watch
from serving.storage.write_lock import hold_for_service, turn_without_transaction, write_transaction

# How long a request waits for another process, such as a command, to finish writing.
BUSY_TIMEOUT_MS = 5_000

# A fallback for writers in general: the decision log moves the write-ahead log sooner.
MAX_WRITE_AHEAD_LOG = 4_000  # pages

# FULL makes each commit wait for the disk; NORMAL could lose the last ones in a power cut.
# trusted_schema=OFF keeps a manipulated schema from calling functions.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "secure_delete=ON",  # what is deleted is overwritten
)


def utc_now() -> datetime:
    """Return the present time, the default clock of commands."""
    return datetime.now(UTC)


def open_database(
    where: Path | str,
    *,
    is_service: bool,
    keys: Path | None = None,
    may_create: bool = True,
    clock: Callable[[], datetime] = utc_now,
) -> Engine:
    """Return an engine for a SQLite file or a PostgreSQL URL, checked against the home of `keys`.

    `keys` is HOME/keys; for a file it defaults to the `keys` folder next to it. For a URL without
    `keys`, only unencrypted columns are usable and nothing is checked. An empty database is created
    and bound to the home; with `may_create` false it raises DatabaseMissing. `clock` dates audit
    events. A service locks its SQLite file until the engine is disposed of.

    Raises TidegateError for tables of another release or parts that do not belong together,
    KeyMissing for a key that is not there, or LogUnavailable if it cannot be opened.
    """
    if isinstance(where, Path):
        keys = keys or where.parent / "keys"
        _prepare_file(where, keys, may_create=may_create)
    engine = connected(where, is_service=is_service, clock=clock)
    try:
        with database_errors_as_503():
            database_id = _held_together(engine, where, keys, may_create=may_create)
    except BaseException:
        # A refused caller must not keep the file lock or a connection.
        engine.dispose()
        raise
    engine.update_execution_options(keys=keys, database_id=database_id)
    return engine


def upgrade_database(where: Path | str, keys: Path, *, is_dry_run: bool = False) -> list[str]:
    """Run the migration steps that are missing, bind database and home, and return the steps.

    All steps run in one transaction. No service may use a SQLite file meanwhile. Raises what
    `open_database` raises, and DatabaseMissing if there is nothing to upgrade.
    """
    if isinstance(where, Path):
        _prepare_file(where, keys, may_create=False)
    engine = connected(where, is_service=not is_dry_run)
    try:
        with database_errors_as_503():
            with engine.connect() as connection:
                if step_of(connection) is None:
                    raise DatabaseMissing(
                        f"{home_location(where)} is empty; there is nothing to upgrade"
                    )
                steps = steps_lacking(connection)
            if steps and not is_dry_run:
                home = HomeBinding.read(keys)
                with write_transaction(engine) as connection:
                    take_steps(connection)
                    database_id = identity_of(connection)
                    if database_id is None:
                        refuse_unbound(home, home_location(where), keys)
                        database_id = bind_database(connection, keys)
                    told = {"steps": steps, "release": version("tidegate")}
                    _write_event(connection, "upgrade", database_id, told)
            if not is_dry_run:
                _held_together(engine, where, keys, may_create=False)
    finally:
        engine.dispose()
    return steps


def connected(
    where: Path | str,
    *,
    is_service: bool,
    clock: Callable[[], datetime] = utc_now,
) -> Engine:
    """Return an engine for a database as it is: nothing is created, migrated or checked."""
    if isinstance(where, Path):
        engine = _sqlite(where, is_service=is_service)
    else:
        engine = _postgresql(where)
    engine.update_execution_options(clock=clock)
    watch(engine)
    return engine


def _prepare_file(file: Path, keys: Path, *, may_create: bool) -> None:
    """Create a missing file, and the keys of a blank home, if that is allowed."""
    if not is_database_missing(file, keys):
        _close_to_others(file)
        return
    if not may_create:
        raise DatabaseMissing(f"{file} is not there yet; `tidegate init` makes it")
    try:
        # Modes are set on creation: setting them later would leave a moment in which others can
        # read.
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if is_blank_home(keys):
            make_keys(keys)
        file.touch(mode=0o600)
    except OSError as error:
        raise LogUnavailable(f"{file.parent} cannot be written: {error.strerror}") from None


def _close_to_others(file: Path) -> None:
    """Restrict a database file, and the files SQLite keeps next to it, to the owner."""
    for each in (file, *(file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm"))):
        with suppress(OSError):  # another user's, or gone: `tidegate doctor` reports open files
            if each.stat().st_mode & 0o077:
                each.chmod(0o600)


def _held_together(
    engine: Engine, where: Path | str, keys: Path | None, *, may_create: bool
) -> str | None:
    """Return the identity of a database after checking its schema version and its home."""
    home = HomeBinding.read(keys) if keys else None
    with engine.connect() as connection:
        step = step_of(connection)
        if step is not None:
            require_newest(step, home_location(where))
        database_id = identity_of(connection)
    if database_id is None and keys:
        refuse_unbound(home, home_location(where), keys)
    if database_id is None or step is None:
        database_id = _made_or_bound(
            engine, where, keys, may_create=may_create, is_new=step is None
        )
    if keys is None or database_id is None:
        return database_id
    with engine.connect() as connection:
        require_bound(connection, home, home_location(where), keys)
        is_key_unknown = lacks_a_binding(connection, keys)
    if is_key_unknown:
        with write_transaction(engine) as connection:
            bind_present_keys(connection, keys)
    if home is None:
        HomeBinding(database_id, home_location(where)).write(keys)
    return database_id


def _made_or_bound(
    engine: Engine, where: Path | str, keys: Path | None, *, may_create: bool, is_new: bool
) -> str | None:
    """Create the tables of an empty database and bind it to the home, in one transaction."""
    if is_new and not may_create:
        raise DatabaseMissing(f"{home_location(where)} is empty; `tidegate init` makes its tables")
    if keys and is_new and is_blank_home(keys):
        make_keys(keys)
    with write_transaction(engine) as connection:
        if is_new:
            take_steps(connection)
        found = identity_of(connection)
        if keys is None or found is not None:
            return found
        database_id = bind_database(connection, keys)
        _write_event(connection, "init", database_id, {"release": version("tidegate")})
        return database_id


def _write_event(
    connection: Connection, action: str, database_id: str, details: dict[str, Any]
) -> None:
    event = AuditEvent(now(connection), current_actor(), action, "database", database_id, details)
    written = WrittenRows.of(connection)
    assert written is not None  # `writing` installs it
    written.events.append(event)


def _sqlite(path: Path, *, is_service: bool) -> Engine:
    """Return an engine for a SQLite file.

    Only a service checkpoints the write-ahead log, under the write lock: automatically when the log
    is long, and earlier from the decision log. Commands never do, see `write_lock`.
    """
    if not is_service and is_write_protected(path):
        return _sqlite_to_read(path)
    engine = create_engine(f"sqlite:///{path}")
    if is_service:
        service_lock = hold_for_service(path)
        event.listen(engine, "engine_disposed", lambda _: service_lock.close())
    pages = MAX_WRITE_AHEAD_LOG if is_service else 0
    pragmas = (*PRAGMAS, f"wal_autocheckpoint={pages}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # `_begin` begins transactions, not Python
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "begin", _begin)
    return engine


def is_write_protected(file: Path) -> bool:
    """Return whether a SQLite file is readable and neither it nor its folder is writable."""
    is_there = file.exists()
    return is_there and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


def _sqlite_to_read(path: Path) -> Engine:
    """Return an engine for a file that cannot be written, which writes nothing at all.

    SQLite needs the shared-memory index to read a write-ahead log. Without an index it must be
    assured that nobody writes (`immutable`). Raises LogUnavailable for a log without its index.
    """
    log, index = (path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm"))
    has_more = log.exists() and log.stat().st_size > 0
    if has_more and not index.exists():
        raise LogUnavailable(
            f"{log.name} holds more than {path.name}, and nothing can be written here to read it: "
            "copy both to where it can"
        )
    is_alone = not index.exists()
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if is_alone else ''}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "trusted_schema=OFF", "query_only=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = create_engine(f"sqlite:///{path}", creator=connect)
    engine.update_execution_options(is_write_protected=True)
    event.listen(engine, "begin", _begin)
    return engine


def _postgresql(url: str) -> Engine:
    """Return an engine for PostgreSQL with durable commits and a limit on every statement."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise TidegateError("the database URL cannot be read") from None
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise TidegateError("want a database URL that begins with postgresql://")
    # Set for each connection, because the default of the server may be weaker.
    options = f"-c synchronous_commit=on -c statement_timeout={BUSY_TIMEOUT_MS}"
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        connect_args={"options": options, "connect_timeout": 5},
        pool_pre_ping=True,  # the server may have restarted since the last call
    )


def move_write_ahead_log(engine: Engine) -> None:
    """Move committed pages from the write-ahead log into the SQLite file.

    Pages that a reader still needs stay in the log. PostgreSQL does this itself.
    """
    if engine.dialect.name == "sqlite":
        with turn_without_transaction(engine), engine.connect() as connection:
            # A checkpoint cannot run inside a transaction; PASSIVE does not wait for readers.
            bare = connection.execution_options(is_transaction=False)
            bare.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")


def sqlite_version() -> str:
    """Return the version of SQLite that this Python was built with."""
    return sqlite3.sqlite_version


@contextmanager
def database_errors_as_503(
    but: type[Exception] | tuple[type[Exception], ...] = (),
) -> Iterator[None]:
    """Raise LogUnavailable for database failures, naming only the kind of failure."""
    try:
        yield
    except but:
        raise
    except (SQLAlchemyError, OSError) as failure:
        # The driver's message may quote a statement with its values, so only the class is named.
        driver = getattr(failure, "orig", None) or failure
        kind = type(driver).__name__
        unavailable = LogUnavailable(f"the database failed ({kind}); nothing was decided")
        codes = (getattr(driver, name, None) for name in ("sqlstate", "sqlite_errorname"))
        unavailable.driver_code = next(filter(None, codes), "")
        unavailable.cause = cause_of(failure)
        raise unavailable from failure


def cause_of(error: BaseException) -> str:
    """Return the driver's message for a failed connection or write; empty if unknown.

    For users of commands. It contains no statement, and so no party and no password.
    """
    failure = error if isinstance(error, OperationalError) else error.__cause__
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.filename}: {failure.strerror}" if failure.filename else failure.strerror
    if not isinstance(failure, OperationalError) or failure.orig is None:
        return ""
    is_of_file = isinstance(failure.orig, sqlite3.OperationalError)
    if not (is_of_file or failure.statement is None):
        return ""
    return " ".join(str(failure.orig).split())


def _begin(connection: Connection) -> None:
    """Begin a transaction; a writing one takes the lock at once.

    A transaction that reads first and writes later can fail halfway, when another has written.
    """
    options = connection.get_execution_options()
    if options.get("is_transaction", True):
        is_writing = options.get("is_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
