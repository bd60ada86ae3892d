"""One small gate for everything that computes argon2: however many come, memory stays the same.

The threads are its own: in threads of requests each would keep what one hash took.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serving.errors import TooBusy

T = TypeVar("T")

AT_ONCE = 2
MOST_WAITING = 16


class PasswordGate:
    """Runs a few checks of passwords at once, lets a few wait, and turns all others away."""

    def __init__(self, at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING):
        self._places = threading.BoundedSemaphore(at_once + most_waiting)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="passwords")

    def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; raises TooBusy, at once, where too many wait."""
        if not self._places.acquire(blocking=False):
            raise TooBusy("too many people sign in at this moment; try again in a moment")
        try:
            return self._threads.submit(work).result()
        finally:
            self._places.release()

    def close(self) -> None:
        """Let nothing new in."""
        self._threads.shutdown(wait=False, cancel_futures=True)
