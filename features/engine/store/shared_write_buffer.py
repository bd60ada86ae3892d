"""A buffer of writes that several processes of one machine share, over the store that they share.

It does for them what `WriteBuffer` does for one: what was committed is seen by all of them at once,
and reaches the disk later, many commits at a time. Nothing flushes the buffer's own file, so that a
commit costs no write to a disk; it outlives any process, and no power cut. Whoever begins the first
of these processes discards what an earlier run left (`discard`): it may be torn.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from features.engine.store.blob_store import Blob, BlobOverlay, BlobReader
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.write_buffer import MAX_BUFFERED_BLOBS
from features.errors import OnlineStoreUnavailable

_FLUSHES = b"mflushes"
"""How many flushes began, in the buffer; how many ended, in the store below."""


class SharedWriteBuffer:
    """A buffer in `folder` over another store, to which `sync` flushes it, whoever calls it."""

    def __init__(self, folder: Path, target: LmdbStore):
        self._target = target
        self._buffer = LmdbStore(folder, is_bulk=True)
        with self._buffer.writing() as buffer, target.reading() as below:
            if _flushes(buffer) < _flushes(below):  # the buffer is new
                buffer.put([(_FLUSHES, b"%d" % _flushes(below))])

    @contextmanager
    def reading(self) -> "Iterator[_Layers]":
        """The store as it is now."""
        while True:
            with self._buffer.reading() as buffer, self._target.reading() as below:
                # Else a flush began after the first view and ended before the second, which may
                # then be the newer one of the two.
                if _flushes(below) <= _flushes(buffer):
                    yield _Layers(buffer, below)
                    return

    @contextmanager
    def writing(self) -> Iterator[BlobOverlay]:
        """A transaction, when it is its turn; it is undone where an error leaves it."""
        with self._buffer.writing() as buffer, self._target.reading() as below:
            if buffer.size() > MAX_BUFFERED_BLOBS:
                raise OnlineStoreUnavailable(
                    "the online feature store could not be written for too long"
                )
            transaction = BlobOverlay(_Layers(buffer, below))
            yield transaction
            buffer.put(transaction.blobs.items())

    def sync(self) -> None:
        """Flush the buffer, and return when it survives a power cut."""
        self._flush()
        self._target.sync()

    def close(self) -> None:
        """Flush the buffer, and release both."""
        try:
            self._flush()
        finally:
            self._buffer.close()
            self._target.close()

    def _flush(self) -> None:
        """Put all of the buffer into the store below; others write and read meanwhile.

        Of two flushes at once, the second begins when the first has ended: it holds all that the
        first one had, or something newer in its place.
        """
        with self._target.writing() as below:
            with self._buffer.writing() as buffer:
                blobs = [(key, blob) for key, blob in buffer.all() if key != _FLUSHES]
                if not blobs:
                    return
                begun = b"%d" % (_flushes(buffer) + 1)
                buffer.put([(_FLUSHES, begun)])
            below.put([*blobs, (_FLUSHES, begun)])
        with self._buffer.writing() as buffer:
            if buffer.get([_FLUSHES]) != [begun]:  # another flush has all of this, and may be newer
                return
            now = buffer.get([key for key, _ in blobs])
            pairs = zip(blobs, now, strict=True)
            buffer.delete(key for (key, blob), newest in pairs if newest == blob)


def discard(folder: Path) -> None:
    """Remove a buffer that no process has open; what it held was not flushed."""
    shutil.rmtree(folder, ignore_errors=True)


class _Layers:
    """What is there if the blobs of one view lie on top of another's."""

    def __init__(self, above: BlobReader, below: BlobReader):
        self._above = above
        self._below = below

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        """The blob of each key, None where there is none."""
        found = self._above.get(keys)
        missing = [at for at, blob in enumerate(found) if blob is None]
        below = self._below.get([keys[at] for at in missing])
        for at, blob in zip(missing, below, strict=True):
            found[at] = blob
        return found


def _flushes(view: BlobReader) -> int:
    (blob,) = view.get([_FLUSHES])
    return 0 if blob is None else int(bytes(blob))
