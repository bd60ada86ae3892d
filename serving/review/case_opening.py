"""Opens cases on a thread of its own, whether or not anybody looks at the queue.

Of several workers each tries, and a turn of writing makes sure that one does: the next one finds
nothing left to open.
"""

import threading
from collections.abc import Callable
from datetime import datetime

import structlog

from serving.errors import LogUnavailable
from serving.review.cases import Cases

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 0.5


class CaseOpening:
    """Opens the cases of new decisions, and gives outcomes that came by record to theirs."""

    def __init__(self, cases: Cases, clock: Callable[[], datetime]):
        self._cases = cases
        self._clock = clock
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="case opening", daemon=True)

    def start(self) -> None:
        """Start to open cases."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what was begun; the rest is opened when the service is back."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(POLL_INTERVAL_S):
            try:
                self._cases.open_due(self._clock())
            except LogUnavailable as failure:  # the thread must outlive it: others see it too
                log.warning("cases_wait_to_be_opened", reason=str(failure))
            except Exception as failure:  # the thread must outlive this, too; decisions wait on
                log.error("opening_cases_failed", exception=type(failure).__name__)
