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
# A commit copies the newest blobs only; this many of them join the others.
MAX_NEWEST_BLOBS = 2_000


class WriteBuffer:
    """Buffer of writes over another store; `sync` flushes it.

    If the process is killed, the newest transactions that were not flushed are lost, each as a
    whole.
    """

    def __init__(self, target: BlobStore):
        self._target = target
        # Older and newest blobs; replaced, never modified: open views keep theirs.
        self._layers: tuple[dict[bytes, bytes], dict[bytes, bytes]] = {}, {}
        self._write_lock = threading.Lock()
        self._flush_lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[BlobOverlay]:
        """Provide the store as it is now."""
        while True:
            older, newest = layers = self._layers
            with self._target.reading() as view:
                # Retry if the layers were replaced: the target may already hold newer blobs.
                if layers is self._layers:
                    yield BlobOverlay(BlobOverlay(view, older), newest)
                    return

    @contextmanager
    def writing(self) -> Iterator[BlobOverlay]:
        """Provide a transaction that an error rolls back."""
        with self._write_lock, self.reading() as view:
            older, newest = self._layers
            if len(older) + len(newest) > MAX_BUFFERED_BLOBS:
                raise OnlineStoreUnavailable(
                    "the online feature store could not be written for too long"
                )
            transaction = BlobOverlay(view)
            yield transaction
            newest = newest | transaction.blobs
            is_full = len(newest) > MAX_NEWEST_BLOBS
            self._layers = (older | newest, {}) if is_full else (older, newest)

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
            older, newest = self._layers
            if not (buffer := older | newest):
                return
            with self._target.writing() as transaction:
                transaction.put(sorted(buffer.items()))  # neighbouring keys share pages
            with self._write_lock:
                # Keep blobs that were replaced during the flush; the others are in the target now.
                older, newest = self._layers
                newer = ((k, b) for k, b in (older | newest).items() if b is not buffer.get(k))
                self._layers = {}, dict(newer)
