"""A store of blobs that counts what enters and leaves it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from features.engine.store.blob_store import Blob, BlobReader, BlobStore, BlobTransaction
from features.engine.store.store_keys import PART_END

_END = PART_END.encode()
_LEAD = b"opcld"  # what keys of logs and of their pages begin with


@dataclass
class Traffic:
    """What was asked for and what was put, since it was begun; by key how often it was put."""

    blobs_got: int = 0
    bytes_got: int = 0
    bytes_put: int = 0
    keys_put: Counter[bytes] = field(default_factory=Counter)
    owners: set[bytes] = field(default_factory=set)

    @property
    def blobs_put(self) -> int:
        """How many blobs were put."""
        return self.keys_put.total()


class CountedStore:
    """Another store, with the traffic of all its transactions."""

    def __init__(self, under: BlobStore):
        self._under = under
        self.traffic = Traffic()

    def begin(self) -> Traffic:
        """Count from nothing; what is counted from now on."""
        self.traffic = Traffic()
        return self.traffic

    @contextmanager
    def reading(self) -> Iterator["_CountedView"]:
        """The store as it is now."""
        with self._under.reading() as view:
            yield _CountedView(view, self.traffic)

    @contextmanager
    def writing(self) -> Iterator["_CountedTransaction"]:
        """A transaction."""
        with self._under.writing() as transaction:
            yield _CountedTransaction(transaction, self.traffic)

    def sync(self) -> None:
        """Return when all that was committed survives a power cut."""
        self._under.sync()

    def close(self) -> None:
        """Release the store."""
        self._under.close()


def owner_of(key: bytes) -> bytes:
    """The first column of a key: whoever has the partition of it has all logs of that value."""
    return key.partition(_END)[0].lstrip(_LEAD)


class _CountedView:
    def __init__(self, under: BlobReader, traffic: Traffic):
        self._under, self._traffic = under, traffic

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        blobs = self._under.get(keys)
        self._traffic.blobs_got += len(keys)
        self._traffic.bytes_got += sum(len(blob) for blob in blobs if blob)
        self._traffic.owners.update(map(owner_of, keys))
        return blobs

    def scan(self, start: bytes) -> Iterator[tuple[bytes, Blob]]:
        return self._under.scan(start)


class _CountedTransaction(_CountedView):
    def __init__(self, under: BlobTransaction, traffic: Traffic):
        super().__init__(under, traffic)
        self._into = under

    def put(self, blobs: Iterable[tuple[bytes, bytes]]) -> None:
        given = [*blobs]
        self._traffic.keys_put.update(key for key, _ in given)
        self._traffic.bytes_put += sum(len(key) + len(blob) for key, blob in given)
        self._traffic.owners.update(owner_of(key) for key, _ in given)
        self._into.put(given)
