"""Threads for signing in: few, so that a flood of attempts costs others neither time nor threads.

In the threads of all other requests a flood of strangers would take every one of them; and with
dozens that run at once each has to wait for the interpreter until all others had their turn.
Attempts of known browsers have threads and places of their own.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from serving.access.sign_in_queue import FairQueue, Path, networks_of
from serving.errors import TooBusy

T = TypeVar("T")
# Ends when the client of a request has closed its connection.
ClientLeft = Callable[[], Awaitable[object]]

MAX_CONCURRENT = 3  # the gate of passwords lets two compute while one writes
MAX_WAITING = 128  # at five hashes a second, all had their turn after half a minute
MAX_CHECKS_WAITING = 256
MAX_KNOWN_WAITING = 64
MAX_KNOWN_PER_ACCOUNT = 2


class FairThreads:
    """A few threads and a queue; work beyond its places is refused with TooBusy."""

    def __init__(self, name: str, max_concurrent: int, max_waiting: int):
        self._threads = ThreadPoolExecutor(max_concurrent, thread_name_prefix=name)
        self._idle = max_concurrent
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue(max_waiting)

    async def run(self, path: Path, work: Callable[[], T], left: ClientLeft) -> T:
        """Return what `work` returns, when its turn came; raises TooBusy.

        A client that has left keeps no place.
        """
        await self._wait_for_turn(path, left)
        # Pages are rendered by what is known of their request.
        run, loop = copy_context().run, asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, run, work)
        running.add_done_callback(lambda _: self._end_turn())
        return await asyncio.shield(running)  # its turn lasts until the thread is free

    async def _wait_for_turn(self, path: Path, left: ClientLeft) -> None:
        if self._idle:
            self._idle -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        refused = self._queue.put(turn, path)
        if refused is not None:
            refused.set_exception(_too_busy())
        leaving: asyncio.Future[object] = asyncio.ensure_future(left())
        try:
            either: set[asyncio.Future[Any]] = {turn, leaving}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not turn.done():
                raise _too_busy()  # nobody reads it: the client has left
            turn.result()
        except BaseException:
            self._queue.remove(turn)
            if turn.done() and turn.exception() is None:
                self._end_turn()
            raise
        finally:
            leaving.cancel()

    def _end_turn(self) -> None:
        following = self._queue.take()
        if following is None:
            self._idle += 1
        else:
            following.set_result(None)

    def close(self) -> None:
        """Let nothing new in."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class SignInThreads:
    """The threads that check whether an attempt may be made, and those that make it."""

    def __init__(self, max_concurrent: int = MAX_CONCURRENT, max_waiting: int = MAX_WAITING):
        self._checks = FairThreads("sign-in-checks", 2, MAX_CHECKS_WAITING)
        self._strangers = FairThreads("sign-ins", max_concurrent, max_waiting)
        self._known = FairThreads("known-sign-ins", 2, MAX_KNOWN_WAITING)
        self._known_inside: Counter[str] = Counter()

    async def run(
        self,
        address: str,
        check: Callable[[], T | None],
        attempt: Callable[[], T],
        left: ClientLeft,
    ) -> T:
        """Return what `check` answers, or else `attempt`; raises TooBusy.

        What the check refuses takes no place of an attempt.
        """
        path = networks_of(address)
        refusal = await self._checks.run(path, check, left)
        return await self._strangers.run(path, attempt, left) if refusal is None else refusal

    def has_place_for(self, account: str) -> bool:
        """Return whether a known browser of this account may use the reserved threads.

        Beyond a few attempts of one account it waits among strangers, so that one browser's cookie
        is not enough to take every reserved place.
        """
        return self._known_inside[account] < MAX_KNOWN_PER_ACCOUNT

    async def run_known(self, account: str, attempt: Callable[[], T], left: ClientLeft) -> T:
        """Return what `attempt` of a known browser of an account returns; raises TooBusy."""
        self._known_inside[account] += 1
        try:
            return await self._known.run((account,), attempt, left)
        finally:
            self._known_inside[account] -= 1
            if not self._known_inside[account]:
                del self._known_inside[account]

    def close(self) -> None:
        """Let nothing new in."""
        for each in (self._checks, self._strangers, self._known):
            each.close()


def _too_busy() -> TooBusy:
    return TooBusy("too many people sign in at this moment; try again in a moment")
