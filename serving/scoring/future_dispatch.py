"""Outcomes that other threads find, handed to the requests that wait for them in an event loop."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Settling(Generic[T]):
    """Settles futures of one loop, which is woken once for all that is settled meanwhile.

    Waking a loop is a system call and a change of threads: with one for every request they would
    cost more than what is handed over.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.loop = loop
        self._found: deque[tuple[asyncio.Future[T], T]] = deque()
        self._is_called = False

    def settle(self, future: "asyncio.Future[T]", outcome: T) -> None:
        """Let a future have its outcome soon; from any thread, and where nobody waits any more."""
        self._found.append((future, outcome))
        # Looked at after adding, and unset before taking: nothing is left lying.
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop is closed, and everyone in it is gone
                self.loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._is_called = False
        while self._found:
            future, outcome = self._found.popleft()
            if not future.done():
                future.set_result(outcome)
