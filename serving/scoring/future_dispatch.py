"""Hand results from other threads to the futures of an event loop."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class FutureDispatcher(Generic[T]):
    """Sets results of futures of one event loop, and wakes the loop once for many of them.

    Waking a loop costs a system call and a thread switch. Doing that for every request would cost
    more than the results themselves.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.loop = loop
        self._results: deque[tuple[asyncio.Future[T], T]] = deque()
        self._is_called = False

    def dispatch(self, future: "asyncio.Future[T]", result: T) -> None:
        """Set the result of a future soon; callable from any thread, also after cancellation."""
        self._results.append((future, result))
        # The flag is read after adding here, and cleared before taking in `_hand_over`, so no
        # result can be missed.
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop is closed, so nobody awaits a result
                self.loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._is_called = False
        while self._results:
            future, result = self._results.popleft()
            if not future.done():
                future.set_result(result)
