"""When a call is made again, and after how long.

Every call may be: what is scored has an idempotency key, which stays the same, and records are
known by their ids.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from httpx2 import Response

from tidegate_client.errors import retry_after_s_of

PASSING = frozenset({408, 429, 502, 503, 504})


@dataclass(frozen=True)
class Retries:
    """How often a call is made again, and how long one waits at most for that."""

    most: int = 4
    first_pause_s: float = 0.25
    longest_pause_s: float = 30.0

    def pauses(self) -> Iterator[float]:
        """How long to wait before each further attempt, where the service does not say."""
        for attempt in range(self.most):
            pause_s = min(self.longest_pause_s, self.first_pause_s * 2**attempt)
            yield pause_s * random.uniform(0.5, 1)  # noqa: S311 - so that callers part

    def pause_s(self, response: Response, otherwise_s: float) -> float | None:
        """How long to wait after an answer before asking again; None where it is the last word."""
        asked_s = retry_after_s_of(response)
        is_passing = response.status_code in PASSING
        if not is_passing and not (response.status_code == 409 and asked_s is not None):
            return None
        if asked_s is None:
            return otherwise_s
        return asked_s if asked_s <= self.longest_pause_s else None
