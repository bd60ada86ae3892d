"""Background threads of the service, each of which says whether it still works."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import structlog

from serving.errors import LogUnavailable

log = structlog.get_logger(__name__)

# A turn that has shown nothing for so long is taken for one that never ends.
STUCK_AFTER_S = 600.0

ThreadFault = Literal["dead", "stuck"]

# The prefix of the names of polling threads.
PREFIX = "polling "


class BackgroundThread(threading.Thread):
    """Does `work`, which returns only once it was told to end; `called` is what people call it.

    What escapes from the work is the end of the thread: it is logged as `thread_died`, without its
    words, and nobody starts it again but a new start of the process.
    """

    def __init__(self, called: str, work: Callable[[], object], *, prefix: str = ""):
        super().__init__(target=work, name=f"{prefix}{called}", daemon=True)
        self.called = called
        self._has_ended = False
        self._seen_at_work_s: float | None = None

    def run(self) -> None:
        """Work until the end."""
        try:
            super().run()
        except BaseException as failure:
            log.error("thread_died", thread=self.called, exception=type(failure).__name__)
            raise
        self._has_ended = True

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Mark the work between two waits, which must end before long."""
        self._seen_at_work_s = time.monotonic()
        try:
            yield
        finally:
            self._seen_at_work_s = None

    def tell_progress(self) -> None:
        """Show, within a turn that may take long, that it goes on; between turns say nothing."""
        if self._seen_at_work_s is not None:
            self._seen_at_work_s = time.monotonic()

    def fault(self) -> ThreadFault | None:
        """Return why it works no more; None if it works, was stopped or never began."""
        if self.ident is None or self._has_ended:
            return None
        if not self.is_alive():
            return "dead"
        seen_s = self._seen_at_work_s
        is_stuck = seen_s is not None and time.monotonic() - seen_s > STUCK_AFTER_S
        return "stuck" if is_stuck else None


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
