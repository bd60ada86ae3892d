"""Threads for sign-in: few, so that a flood of attempts takes neither time nor threads of others.

In the threads of ordinary requests, a flood of strangers would occupy them all, and dozens of
concurrent hashes would wait for each other at the interpreter lock. Attempts of known browsers have
threads and queue places of their own.
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
# Awaitable that returns when the client of a request has closed its connection.
ClientLeft = Callable[[], Awaitable[object]]

# The password gate computes two at a time, while a third writes to the database.
MAX_CONCURRENT = 3
# At five hashes a second, all of these are done within half a minute.
MAX_WAITING = 128
MAX_CHECKS_WAITING = 256
MAX_KNOWN_WAITING = 64
MAX_KNOWN_PER_ACCOUNT = 2


class FairThreads:
    """A few threads with a queue; work beyond its size is refused with TooBusy."""

    def __init__(self, name: str, max_concurrent: int, max_waiting: int):
        self._threads = ThreadPoolExecutor(max_concurrent, thread_name_prefix=name)
        self._idle = max_concurrent
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue(max_waiting)

    async def run(self, path: Path, work: Callable[[], T], left: ClientLeft) -> T:
        """Return the result of `work` after its turn in the queue; raises TooBusy.

        A client that disconnects leaves the queue.
        """
        await self._wait_for_turn(path, left)
        # Pages need the context variables of their request.
        run, loop = copy_context().run, asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, run, work)
        running.add_done_callback(lambda _: self._end_turn())
        # Shielded: if the client leaves, the thread still works, so the slot must stay taken.
        return await asyncio.shield(running)

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
                # Nobody reads this answer: the client has left.
                raise _too_busy()
            turn.result()
        except BaseException:
            self._queue.remove(turn)
            # The turn may have come just before the failure; pass it on, or a slot is lost forever.
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
        """Accept no more work."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class SignInThreads:
    """Threads that check whether an attempt may be made, and threads that make it."""

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
        """Return the answer of `check` if it refuses, else of `attempt`; raises TooBusy.

        A refused attempt takes no place in the queue of attempts.
        """
        path = networks_of(address)
        refusal = await self._checks.run(path, check, left)
        return await self._strangers.run(path, attempt, left) if refusal is None else refusal

    def has_place_for(self, account: str) -> bool:
        """Return whether a known browser of this account may use the reserved threads.

        Further attempts of one account wait among strangers, so that one browser's cookie is not
        enough to take every reserved place.
        """
        return self._known_inside[account] < MAX_KNOWN_PER_ACCOUNT

    async def run_known(self, account: str, attempt: Callable[[], T], left: ClientLeft) -> T:
        """Return the result of a known browser's attempt; raises TooBusy."""
        self._known_inside[account] += 1
        try:
            return await self._known.run((account,), attempt, left)
        finally:
            self._known_inside[account] -= 1
            if not self._known_inside[account]:
                del self._known_inside[account]

    def close(self) -> None:
        """Accept no more work."""
        for each in (self._checks, self._strangers, self._known):
            each.close()


def _too_busy() -> TooBusy:
    return TooBusy("too many people sign in at this moment; try again in a moment")
