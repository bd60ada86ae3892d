"""Work that the service repeats in the background until it stops."""

import threading
from collections.abc import Callable

import structlog

from serving.errors import LogUnavailable
from serving.process.background_threads import BackgroundThread

log = structlog.get_logger(__name__)

PREFIX = "polling "
"""What the names of these threads begin with."""


class PollingThread:
    """Does one thing again and again on a thread of its own, which outlives failures.

    A database that is away is logged as the event `waits`, once until it is back, and whatever else
    fails as `polling_failed`; the next turn comes all the same.
    """

    def __init__(self, name: str, act: Callable[[], object], *, waits: str):
        self.thread = BackgroundThread(name, self._run, prefix=PREFIX)
        self._interval_s = 0.0
        self._act = act
        self._waits = waits
        self._is_over = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether it was stopped; a long turn checks this in between."""
        return self._is_over.is_set()

    def wait(self, seconds: float) -> None:
        """Wait within a turn, at most until it is stopped."""
        self.thread.tell_progress()
        self._is_over.wait(seconds)

    def start(self, interval_s: float) -> None:
        """Take the first turn after one interval."""
        self._interval_s = interval_s
        self.thread.start()

    def stop(self) -> None:
        """Finish the turn that was begun, and take no other."""
        self._is_over.set()
        if self.thread.is_alive():
            self.thread.join()

    def _run(self) -> None:
        is_waiting = False
        while not self._is_over.wait(self._interval_s):
            try:
                with self.thread.turn():
                    self._act()
            except LogUnavailable as failure:
                if not is_waiting:
                    log.warning(self._waits, reason=str(failure))
                is_waiting = True
            except Exception as failure:  # without the thread nobody would do it ever again
                log.error(
                    "polling_failed", thread=self.thread.name, exception=type(failure).__name__
                )
            else:
                is_waiting = False
