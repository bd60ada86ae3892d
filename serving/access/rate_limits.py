"""Rate limits by caller: a token bucket each, refilled steadily.

The library `limits` stores its state in memory, Redis, Memcached, MongoDB or etcd. None of these
servers is required here, and workers of one machine share a file faster than a server.
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

MAX_CALLERS = 10_000
# Bytes; more than MAX_CALLERS need.
_MAX_FILE = 16 << 20
_STORED = struct.Struct("<dd")


@dataclass
class Bucket:
    """Permits left to a caller as of an instant of the monotonic clock."""

    permits: float
    at_s: float


@dataclass(frozen=True)
class RateLimit:
    """Rate limit of a caller: the maximum, its window in seconds, and the remainder."""

    most: float
    window_s: float
    left: float
    whole_after_s: float

    def headers(self) -> dict[str, str]:
        """Return headers by the IETF draft draft-ietf-httpapi-ratelimit-headers."""
        left, whole_after_s = math.floor(self.left), math.ceil(self.whole_after_s)
        return {
            "RateLimit-Policy": f'"caller";q={math.floor(self.most)};w={math.ceil(self.window_s)}',
            "RateLimit": f'"caller";r={left};t={whole_after_s}',
        }


class RateLimits:
    """Rate limits of all callers: `per_s` permits per second, at most `burst` at a time.

    With a folder, all processes of the machine that use it share the limits.
    """

    def __init__(self, per_s: float, burst: float, shared_folder: Path | None = None):
        self._per_s = per_s
        self._burst = burst
        self._buckets = SharedBuckets(shared_folder) if shared_folder else OwnBuckets()

    def take(self, caller_id: str, permits: float = 1) -> RateLimit:
        """Use up permits, at most `burst`; raises ServingError with the time to retry."""
        now, lacking = time.monotonic(), 0.0

        def taken(kept: Bucket | None) -> Bucket:
            nonlocal lacking
            bucket = kept or Bucket(self._burst, now)
            # Clocks of processes agree, but a file from before a reboot may be ahead of this one.
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
        """Release the shared file."""
        self._buckets.close()


class OwnBuckets:
    """Buckets in the memory of this process; beyond MAX_CALLERS the least recent are dropped."""

    def __init__(self) -> None:
        self.by_caller: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def change(self, caller_id: str, change: Callable[[Bucket | None], Bucket]) -> Bucket:
        """Replace a caller's bucket by the result of `change`."""
        with self._lock:
            bucket = change(self.by_caller.pop(caller_id, None))
            self.by_caller[caller_id] = bucket
            while len(self.by_caller) > MAX_CALLERS:
                del self.by_caller[next(iter(self.by_caller))]
        return bucket

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class SharedBuckets:
    """Buckets in a file shared by the workers of a machine, which need not outlive them.

    With too many callers all buckets are dropped, which gives each a full burst once.
    """

    def __init__(self, folder: Path):
        folder.mkdir(exist_ok=True)
        # Not with `writemap`: on a full disk, a write to mapped memory would kill the process.
        self._file = lmdb.open(str(folder), map_size=_MAX_FILE, sync=False, metasync=False)

    def change(self, caller_id: str, change: Callable[[Bucket | None], Bucket]) -> Bucket:
        """Replace a caller's bucket by the result of `change`, under the file's write lock."""
        key = hashlib.blake2b(caller_id.encode(), digest_size=16).digest()
        try:
            with self._file.begin(write=True) as changing:
                kept = changing.get(key)
                bucket = change(Bucket(*_STORED.unpack(kept)) if kept else None)
                if kept is None and changing.stat()["entries"] >= MAX_CALLERS:
                    changing.drop(self._file.open_db(txn=changing), delete=False)
                changing.put(key, _STORED.pack(bucket.permits, bucket.at_s))
        # A full disk must not refuse requests.
        except lmdb.Error:
            return change(None)
        return bucket

    def close(self) -> None:
        """Release the file."""
        self._file.close()
