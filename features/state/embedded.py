"""The store of one machine: LMDB in a folder, one writer and readers in any process.

Chosen over SQLite by measurement (`experiments/benchmarks/state.py`): the 24 keys of one subject
among a million take 26 µs against 197 µs, since a read is a walk in a memory map without a
statement, a lock or a copy. A commit costs one flush of the changed pages; the pointer to them is
flushed with the next, so that a power cut may undo the newest commit but never tear it. SQLite
flushes less per commit; but readers outnumber writers here, and commits are shared by many records.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import lmdb

from features.errors import StateUnavailable
from features.state.store import Blob

# Address space that is set aside, not disk: the file grows with what it holds.
LARGEST_BYTES = 1 << 38


class EmbeddedStore:
    """An LMDB environment in `folder`, made where there is none."""

    def __init__(self, folder: Path, *, is_bulk: bool = False):
        """Open it; `is_bulk` leaves flushing to `sync`, for a folder nobody relies on yet."""
        folder.mkdir(parents=True, exist_ok=True)
        with _failing_as_unavailable():
            self._database = lmdb.open(
                str(folder),
                map_size=LARGEST_BYTES,
                max_readers=512,
                metasync=False,
                sync=not is_bulk,
                readahead=False,  # keys are read all over the file
            )
            self._database.reader_check()  # a killed reader holds nothing back

    @contextmanager
    def reading(self) -> "Iterator[EmbeddedView]":
        """The store as it is now."""
        with _failing_as_unavailable(), self._database.begin(buffers=True) as transaction:
            yield EmbeddedView(transaction)

    @contextmanager
    def writing(self) -> "Iterator[EmbeddedTransaction]":
        """A transaction."""
        with _failing_as_unavailable(), self._database.begin(write=True) as transaction:
            yield EmbeddedTransaction(transaction)

    def sync(self) -> None:
        """Flush the newest commit."""
        with _failing_as_unavailable():
            self._database.sync(True)

    def close(self) -> None:
        """Close the environment; a process may have it open once."""
        self._database.close()


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
