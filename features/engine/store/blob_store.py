"""Blobs by key, in transactions: all that the online feature store asks of a database."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

Blob = bytes | memoryview


class BlobReader(Protocol):
    """One unchanging view of a store; its blobs are valid as long as it is open."""

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        """The blob of each key, None where there is none."""
        ...


class BlobTransaction(BlobReader, Protocol):
    """A transaction: it sees what it put, others see it when it ends well, whole or not at all."""

    def put(self, blobs: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the blobs of keys."""
        ...


class BlobStore(Protocol):
    """A database of blobs. Many may read while one writes; writers wait for each other.

    Every method raises OnlineStoreUnavailable where the database fails.
    """

    def reading(self) -> AbstractContextManager[BlobReader]:
        """The store as it is now."""
        ...

    def writing(self) -> AbstractContextManager[BlobTransaction]:
        """A transaction that is undone where an error leaves it; a killed process never harms it.

        A power cut may undo the newest one, or a killed process the newest of those that a store
        gathers, unless `sync` was called after it.
        """
        ...

    def sync(self) -> None:
        """Return when all that was committed survives a power cut, and is seen by all processes."""
        ...

    def close(self) -> None:
        """Release the database."""
        ...


class BlobOverlay:
    """A view with some `blobs` on top; the view itself stays as it is."""

    def __init__(self, under: BlobReader, blobs: dict[bytes, bytes] | None = None):
        self._under = under
        self.blobs: dict[bytes, bytes] = {} if blobs is None else blobs

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        """The blob of each key, None where there is none."""
        if not self.blobs:
            return self._under.get(keys)
        own: list[Blob | None] = [*map(self.blobs.get, keys)]
        if None not in own:
            return own
        others = [key for key, blob in zip(keys, own, strict=True) if blob is None]
        under = iter(self._under.get(others))
        return [next(under) if blob is None else blob for blob in own]

    def put(self, blobs: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the blobs of keys."""
        self.blobs.update(blobs)
