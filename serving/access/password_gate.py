"""Limit on concurrent argon2 computations, so that memory use stays bounded.

It has threads of its own: each request thread would keep the memory of its last hash.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serving.errors import TooBusy

T = TypeVar("T")

MAX_CONCURRENT = 2
MAX_WAITING = 16


class PasswordGate:
    """Gate that runs a few password checks at a time, queues a few, and refuses the rest."""

    def __init__(self, at_once: int = MAX_CONCURRENT, most_waiting: int = MAX_WAITING):
        self._places = threading.BoundedSemaphore(at_once + most_waiting)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="passwords")

    def run(self, work: Callable[[], T]) -> T:
        """Return the result of `work`; raises TooBusy immediately if the queue is full."""
        if not self._places.acquire(blocking=False):
            raise TooBusy("too many people sign in at this moment; try again in a moment")
        try:
            return self._threads.submit(work).result()
        finally:
            self._places.release()

    def close(self) -> None:
        """Accept no more work."""
        self._threads.shutdown(wait=False, cancel_futures=True)
