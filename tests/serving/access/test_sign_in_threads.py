"""The threads of those who sign in: few at once, some that wait, and nobody beyond."""

import asyncio
import threading

import pytest

from serving.access.sign_in_threads import SignInThreads
from serving.errors import TooBusy


async def never() -> None:
    await asyncio.Event().wait()


def nothing() -> None:
    return None


def test_few_attempts_run_at_once_and_whoever_finds_no_place_is_turned_away() -> None:
    running, most, lock, may_end = [0], [0], threading.Lock(), threading.Event()
    names = set()

    def attempt() -> str:
        names.add(threading.current_thread().name.rpartition("_")[0])
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        may_end.wait(10)
        with lock:
            running[0] -= 1
        return "done"

    async def come(threads: SignInThreads) -> list[str | BaseException]:
        attempts = [
            asyncio.create_task(threads.run("192.0.2.1", nothing, attempt, never))
            for _ in range(30)
        ]
        await asyncio.wait(attempts, return_when=asyncio.FIRST_COMPLETED)
        async with asyncio.timeout(10):
            while running[0] < 2 or sum(each.done() for each in attempts) < 25:
                await asyncio.sleep(0.001)
        turned_away = [each for each in attempts if each.done()]
        await asyncio.sleep(0.1)  # in which a third would begin
        may_end.set()
        assert all(isinstance(each.exception(), TooBusy) for each in turned_away)
        return await asyncio.gather(*attempts, return_exceptions=True)

    said = asyncio.run(come(SignInThreads(max_concurrent=2, max_waiting=3)))

    assert said.count("done") == 5
    assert sum(isinstance(each, TooBusy) for each in said) == 25
    assert most[0] == 2
    assert names == {"sign-ins"}


def test_what_fails_in_a_thread_fails_outside_and_gives_its_place_back() -> None:
    def fail() -> None:
        raise ValueError("inside")

    async def fail_again_and_again() -> int | None:
        threads = SignInThreads(max_concurrent=2, max_waiting=1)
        for _ in range(20):
            with pytest.raises(ValueError, match="inside"):
                await threads.run("192.0.2.1", nothing, fail, never)
        return await threads.run("192.0.2.1", nothing, lambda: 3, never)

    assert asyncio.run(fail_again_and_again()) == 3


def test_what_the_check_refuses_is_answered_while_every_place_is_taken() -> None:
    may_end = threading.Event()

    def attempt() -> str:
        may_end.wait(10)
        return "done"

    async def come(threads: SignInThreads) -> list[str]:
        first = asyncio.create_task(threads.run("192.0.2.1", nothing, attempt, never))
        await asyncio.sleep(0.05)
        refused = await threads.run("192.0.2.1", lambda: "too soon", attempt, never)
        known = asyncio.create_task(threads.run_known("maria", lambda: "known", never))
        with pytest.raises(TooBusy):
            await threads.run("192.0.2.1", nothing, attempt, never)
        said = [refused, await known]
        may_end.set()
        return [*said, await first]

    said = asyncio.run(come(SignInThreads(max_concurrent=1, max_waiting=0)))

    assert said == ["too soon", "known", "done"]


def test_a_client_that_left_keeps_no_place_and_costs_no_attempt() -> None:
    may_end, made = threading.Event(), []

    def attempt() -> None:
        made.append(1)
        may_end.wait(10)

    async def come(threads: SignInThreads) -> None:
        has_left = asyncio.Event()
        first = asyncio.create_task(threads.run("192.0.2.1", nothing, attempt, never))
        await asyncio.sleep(0.05)
        gone = asyncio.create_task(threads.run("192.0.2.1", nothing, attempt, has_left.wait))
        await asyncio.sleep(0.05)
        has_left.set()
        with pytest.raises(TooBusy):
            await gone
        after = asyncio.create_task(threads.run("192.0.2.1", nothing, attempt, never))
        await asyncio.sleep(0.05)
        cancelled = asyncio.create_task(threads.run_known("maria", attempt, never))
        await asyncio.sleep(0.05)
        cancelled.cancel()
        may_end.set()
        await asyncio.gather(first, after)
        assert await threads.run_known("maria", lambda: "again", never) == "again"

    asyncio.run(come(SignInThreads(max_concurrent=1, max_waiting=1)))
    assert len(made) == 3
