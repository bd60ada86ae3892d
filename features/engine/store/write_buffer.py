"""A store whose newest commits are held in memory, and handed to the store below many at a time.

For the one process that writes a store and can learn again, from a log, what it had not handed
down: most blobs that one score replaces are replaced again by the next, and writing pages of a file
costs more than all else that learning a score takes.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from features.engine.store.blob_store import BlobOverlay, BlobStore
from features.errors import StateUnavailable

MAX_BUFFERED_BLOBS = 100_000
"""More are not held: where they cannot be handed down for so long, nothing more is learnt."""


class WriteBuffer:
    """A store over another, which `sync` hands everything down to.

    A process that is killed loses what it had not handed down: whole transactions, the newest.
    """

    def __init__(self, below: BlobStore):
        self._below = below
        self._held: dict[bytes, bytes] = {}  # replaced and never changed: a view keeps its own
        self._turn = threading.Lock()
        self._handing = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[BlobOverlay]:
        """The store as it is now."""
        while True:
            held = self._held
            with self._below.reading() as view:
                # Else what was put in between may be below already, newer than what is held here.
                if held is self._held:
                    yield BlobOverlay(view, held)
                    return

    @contextmanager
    def writing(self) -> Iterator[BlobOverlay]:
        """A transaction that is undone where an error leaves it."""
        with self._turn, self.reading() as view:
            if len(self._held) > MAX_BUFFERED_BLOBS:
                raise StateUnavailable("the online state could not be written for too long")
            transaction = BlobOverlay(view)
            yield transaction
            self._held = {**self._held, **transaction.blobs}

    def sync(self) -> None:
        """Hand down what is held, and return when it survives a power cut."""
        self._hand_down()
        self._below.sync()

    def close(self) -> None:
        """Hand down what is held, and release the store below."""
        try:
            self._hand_down()
        finally:
            self._below.close()

    def _hand_down(self) -> None:
        """Put all that is held into the store below; others write and read meanwhile."""
        with self._handing:
            held = self._held
            if not held:
                return
            with self._below.writing() as transaction:
                transaction.put(sorted(held.items()))  # neighbours share pages
            with self._turn:
                newer = ((key, b) for key, b in self._held.items() if b is not held.get(key))
                self._held = dict(newer)
