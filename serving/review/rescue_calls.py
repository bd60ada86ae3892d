"""Calls those who rescue when a decision comes into their lane: beside the requests, until taken.

The decision waits for nothing here. A call that fails is made again, later and later, without end:
a life does not stop being at risk because a server was down.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from serving.audit.decision import Decision
from serving.db.repositories.rescue_call_repository import DueCall, RescueOutbox
from serving.errors import LogUnavailable
from serving.review.rescue_call import Webhook

log = structlog.get_logger(__name__)

LOOKED_EVERY_S = 0.5
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=5)


def wait(attempts: int) -> timedelta:
    """How long after its n-th attempt a call is made again: twice as long each time.

    >>> [str(wait(attempts)) for attempts in (1, 2, 50)]
    ['0:00:10', '0:00:20', '0:05:00']
    """
    return min(FIRST_WAIT * 2 ** min(attempts - 1, 10), LONGEST_WAIT)


class RescueCalls:
    """Makes the calls of one outbox on a thread of its own."""

    def __init__(self, outbox: RescueOutbox, webhook: Webhook, clock: Callable[[], datetime]):
        self.outbox = outbox
        self._webhook = webhook
        self._clock = clock
        self._is_over = threading.Event()
        self.is_refused = False  # whether a call was tried and not taken so far
        self._thread = threading.Thread(target=self._run, name="rescue-calls", daemon=True)

    def start(self) -> None:
        """Begin to call; whatever is decided from now on is called."""
        self.outbox.begin()
        self._thread.start()

    def stop(self) -> None:
        """Finish the call that is being made; the others are made when the service is back."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()

    def make_due(self) -> None:
        """Make every call that is due, each once."""
        is_to_count = self.is_refused
        while not self._is_over.is_set() and (due := self.outbox.take(self._clock(), wait)):
            self._make(due)
            is_to_count = True
        if is_to_count:
            self.is_refused = self.outbox.refused() > 0

    def _make(self, due: DueCall) -> None:
        if due.record is None:
            log.error("rescue_erased_uncalled", attempts=due.attempts)
            return
        try:
            self._webhook.call(Decision.model_validate_json(due.record), self._clock())
        except OSError as failure:
            kind = type(failure).__name__
            log.error("rescue_not_called", attempts=due.attempts, exception=kind)
        else:
            self.outbox.delivered(due.decision_id, self._clock())

    def _run(self) -> None:
        while not self._is_over.wait(LOOKED_EVERY_S):
            try:
                self.make_due()
            except LogUnavailable as failure:  # the thread must outlive it: others see it too
                log.warning("rescue_calls_wait", reason=str(failure))
