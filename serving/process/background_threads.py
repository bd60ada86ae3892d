"""Background threads that report whether they still work."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import structlog

from serving.errors import LogUnavailable

log = structlog.get_logger(__name__)

# Seconds without a sign of progress after which a thread counts as stuck.
STUCK_AFTER_S = 600.0

ThreadFault = Literal["dead", "stuck"]

# The prefix of the names of polling threads.
PREFIX = "polling "


class BackgroundThread(threading.Thread):
    """A daemon thread that runs `work`; `called` is its name in logs and health checks.

    `work` returns only after a request to stop. An exception that escapes it ends the thread: it is
    logged as `thread_died` with its type, without its message, which may quote data. Only a restart
    of the process brings the thread back.
    """

    def __init__(self, called: str, work: Callable[[], object], *, prefix: str = ""):
        super().__init__(target=work, name=f"{prefix}{called}", daemon=True)
        self.called = called
        self._has_ended = False
        self._seen_at_work_s: float | None = None

    def run(self) -> None:
        """Run `work`, and log its death if it raises."""
        try:
            super().run()
        except BaseException as failure:
            # The type only: a message of an exception may hold personal data.
            log.error("thread_died", thread=self.called, exception=type(failure).__name__)
            raise
        self._has_ended = True

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Mark one unit of work, so that a unit that does not end counts as stuck."""
        self._seen_at_work_s = time.monotonic()
        try:
            yield
        finally:
            self._seen_at_work_s = None

    def tell_progress(self) -> None:
        """Report progress from within a long unit of work; do nothing between units."""
        if self._seen_at_work_s is not None:
            self._seen_at_work_s = time.monotonic()

    def fault(self) -> ThreadFault | None:
        """Return the fault of the thread; None if it works, was stopped or never started."""
        if self.ident is None or self._has_ended:
            return None
        if not self.is_alive():
            return "dead"
        # Read once: the thread itself resets the value to None between two reads.
        seen_s = self._seen_at_work_s
        is_stuck = seen_s is not None and time.monotonic() - seen_s > STUCK_AFTER_S
        return "stuck" if is_stuck else None


class PollingThread:
    """A thread that calls a function at intervals and survives its failures.

    An unreachable database is logged once as the event `waits`, until it is back. Any other failure
    is logged as `polling_failed`. The next call comes in either case.
    """

    def __init__(self, name: str, act: Callable[[], object], *, waits: str):
        self.thread = BackgroundThread(name, self._run, prefix=PREFIX)
        self._interval_s = 0.0
        self._act = act
        self._waits = waits
        self._is_over = threading.Event()

    @property
    def is_over(self) -> bool:
        """True if the thread was stopped; long calls check this in between."""
        return self._is_over.is_set()

    def wait(self, seconds: float) -> None:
        """Sleep within a call; return at once when the thread is stopped."""
        self.thread.tell_progress()
        self._is_over.wait(seconds)

    def start(self, interval_s: float) -> None:
        """Start the thread; the first call comes after one interval."""
        self._interval_s = interval_s
        self.thread.start()

    def stop(self) -> None:
        """Stop after the call in progress, and wait for that."""
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
                # One line for each outage, not one for each interval.
                if not is_waiting:
                    log.warning(self._waits, reason=str(failure))
                is_waiting = True
            except Exception as failure:  # without the thread nobody would do it ever again
                log.error(
                    "polling_failed", thread=self.thread.name, exception=type(failure).__name__
                )
            else:
                is_waiting = False
