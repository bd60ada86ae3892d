"""Interface of a database of blobs by key, as the online feature store needs it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

Blob = bytes | memoryview


class BlobReader(Protocol):
    """Immutable view of a store.

    Its blobs are valid as long as the view is open.
    """

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        """Return the blob of each key, None where the key is absent."""
        ...

    def scan(self, start: bytes) -> Iterator[tuple[bytes, Blob]]:
        """Yield every key that begins so with its blob, valid until the next is requested."""
        ...


class BlobTransaction(BlobReader, Protocol):
    """Transaction that sees its own writes; others see all of them after it ends, or none."""

    def put(self, blobs: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the blobs of keys."""
        ...


class BlobStore(Protocol):
    """Database of blobs with many concurrent readers and one writer at a time.

    Every method raises OnlineStoreUnavailable if the database fails.
    """

    def reading(self) -> AbstractContextManager[BlobReader]:
        """Return a context with the store as it is now."""
        ...

    def writing(self) -> AbstractContextManager[BlobTransaction]:
        """Return a transaction that an error rolls back; a killed process leaves the store intact.

        Unless `sync` was called after it, the newest transaction may be lost in a power cut. A
        store that buffers may lose its newest transactions if the process is killed.
        """
        ...

    def sync(self) -> None:
        """Wait until all commits survive a power cut and are visible to all processes."""
        ...

    def close(self) -> None:
        """Release the database."""
        ...


class BlobOverlay:
    """View of a store with some `blobs` on top; the store itself is not changed."""

    def __init__(self, under: BlobReader, blobs: dict[bytes, bytes] | None = None):
        self._under = under
        self.blobs: dict[bytes, bytes] = {} if blobs is None else blobs

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        """Return the blob of each key, None where the key is absent."""
        # The common case of a request that brings nothing costs no merging.
        if not self.blobs:
            return self._under.get(keys)
        own: list[Blob | None] = [*map(self.blobs.get, keys)]
        if None not in own:
            return own
        # Only keys that the overlay lacks are read from the store below.
        others = [key for key, blob in zip(keys, own, strict=True) if blob is None]
        under = iter(self._under.get(others))
        return [next(under) if blob is None else blob for blob in own]

    def scan(self, start: bytes) -> Iterator[tuple[bytes, Blob]]:
        """Yield every key that begins so with its blob, those of the overlay first."""
        yield from ((key, blob) for key, blob in self.blobs.items() if key.startswith(start))
        yield from (each for each in self._under.scan(start) if each[0] not in self.blobs)

    def put(self, blobs: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the blobs of keys in the overlay."""
        self.blobs.update(blobs)
