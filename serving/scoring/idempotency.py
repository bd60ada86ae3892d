"""Idempotency keys whose first request has no answer yet."""

import threading

from serving.errors import StillInProgress

Claim = tuple[str, str]


class IdempotencyClaims:
    """The claims, pairs of caller and idempotency key, in progress in this process."""

    def __init__(self) -> None:
        self._claimed: set[Claim] = set()
        self._lock = threading.Lock()

    def acquire(self, claim: Claim) -> None:
        """Acquire a claim until it is released; raises StillInProgress where another has it."""
        with self._lock:
            if claim in self._claimed:
                raise StillInProgress("the first request with this idempotency key is not answered")
            self._claimed.add(claim)

    def release(self, claim: Claim) -> None:
        """Release a claim."""
        with self._lock:
            self._claimed.discard(claim)
