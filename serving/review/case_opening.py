"""Opens cases on a thread of its own, whether or not anybody looks at the queue.

Of several workers each tries, and a turn of writing makes sure that one does: the next one finds
nothing left to open.
"""

from collections.abc import Callable
from datetime import datetime

from serving.polling import PollingThread
from serving.review.cases import Cases

POLL_INTERVAL_S = 0.5


class CaseOpening:
    """Opens the cases of new decisions, and gives outcomes that came by record to theirs."""

    def __init__(self, cases: Cases, clock: Callable[[], datetime]):
        self._polling = PollingThread(
            "case-opening", lambda: cases.open_due(clock()), waits="cases_wait_to_be_opened"
        )

    def start(self) -> None:
        """Start to open cases."""
        self._polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Finish what was begun; the rest is opened when the service is back."""
        self._polling.stop()
