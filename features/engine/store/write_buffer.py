"""A store that buffers its newest commits in memory and flushes many at a time to another store.

For the one process that writes a store and can read again, from a log, what it had not flushed:
most blobs that one score replaces are replaced again by the next, and writing pages of a file
costs more than all else that learning a score takes.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from features.engine.store.blob_store import BlobOverlay, BlobStore
from features.errors import OnlineStoreUnavailable

# Where so many could not be flushed, nothing more is written.
MAX_BUFFERED_BLOBS = 100_000


class WriteBuffer:
    """A buffer of writes over another store, to which `sync` flushes them.

    A process that is killed loses what it had not flushed: whole transactions, the newest.
    """

    def __init__(self, target: BlobStore):
        self._target = target
        self._buffer: dict[bytes, bytes] = {}  # replaced and never changed: a view keeps its own
        self._write_lock = threading.Lock()
        self._flush_lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[BlobOverlay]:
        """The store as it is now."""
        while True:
            buffer = self._buffer
            with self._target.reading() as view:
                # Else what was put in between may be in the target already, newer than this buffer.
                if buffer is self._buffer:
                    yield BlobOverlay(view, buffer)
                    return

    @contextmanager
    def writing(self) -> Iterator[BlobOverlay]:
        """A transaction that is undone where an error leaves it."""
        with self._write_lock, self.reading() as view:
            if len(self._buffer) > MAX_BUFFERED_BLOBS:
                raise OnlineStoreUnavailable(
                    "the online feature store could not be written for too long"
                )
            transaction = BlobOverlay(view)
            yield transaction
            self._buffer = {**self._buffer, **transaction.blobs}

    def sync(self) -> None:
        """Flush the buffer, and return when it survives a power cut."""
        self._flush()
        self._target.sync()

    def close(self) -> None:
        """Flush the buffer, and release the other store."""
        try:
            self._flush()
        finally:
            self._target.close()

    def _flush(self) -> None:
        """Put all of the buffer into the other store; others write and read meanwhile."""
        with self._flush_lock:
            buffer = self._buffer
            if not buffer:
                return
            with self._target.writing() as transaction:
                transaction.put(sorted(buffer.items()))  # neighbours share pages
            with self._write_lock:
                newer = ((key, b) for key, b in self._buffer.items() if b is not buffer.get(key))
                self._buffer = dict(newer)
