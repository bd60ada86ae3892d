"""The store of one machine: LMDB in a folder, one writer and readers in any process.

Chosen over SQLite by measurement (`experiments/benchmarks/state.py`): the 24 keys of one subject
among a million take 32 µs against 132 µs, since a read is a walk in a memory map without a
statement, a lock or a copy; a commit that survives a power cut takes about as long in either.
Commits here flush the changed pages once and the pointer to them with the next commit, so that a
power cut may undo the newest one, unless `sync` was called, but never tear it.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

import lmdb

from features.engine.store.blob_store import Blob
from features.errors import OnlineStoreUnavailable

# Address space that is set aside, not disk: the file grows with what it holds.
MAX_MAP_BYTES = 1 << 38
COPY_BATCH_BLOBS = 1 << 15  # blobs
MAX_READERS = 512
LOCK_BYTES = MAX_READERS * 64  # what LMDB's table of so many readers takes, at least


class LmdbStore:
    """An LMDB environment in `folder`, made where there is none."""

    def __init__(self, folder: Path, *, is_bulk: bool = False):
        """Open it; `is_bulk` leaves flushing to `sync`, for a folder nobody else has yet."""
        with _failing_as_unavailable():
            self._environment: _Environment | None = _opened(folder, is_bulk=is_bulk)

    def reading(self) -> "_ReadTransaction":
        """The store as it is now."""
        return _ReadTransaction(self._open())

    @contextmanager
    def writing(self) -> "Iterator[LmdbTransaction]":
        """A transaction."""
        with self._acquired() as database, database.begin(write=True) as transaction:
            yield LmdbTransaction(transaction)

    def sync(self) -> None:
        """Flush the newest commit."""
        with self._acquired() as database:
            database.sync(True)

    def all(self) -> Iterator[tuple[Blob, Blob]]:
        """Every key with its blob, each valid until the next is asked for."""
        with self._acquired() as database, database.begin(buffers=True) as transaction:
            yield from transaction.cursor()

    def copy_in_order(self, folder: Path) -> None:
        """Write all of it into a new folder, key after key, and return when that is on disk.

        Pages are full then; keys that came in any order leave a good third of each empty, on disk
        and in the memory of every reader.
        """
        copy = LmdbStore(folder, is_bulk=True)
        try:
            with self._acquired() as database, database.begin(buffers=True) as transaction:
                blobs, copied = iter(transaction.cursor()), 1
                while copied:
                    with copy._acquired() as writable, writable.begin(write=True) as appending:
                        # Never as a list: Python would look through all of it for what may go.
                        batch = islice(blobs, COPY_BATCH_BLOBS)
                        copied, _ = appending.cursor().putmulti(batch, append=True)
            copy.sync()
        finally:
            copy.close()

    def close(self) -> None:
        """Let go of the environment, which closes when the last in this process does.

        A transaction that is under way keeps it until it ends.
        """
        environment, self._environment = self._environment, None
        if environment is not None:
            environment.release()

    @contextmanager
    def _acquired(self) -> Iterator[lmdb.Environment]:
        """The environment, open as long as it is used."""
        environment = self._open().acquire()
        try:
            with _failing_as_unavailable():
                yield environment.database
        finally:
            environment.release()

    def _open(self) -> "_Environment":
        if self._environment is None:
            raise OnlineStoreUnavailable("the online feature store is closed")
        return self._environment


# The device and the number of a data file: its own as long as it is open, whatever its name.
_Identity = tuple[int, int]

_OPENING = threading.Lock()


@dataclass
class _Environment:
    """An environment, which a process may open only once, and how many hold it."""

    identity: _Identity
    database: lmdb.Environment
    holders: int = 0

    def acquire(self) -> Self:
        """The same, held once more."""
        with _OPENING:
            if not self.holders:
                raise OnlineStoreUnavailable("the online feature store is closed")
            self.holders += 1
            return self

    def release(self) -> None:
        """Close it where nobody else holds it."""
        with _OPENING:
            self.holders -= 1
            if not self.holders:
                del _OPEN[self.identity]
                self.database.close()


_OPEN: dict[_Identity, _Environment] = {}


def _opened(folder: Path, *, is_bulk: bool) -> _Environment:
    """The environment in a folder, shared by all of this process that have it open."""
    file = folder / "data.mdb"
    with _OPENING:
        environment = _OPEN.get(_identity(file)) if file.exists() else None
        if environment is None:
            folder.mkdir(parents=True, exist_ok=True)
            _allocate_lock(folder / "lock.mdb")
            database = lmdb.open(
                str(folder),
                map_size=MAX_MAP_BYTES,
                max_readers=MAX_READERS,
                metasync=False,
                sync=not is_bulk,
                readahead=False,  # keys are read all over the file
            )
            database.reader_check()  # a killed reader holds nothing back
            environment = _Environment(_identity(file), database)
            _OPEN[environment.identity] = environment
        environment.holders += 1
        return environment


def _identity(file: Path) -> _Identity:
    status = file.stat()
    return status.st_dev, status.st_ino


def _allocate_lock(file: Path) -> None:
    """Give the table of readers its blocks: LMDB maps a sparse file, and a full disk would kill.

    Raises OnlineStoreUnavailable where there is no room for it, or nobody may write it.
    """
    try:
        with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as opened:
            size = os.fstat(opened.fileno()).st_size
            if size == 0 or size >= LOCK_BYTES:  # a table of fewer readers is not made larger
                os.posix_fallocate(opened.fileno(), 0, LOCK_BYTES)
    except OSError as failure:
        raise OnlineStoreUnavailable(
            f"the online feature store failed ({file}: {failure.strerror})"
        ) from failure


class LmdbReader:
    """A read transaction."""

    def __init__(self, transaction: lmdb.Transaction):
        self._transaction = transaction

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        """The blob of each key, None where there is none."""
        get = self._transaction.get
        return [get(key) for key in keys]


class _ReadTransaction:
    """A view as long as it is read: a plain context, since every score opens one."""

    def __init__(self, environment: _Environment):
        self._environment = environment

    def __enter__(self) -> LmdbReader:
        self._environment.acquire()
        try:
            self._transaction = self._environment.database.begin(buffers=True)
        except lmdb.Error as failure:
            self._environment.release()
            raise _unavailable(failure) from failure
        return LmdbReader(self._transaction)

    def __exit__(self, _: object, failure: BaseException | None, __: object) -> None:
        self._transaction.abort()
        self._environment.release()
        if isinstance(failure, lmdb.Error):
            raise _unavailable(failure) from failure


class LmdbTransaction(LmdbReader):
    """A write transaction."""

    def put(self, blobs: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the blobs of keys."""
        self._transaction.cursor().putmulti(blobs)

    def delete(self, keys: Iterable[bytes]) -> None:
        """Let keys have no blob any more."""
        for key in keys:
            self._transaction.delete(key)

    def all(self) -> list[tuple[bytes, bytes]]:
        """Every key with its blob, in the order of keys."""
        return [*self._transaction.cursor()]

    def size(self) -> int:
        """Return how many keys there are."""
        return int(self._transaction.stat()["entries"])


@contextmanager
def _failing_as_unavailable() -> Iterator[None]:
    try:
        yield
    except lmdb.Error as failure:
        raise _unavailable(failure) from failure


def _unavailable(failure: lmdb.Error) -> OnlineStoreUnavailable:
    return OnlineStoreUnavailable(f"the online feature store failed ({failure})")
