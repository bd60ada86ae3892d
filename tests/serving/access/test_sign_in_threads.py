"""The threads of those who sign in: few at once, some that wait, and nobody beyond."""

import asyncio
import threading

import pytest

from serving.access.sign_in_threads import SignInThreads
from serving.errors import TooBusy


def test_few_attempts_run_at_once_and_whoever_finds_no_place_is_turned_away() -> None:
    running, most, lock, may_end = [0], [0], threading.Lock(), threading.Event()

    def attempt() -> str:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        may_end.wait(10)
        with lock:
            running[0] -= 1
        return "done"

    async def come(threads: SignInThreads) -> list[str | BaseException]:
        attempts = [asyncio.create_task(threads.run(attempt)) for _ in range(30)]
        await asyncio.wait(attempts, return_when=asyncio.FIRST_COMPLETED)
        turned_away = [each for each in attempts if each.done()]
        async with asyncio.timeout(10):
            while running[0] < 2:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.1)  # in which a third would begin
        may_end.set()
        assert all(isinstance(each.exception(), TooBusy) for each in turned_away)
        return await asyncio.gather(*attempts, return_exceptions=True)

    said = asyncio.run(come(SignInThreads(at_once=2, most_waiting=3)))

    assert said.count("done") == 5
    assert sum(isinstance(each, TooBusy) for each in said) == 25
    assert most[0] == 2


def test_what_fails_in_a_thread_fails_outside_and_gives_its_place_back() -> None:
    def fail() -> None:
        raise ValueError("inside")

    async def fail_again_and_again() -> int:
        threads = SignInThreads(at_once=2, most_waiting=1)
        for _ in range(20):
            with pytest.raises(ValueError, match="inside"):
                await threads.run(fail)
        return await threads.run(lambda: 3)

    assert asyncio.run(fail_again_and_again()) == 3
