"""Whose turn it is: one transaction writes at a time, across threads, processes and hosts.

So the log stays one chain however many append to it. In PostgreSQL a turn is an advisory lock of
the transaction. In SQLite it is a lock on a file beside the database, held from before the
transaction until after its commit, the moving of the write-ahead log included: SQLite before 3.51.3
can lose commits when two connections write and move at once (sqlite.org/wal.html, "the WAL-reset
bug").
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine

from serving.errors import LogUnavailable
from serving.storage.errors import DatabaseInUse
from serving.storage.row_audit.writer import WrittenRows

LONGEST_WAIT_S = 5.0
_LOOK_AGAIN_S = 0.001

# Any two numbers, as long as all who append to one database agree on them.
_SEQUENCER = (0x7469, 0x6465)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes, begun when it is its turn; the turn ends with it.

    What it wrote to covered tables is told by audit events that are committed with it.
    Raises LogUnavailable where the turn does not come in time.
    """
    if engine.dialect.name == "sqlite":
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
    """The connection; before it commits, audit events tell what it wrote."""
    written = WrittenRows.watched(connection)
    yield connection
    written.append_events()


@contextmanager
def turn_without_transaction(engine: Engine) -> Iterator[None]:
    """A turn over a SQLite file for what cannot be done within a transaction."""
    with _turn_at(_sibling_file(engine, "turn")):
        yield


@contextmanager
def alone_at(engine: Engine, work: str) -> Iterator[bool]:
    """Whether nobody else does this work on the database: True for one, as long as it lasts.

    Who dies at it leaves it to the others. In PostgreSQL it is an advisory lock of a session.
    """
    if engine.dialect.name == "sqlite":
        with _opened_private(_sibling_file(engine, work)) as lock:
            yield _is_taken(lock)
        return
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
    """Take the right to serve a SQLite file, until the returned lock is closed or the process ends.

    Raises DatabaseInUse where another service holds it.
    """
    lock = _opened_private(f"{database}.service")
    if not _is_taken(lock):
        lock.close()
        raise DatabaseInUse(
            f"another service holds {database.name}, or a command during which none may begin "
            "(an erasure, an upgrade, `tidegate keys wrap`): stop it, or wait for its end. "
            "Several services share a database in PostgreSQL (--database-url)"
        )
    return lock


@contextmanager
def _turn_at(path: str) -> Iterator[None]:
    deadline = time.monotonic() + LONGEST_WAIT_S
    with _opened_private(path) as turn:
        while not _is_taken(turn):
            if time.monotonic() > deadline:
                raise LogUnavailable("another process has been writing for too long")
            time.sleep(_LOOK_AGAIN_S)
        yield


def _opened_private(path: str) -> IO[bytes]:
    """A lock file that its owner alone can open: whoever reads a file can lock it.

    One that an older release left open to others is closed to them.
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
    """The name of a file next to the database."""
    return f"{engine.url.database}.{suffix}"
