"""Idempotency keys whose first request has no answer yet."""

import threading

from serving.errors import StillInProgress

Claim = tuple[str, str]


class Claims:
    """The (caller, key) pairs in progress in this process."""

    def __init__(self) -> None:
        self._held: set[Claim] = set()
        self._lock = threading.Lock()

    def take(self, claim: Claim) -> None:
        """Hold a claim until it is released; raises StillInProgress where another holds it."""
        with self._lock:
            if claim in self._held:
                raise StillInProgress("the first request with this idempotency key is not answered")
            self._held.add(claim)

    def release(self, claim: Claim) -> None:
        """Let go of a claim."""
        with self._lock:
            self._held.discard(claim)
