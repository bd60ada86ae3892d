"""How often a caller may ask: a bucket of permits each, refilled steadily."""

import threading
import time
from dataclasses import dataclass

from serving.errors import TooOften

MOST_CALLERS = 10_000


@dataclass
class Bucket:
    """What a caller may still ask for, as of an instant of the monotonic clock."""

    permits: float
    at_s: float


class RateLimits:
    """Permits of every caller: `per_s` a second, at most `burst` at once."""

    def __init__(self, per_s: float, burst: float):
        self._per_s = per_s
        self._burst = burst
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def take(self, caller_id: str, permits: float = 1) -> None:
        """Use up permits, at most `burst`; raises TooOften, which says when to come again."""
        now = time.monotonic()
        with self._lock:
            bucket = self._buckets.pop(caller_id, None) or Bucket(self._burst, now)
            bucket.permits = min(self._burst, bucket.permits + (now - bucket.at_s) * self._per_s)
            bucket.at_s = now
            self._buckets[caller_id] = bucket
            lacking = permits - bucket.permits
            if lacking <= 0:
                bucket.permits -= permits
            while len(self._buckets) > MOST_CALLERS:
                del self._buckets[next(iter(self._buckets))]
        if lacking > 0:
            raise TooOften("this key asks too often", after_s=lacking / self._per_s)
