"""Threads for those who sign in: few, however many come, so that everybody else is answered.

In the threads of all other requests a flood of strangers would take every one of them; and with
dozens that run at once each has to wait for the interpreter until all others had their turn.
"""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from serving.errors import TooBusy

T = TypeVar("T")

AT_ONCE = 4  # of which the gate of passwords lets two compute
MOST_WAITING = 64


class SignInThreads:
    """Runs a few attempts to sign in at once, lets some wait, and turns all others away."""

    def __init__(self, at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING):
        self._limiter = CapacityLimiter(at_once)
        self._most_inside = at_once + most_waiting
        self._inside = 0

    async def run(self, attempt: Callable[[], T]) -> T:
        """What `attempt` returns or raises; raises TooBusy, at once, where too many wait."""
        if self._inside >= self._most_inside:
            raise TooBusy("too many people sign in at this moment; try again in a moment")
        self._inside += 1
        try:
            return await to_thread.run_sync(attempt, limiter=self._limiter)
        finally:
            self._inside -= 1
