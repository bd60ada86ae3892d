"""The store of one machine: LMDB in a folder, one writer and readers in any process.

Chosen over SQLite by measurement (`experiments/benchmarks/state.py`): the 24 keys of one subject
among a million take 32 µs against 132 µs, since a read is a walk in a memory map without a
statement, a lock or a copy; a commit that survives a power cut takes about as long in either.
Commits here flush the changed pages once and the pointer to them with the next commit, so that a
power cut may undo the newest one, unless `sync` was called, but never tear it.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakValueDictionary

import lmdb

from features.errors import StateUnavailable
from features.state.store import Blob

# Address space that is set aside, not disk: the file grows with what it holds.
LARGEST_BYTES = 1 << 38


class EmbeddedStore:
    """An LMDB environment in `folder`, made where there is none."""

    def __init__(self, folder: Path, *, is_bulk: bool = False):
        """Open it; `is_bulk` leaves flushing to `sync`, for a folder nobody else has yet."""
        self._is_alone = is_bulk
        with _failing_as_unavailable():
            self._database: lmdb.Environment | None = _opened(folder.resolve(), is_bulk=is_bulk)

    @contextmanager
    def reading(self) -> "Iterator[EmbeddedView]":
        """The store as it is now."""
        with _failing_as_unavailable(), self._held.begin(buffers=True) as transaction:
            yield EmbeddedView(transaction)

    @contextmanager
    def writing(self) -> "Iterator[EmbeddedTransaction]":
        """A transaction."""
        with _failing_as_unavailable(), self._held.begin(write=True) as transaction:
            yield EmbeddedTransaction(transaction)

    def sync(self) -> None:
        """Flush the newest commit."""
        with _failing_as_unavailable():
            self._held.sync(True)

    def all(self) -> Iterator[tuple[Blob, Blob]]:
        """Every key with its blob, each valid until the next is asked for."""
        with _failing_as_unavailable(), self._held.begin(buffers=True) as transaction:
            yield from transaction.cursor()

    def close(self) -> None:
        """Let go of the environment, which closes when nobody in this process holds it.

        One that nobody else has closes now: its folder may be opened again under another name.
        """
        if self._is_alone and self._database is not None:
            self._database.close()
        self._database = None

    @property
    def _held(self) -> lmdb.Environment:
        if self._database is None:
            raise StateUnavailable("the online state is closed")
        return self._database


# A process may open an environment once; whoever opens its folder again shares it.
_OPEN: "WeakValueDictionary[Path, lmdb.Environment]" = WeakValueDictionary()
_OPENING = threading.Lock()


def _opened(folder: Path, *, is_bulk: bool) -> lmdb.Environment:
    with _OPENING:
        if (held := _OPEN.get(folder)) is not None:
            return held
        folder.mkdir(parents=True, exist_ok=True)
        database = _OPEN[folder] = lmdb.open(
            str(folder),
            map_size=LARGEST_BYTES,
            max_readers=512,
            metasync=False,
            sync=not is_bulk,
            readahead=False,  # keys are read all over the file
        )
        database.reader_check()  # a killed reader holds nothing back
        return database


class EmbeddedView:
    """A read transaction."""

    def __init__(self, transaction: lmdb.Transaction):
        self._transaction = transaction

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        """The blob of each key, None where there is none."""
        get = self._transaction.get
        return [get(key) for key in keys]


class EmbeddedTransaction(EmbeddedView):
    """A write transaction."""

    def put(self, blobs: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the blobs of keys."""
        self._transaction.cursor().putmulti(blobs)


@contextmanager
def _failing_as_unavailable() -> Iterator[None]:
    try:
        yield
    except lmdb.Error as failure:
        raise StateUnavailable(f"the online state failed ({failure})") from failure
