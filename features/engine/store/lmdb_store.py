"""Store of one machine: LMDB in a folder, with one writer and readers in any process.

LMDB was chosen over SQLite by measurement (`experiments/benchmarks/state.py`): reading the 24 keys
of one subject among a million takes 32 µs against 132 µs, since a read is a walk in a memory map
without a statement, a lock or a copy. A commit that survives a power cut takes about as long in
either.

A commit flushes the changed pages at once but the pointer to them only with the next commit. A
power cut may therefore undo the newest commit, unless `sync` was called, but never corrupts the
store.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import Self

import lmdb

from features.engine.store.blob_store import Blob
from features.errors import OnlineStoreUnavailable

# Reserved address space, not disk: the file grows with its content.
MAX_MAP_BYTES = 1 << 38
COPY_BATCH_BLOBS = 1 << 15  # per transaction
MAX_READERS = 512
LOCK_BYTES = MAX_READERS * 64  # minimum size of LMDB's reader table


class LmdbStore:
    """LMDB environment in `folder`, created if it does not exist."""

    def __init__(self, folder: Path, *, is_bulk: bool = False):
        """Open the environment; `is_bulk` leaves flushing to `sync`, for a folder not in use."""
        with _failing_as_unavailable():
            self._environment: _Environment | None = _opened(folder, is_bulk=is_bulk)

    def reading(self) -> "_ReadTransaction":
        """Return a context with the store as it is now."""
        return _ReadTransaction(self._open())

    @contextmanager
    def writing(self) -> "Iterator[LmdbTransaction]":
        """Provide a write transaction."""
        with self._acquired() as database, database.begin(write=True) as transaction:
            yield LmdbTransaction(transaction)

    def sync(self) -> None:
        """Flush the newest commit to disk."""
        with self._acquired() as database:
            database.sync(True)

    def all(self) -> Iterator[tuple[Blob, Blob]]:
        """Yield every key with its blob; each pair is valid until the next is requested."""
        with self._acquired() as database, database.begin(buffers=True) as transaction:
            yield from transaction.cursor()

    def copy_in_order(self, folder: Path) -> None:
        """Write everything into a new folder in key order, and flush it to disk.

        This fills the pages. Keys inserted in random order leave a third of each page empty, on
        disk and in the memory of every reader.
        """
        copy = LmdbStore(folder, is_bulk=True)
        try:
            with self._acquired() as database, database.begin(buffers=True) as transaction:
                blobs, copied = iter(transaction.cursor()), 1
                while copied:
                    with copy._acquired() as writable, writable.begin(write=True) as appending:
                        # An iterator, since the garbage collector would scan a long list again and
                        # again.
                        batch = islice(blobs, COPY_BATCH_BLOBS)
                        copied, _ = appending.cursor().putmulti(batch, append=True)
            copy.sync()
        finally:
            copy.close()

    def close(self) -> None:
        """Release the environment; it closes when its last user in this process releases it.

        A transaction in progress keeps it open until it ends.
        """
        environment, self._environment = self._environment, None
        if environment is not None:
            environment.release()

    @contextmanager
    def _acquired(self) -> Iterator[lmdb.Environment]:
        """Provide the database, kept open for the duration of the block."""
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


# Device and inode of a data file, which identify it under any name while it is open.
_Identity = tuple[int, int]

_OPENING = threading.Lock()


@dataclass
class _Environment:
    """Environment with a count of its users; a process may open each only once."""

    identity: _Identity
    database: lmdb.Environment
    holders: int = 0

    def acquire(self) -> Self:
        """Return the environment with one more user.

        Raises OnlineStoreUnavailable if it is closed.
        """
        with _OPENING:
            if not self.holders:
                raise OnlineStoreUnavailable("the online feature store is closed")
            self.holders += 1
            return self

    def release(self) -> None:
        """Remove a user, and close the environment after the last one."""
        with _OPENING:
            self.holders -= 1
            if not self.holders:
                del _OPEN[self.identity]
                self.database.close()


_OPEN: dict[_Identity, _Environment] = {}


def _opened(folder: Path, *, is_bulk: bool) -> _Environment:
    """Return the environment of a folder, shared by all its users in this process."""
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
                readahead=False,  # keys are read in random order
            )
            database.reader_check()  # frees slots of killed readers, which would pin old pages
            environment = _Environment(_identity(file), database)
            _OPEN[environment.identity] = environment
        environment.holders += 1
        return environment


def _identity(file: Path) -> _Identity:
    status = file.stat()
    return status.st_dev, status.st_ino


def _allocate_lock(file: Path) -> None:
    """Allocate the blocks of the reader table.

    LMDB maps a sparse file, so a write on a full disk would kill the process. Raises
    OnlineStoreUnavailable if there is no space or no permission to write.
    """
    try:
        with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as opened:
            size = os.fstat(opened.fileno()).st_size
            if size == 0 or size >= LOCK_BYTES:  # a smaller table in use is left as it is
                os.posix_fallocate(opened.fileno(), 0, LOCK_BYTES)
    except OSError as failure:
        raise OnlineStoreUnavailable(
            f"the online feature store failed ({file}: {failure.strerror})"
        ) from failure


class LmdbReader:
    """Read transaction."""

    def __init__(self, transaction: lmdb.Transaction):
        self._transaction = transaction

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        """Return the blob of each key, None where the key is absent."""
        get = self._transaction.get
        return [get(key) for key in keys]

    def scan(self, start: bytes) -> Iterator[tuple[bytes, Blob]]:
        """Yield every key that begins so with its blob, in key order."""
        cursor = self._transaction.cursor()
        if cursor.set_range(start):
            named = ((bytes(key), blob) for key, blob in cursor)
            yield from takewhile(lambda pair: pair[0].startswith(start), named)


class _ReadTransaction:
    """Context of a read transaction.

    A plain class is used instead of a generator, because every score opens one.
    """

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
    """Write transaction."""

    def put(self, blobs: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the blobs of keys."""
        self._transaction.cursor().putmulti(blobs)

    def delete(self, keys: Iterable[bytes]) -> None:
        """Delete the blobs of keys."""
        for key in keys:
            self._transaction.delete(key)

    def all(self) -> list[tuple[bytes, bytes]]:
        """Return every key with its blob, in key order."""
        return [*self._transaction.cursor()]

    def size(self) -> int:
        """Return the number of keys."""
        return int(self._transaction.stat()["entries"])


@contextmanager
def _failing_as_unavailable() -> Iterator[None]:
    try:
        yield
    except lmdb.Error as failure:
        raise _unavailable(failure) from failure


def _unavailable(failure: lmdb.Error) -> OnlineStoreUnavailable:
    return OnlineStoreUnavailable(f"the online feature store failed ({failure})")
