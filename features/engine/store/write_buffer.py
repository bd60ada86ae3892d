"""Store that buffers its newest commits in memory and flushes many at a time to another store.

It suits the single writer of a store that can read lost commits again from a log. Most blobs that
one score replaces are replaced again by the next, and writing pages of a file costs more than
everything else in ingesting a score.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from features.engine.store.blob_store import BlobOverlay, BlobStore
from features.errors import OnlineStoreUnavailable

# Refuse writes once this many blobs could not be flushed, to limit memory.
MAX_BUFFERED_BLOBS = 100_000


class WriteBuffer:
    """Buffer of writes over another store; `sync` flushes it.

    If the process is killed, the newest transactions that were not flushed are lost, each as a
    whole.
    """

    def __init__(self, target: BlobStore):
        self._target = target
        self._buffer: dict[bytes, bytes] = {}  # replaced, never modified: open views keep theirs
        self._write_lock = threading.Lock()
        self._flush_lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[BlobOverlay]:
        """Provide the store as it is now."""
        while True:
            buffer = self._buffer
            with self._target.reading() as view:
                # Retry if the buffer was replaced: the target may already hold newer blobs than
                # this buffer.
                if buffer is self._buffer:
                    yield BlobOverlay(view, buffer)
                    return

    @contextmanager
    def writing(self) -> Iterator[BlobOverlay]:
        """Provide a transaction that an error rolls back."""
        with self._write_lock, self.reading() as view:
            if len(self._buffer) > MAX_BUFFERED_BLOBS:
                raise OnlineStoreUnavailable(
                    "the online feature store could not be written for too long"
                )
            transaction = BlobOverlay(view)
            yield transaction
            self._buffer = {**self._buffer, **transaction.blobs}

    def sync(self) -> None:
        """Flush the buffer and wait until it survives a power cut."""
        self._flush()
        self._target.sync()

    def close(self) -> None:
        """Flush the buffer and release the other store."""
        try:
            self._flush()
        finally:
            self._target.close()

    def _flush(self) -> None:
        """Write the whole buffer into the other store, while others read and write."""
        with self._flush_lock:
            buffer = self._buffer
            if not buffer:
                return
            with self._target.writing() as transaction:
                transaction.put(sorted(buffer.items()))  # neighbouring keys share pages
            with self._write_lock:
                # Keep blobs that were replaced during the flush; the others are in the target now.
                newer = ((key, b) for key, b in self._buffer.items() if b is not buffer.get(key))
                self._buffer = dict(newer)
