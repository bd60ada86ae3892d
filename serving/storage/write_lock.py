"""The write lock: one transaction writes at a time, across threads, processes and hosts.

So the log stays one chain however many processes append. In PostgreSQL the lock is an advisory lock
of the transaction. In SQLite it is a lock on a file next to the database. It is held from before
the transaction until after its commit, and while the write-ahead log is moved: SQLite before 3.51.3
can lose commits when two connections write and move at once (sqlite.org/wal.html, "the WAL-reset
bug").
"""

import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine

from features.errors import TidegateError
from serving.errors import LogUnavailable
from serving.storage.row_audit.writer import WrittenRows

MAX_WAIT_S = 5.0
_LOOK_AGAIN_S = 0.001

# Threads of this process wait here and are woken; only other processes are waited for by polling.
_IN_PROCESS: dict[str, threading.Lock] = {}
# A forked child has none of the threads that could release a lock.
os.register_at_fork(after_in_child=_IN_PROCESS.clear)

# Any two numbers will do, if every process that appends to a database uses the same.
_SEQUENCER = (0x7469, 0x6465)


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """Begin a writing transaction under the write lock, which is released when it ends.

    Audit events with the digests of rows in covered tables are committed with it. Raises
    LogUnavailable if the lock is not free in time.
    """
    if engine.dialect.name == "sqlite":
        # The file lock comes first and goes last, so that it covers the commit itself.
        with (
            _turn_at(_sibling_file(engine, "turn")),
            engine.connect() as connection,
            connection.execution_options(is_writing=True).begin(),
        ):
            yield from _covered(connection)
    else:
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", _SEQUENCER)
            yield from _covered(connection)


def _covered(connection: Connection) -> Iterator[Connection]:
    """Yield the connection, and append audit events of the rows written before the commit."""
    written = WrittenRows.watched(connection)
    yield connection
    written.append_events()


@contextmanager
def turn_without_transaction(engine: Engine) -> Iterator[None]:
    """Hold the write lock of a SQLite file for work that cannot run in a transaction."""
    with _turn_at(_sibling_file(engine, "turn")):
        yield


@contextmanager
def try_advisory_lock(engine: Engine, work: str) -> Iterator[bool]:
    """Yield whether this process alone does this work on the database.

    The lock is released if the holder crashes: it belongs to an open file, or to a session of
    PostgreSQL.
    """
    if engine.dialect.name == "sqlite":
        with _opened_private(_sibling_file(engine, work)) as lock:
            yield _is_taken(lock)
        return
    # The second number is 32 bits signed; three bytes of the digest always fit.
    key = (_SEQUENCER[0], int.from_bytes(sha256(work.encode()).digest()[:3]))
    with engine.connect() as connection:
        lasting = connection.execution_options(isolation_level="AUTOCOMMIT")
        taken = lasting.exec_driver_sql("SELECT pg_try_advisory_lock(%s, %s)", key)
        if not taken.scalar():
            yield False
            return
        try:
            yield True
        finally:
            lasting.exec_driver_sql("SELECT pg_advisory_unlock(%s, %s)", key)


def hold_for_service(database: Path) -> IO[bytes]:
    """Take the right to serve a SQLite file, until the lock is closed or the process ends.

    Raises TidegateError if another service holds it.
    """
    lock = _opened_private(f"{database}.service")
    if not _is_taken(lock):
        lock.close()
        raise TidegateError(
            f"another service holds {database.name}, or a command during which none may begin "
            "(an erasure, an upgrade, `tidegate keys wrap`): stop it, or wait for its end. "
            "Several services share a database in PostgreSQL (--database-url)"
        )
    return lock


@contextmanager
def _turn_at(path: str) -> Iterator[None]:
    deadline = time.monotonic() + MAX_WAIT_S
    in_process = _IN_PROCESS.setdefault(path, threading.Lock())
    if not in_process.acquire(timeout=MAX_WAIT_S):
        raise LogUnavailable("another thread has been writing for too long")
    try:
        with _opened_private(path) as turn:
            # Polled, because a blocking flock cannot time out without signals.
            while not _is_taken(turn):
                if time.monotonic() > deadline:
                    raise LogUnavailable("another process has been writing for too long")
                time.sleep(_LOOK_AGAIN_S)
            yield
    finally:
        in_process.release()


def _opened_private(path: str) -> IO[bytes]:
    """Open a lock file that only its owner can open.

    Anyone who can read a file can lock it, and so block the service. A file that others can read,
    such as a copied one, is restricted.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    found = os.fstat(descriptor)
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != 0o600:
        os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "ab")


def _is_taken(turn: IO[bytes]) -> bool:
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sibling_file(engine: Engine, suffix: str) -> str:
    """Return the name of a file next to the database."""
    return f"{engine.url.database}.{suffix}"
