"""Threads for those who sign in: few, however many come, so that everybody else is answered.

In the threads of all other requests a flood of strangers would take every one of them; and with
dozens that run at once each has to wait for the interpreter until all others had their turn.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from serving.errors import TooBusy

T = TypeVar("T")

AT_ONCE = 4  # of which the gate of passwords lets two compute
MOST_WAITING = 64


class SignInThreads:
    """Runs a few attempts to sign in at once, lets some wait, and turns all others away."""

    def __init__(self, at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING):
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="sign-ins")
        self._most_inside = at_once + most_waiting
        self._inside = 0

    async def run(self, attempt: Callable[[], T]) -> T:
        """What `attempt` returns or raises; raises TooBusy, at once, where too many wait."""
        if self._inside >= self._most_inside:
            raise TooBusy("too many people sign in at this moment; try again in a moment")
        self._inside += 1
        try:
            # Pages are rendered by what is known of their request.
            run, loop = copy_context().run, asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, run, attempt)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Let nothing new in."""
        self._threads.shutdown(wait=False, cancel_futures=True)
