"""How often a caller may ask: a bucket of permits each, refilled steadily.

The library `limits` keeps what is left in memory, or in Redis, Memcached, MongoDB or etcd. None of
these is here, and workers of one machine share a file faster than they would ask a server.
"""

import hashlib
import math
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lmdb

from serving.errors import ServingError

MOST_CALLERS = 10_000
_LARGEST_FILE = 16 << 20  # bytes: more than so many callers need
_STORED = struct.Struct("<dd")


@dataclass
class Bucket:
    """The permits left to a caller, as of an instant of the monotonic clock."""

    permits: float
    at_s: float


@dataclass(frozen=True)
class RateLimit:
    """The limit of a caller: the most, in how many seconds, and what is left of it."""

    most: float
    window_s: float
    left: float
    whole_after_s: float

    def headers(self) -> dict[str, str]:
        """As the IETF's draft has it (draft-ietf-httpapi-ratelimit-headers)."""
        left, whole_after_s = math.floor(self.left), math.ceil(self.whole_after_s)
        return {
            "RateLimit-Policy": f'"caller";q={math.floor(self.most)};w={math.ceil(self.window_s)}',
            "RateLimit": f'"caller";r={left};t={whole_after_s}',
        }


class RateLimits:
    """Permits of every caller: `per_s` a second, at most `burst` at once.

    With a folder they are shared by the processes of a machine that name it.
    """

    def __init__(self, per_s: float, burst: float, shared_folder: Path | None = None):
        self._per_s = per_s
        self._burst = burst
        self._buckets = SharedBuckets(shared_folder) if shared_folder else OwnBuckets()

    def take(self, caller_id: str, permits: float = 1) -> RateLimit:
        """Use up permits, at most `burst`; raises ServingError, which says when to come again."""
        now, lacking = time.monotonic(), 0.0

        def taken(kept: Bucket | None) -> Bucket:
            nonlocal lacking
            bucket = kept or Bucket(self._burst, now)
            since_s = max(0.0, now - bucket.at_s)
            left = min(self._burst, bucket.permits + since_s * self._per_s)
            lacking = permits - left
            return Bucket(left if lacking > 0 else left - permits, now)

        left = self._buckets.change(caller_id, taken).permits
        whole_after_s = (self._burst - left) / self._per_s
        limit = RateLimit(self._burst, self._burst / self._per_s, left, whole_after_s)
        if lacking > 0:
            after_s = lacking / self._per_s
            raise ServingError(
                "this key asks too often",
                code="too-often",
                retry_after_s=after_s,
                headers=limit.headers(),
            )
        return limit

    def close(self) -> None:
        """Let go of a shared file."""
        self._buckets.close()


class OwnBuckets:
    """Buckets in the memory of this process: of many callers, those of who asked last."""

    def __init__(self) -> None:
        self.by_caller: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def change(self, caller_id: str, change: Callable[[Bucket | None], Bucket]) -> Bucket:
        """Put in place of a caller's bucket what `change` makes of it."""
        with self._lock:
            bucket = change(self.by_caller.pop(caller_id, None))
            self.by_caller[caller_id] = bucket
            while len(self.by_caller) > MOST_CALLERS:
                del self.by_caller[next(iter(self.by_caller))]
        return bucket

    def close(self) -> None:
        """Nothing is held."""


class SharedBuckets:
    """Buckets in a file that the workers of a machine share; it need not outlive them.

    Where there are too many callers all are forgotten, which gives each its whole burst once.
    """

    def __init__(self, folder: Path):
        folder.mkdir(exist_ok=True)
        # Not written through mapped memory: on a full disk that would end the process.
        self._file = lmdb.open(str(folder), map_size=_LARGEST_FILE, sync=False, metasync=False)

    def change(self, caller_id: str, change: Callable[[Bucket | None], Bucket]) -> Bucket:
        """Put in place of a caller's bucket what `change` makes of it; others wait meanwhile."""
        key = hashlib.blake2b(caller_id.encode(), digest_size=16).digest()
        try:
            with self._file.begin(write=True) as changing:
                kept = changing.get(key)
                bucket = change(Bucket(*_STORED.unpack(kept)) if kept else None)
                if kept is None and changing.stat()["entries"] >= MOST_CALLERS:
                    changing.drop(self._file.open_db(txn=changing), delete=False)
                changing.put(key, _STORED.pack(bucket.permits, bucket.at_s))
        except lmdb.Error:  # a full disk turns nobody away here
            return change(None)
        return bucket

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
