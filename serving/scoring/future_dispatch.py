"""Hand results from other threads to the futures of an event loop."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class FutureDispatcher(Generic[T]):
    """Sets the results of futures of one loop, which is woken once for many of them.

    Waking a loop is a system call and a change of threads: with one for every request they would
    cost more than what is handed over.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.loop = loop
        self._results: deque[tuple[asyncio.Future[T], T]] = deque()
        self._is_called = False

    def dispatch(self, future: "asyncio.Future[T]", result: T) -> None:
        """Set the result of a future soon; from any thread, and where nobody waits any more."""
        self._results.append((future, result))
        # Looked at after adding, and unset before taking: nothing is left lying.
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop is closed, and everyone in it is gone
                self.loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._is_called = False
        while self._results:
            future, result = self._results.popleft()
            if not future.done():
                future.set_result(result)
