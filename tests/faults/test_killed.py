"""A service that is killed under load: what it acknowledged is there, once, and the same.

kill -9 shows that nothing is answered before it is written; it cannot show a power cut.
"""

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2
import numpy as np
import pytest

from tests.counts import count, in_full_alone
from tests.faults.conftest import Serve
from tests.faults.served import Served
from tests.serving.postgres import Server

ROUNDS = count(1, 100)
CLIENTS = count(16, 64)
KEYS = 5_000  # on either engine
OF_ONE_CALLER = 32  # requests that one key may have inside at a time
KILLED_EVERY_S = 10.0
MAX_START_S = count(60, 3)  # a busy machine of many tests, or one that is there for this


ENGINES = {"sqlite": 1, "postgresql": 2}
"""Databases, and how many workers serve from each."""


@pytest.fixture(params=[*ENGINES])
def served(request: pytest.FixtureRequest, serve: Serve) -> Served:
    workers = ENGINES[request.param]
    if request.param != "postgresql":
        return serve(workers=workers)
    server: Server = request.getfixturevalue("postgres")
    return serve(server.new_database(), workers=workers)


def killed_after(served: Served, decisions: int, seconds: float) -> Callable[[], bool]:
    """Whether it is dead; sees to that, so many decisions and seconds from now."""
    enough, ends_at = len(served.acknowledged) + decisions, time.monotonic() + 60
    killing = threading.Timer(seconds, served.kill)

    def is_dead() -> bool:
        assert time.monotonic() < ends_at, "the service decides too slowly"
        if len(served.acknowledged) >= enough and killing.ident is None:
            killing.start()
        return killing.finished.is_set()

    return is_dead


@pytest.mark.faults
def test_no_acknowledged_decision_is_lost_or_made_twice(served: Served) -> None:
    if served.workers > 1 and not count(0, 1):
        pytest.skip("in full runs; ordinary ones kill a service over SQLite")
    lots = random.Random(5)
    ready_s = []
    for round_ in range(ROUNDS):
        ready_s.append(served.start())
        served.load(CLIENTS, f"S-{round_}", killed_after(served, 25, lots.uniform(0, 0.2)))

    ready_s.append(served.start())
    served.settle()
    assert served.kill(signal.SIGTERM) == 0
    print(f"ready again after {np.percentile(ready_s, 99):.2f} s (p99 of {len(ready_s)})")
    assert np.percentile(ready_s[1:], 99) < MAX_START_S


@pytest.mark.faults
def test_a_worker_that_is_killed_alone_is_replaced(served: Served) -> None:
    if served.workers == 1:
        pytest.skip("there is no other to replace it")
    served.start()
    ends_at = time.monotonic() + count(2, 20)
    threading.Timer(0.5, os.kill, (max(_workers(served)), signal.SIGKILL)).start()
    served.load(8, "S", lambda: time.monotonic() > ends_at)

    served.wait_until_ready(60)
    counted = {scores_counted(served) for _ in range(10)}
    assert len(counted) == 1
    assert len(served.acknowledged) <= counted.pop() <= len(served.asked)
    served.settle()


def scores_counted(served: Served) -> float:
    """How many decisions a scrape tells of, by whichever worker it is answered."""
    lines = httpx2.get(f"{served.address}/metrics").text.splitlines()
    assert lines.count('tidegate_degraded{mode="log_not_written"} 0.0') == 1
    return sum(float(line.split()[-1]) for line in lines if line.startswith("tidegate_scores_t"))


def _workers(served: Served) -> set[int]:
    """The ids of the processes that serve: children of the supervisor that run uvicorn."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            is_child = int(status.read_text().rpartition(")")[2].split()[1]) == served.pid
            if is_child and b"spawn_main" in status.with_name("cmdline").read_bytes():
                found.add(int(status.parent.name))
    return found


@in_full_alone
@pytest.mark.faults
def test_each_key_makes_one_decision_however_often_it_is_sent(served: Served) -> None:
    names = [f"K-{number}" for number in range(KEYS)]
    bodies: dict[str, set[bytes]] = {name: set() for name in names}

    async def insist(connection: httpx2.AsyncClient, name: str) -> None:
        while True:
            try:
                told = await served.ask(connection, name)
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
                continue
            assert told.status in {200, 409, 503}, told.body
            if told.status == 200:
                bodies[name].add(told.body)
                return
            await asyncio.sleep(0.05)

    async def all_three_times() -> None:
        limits = httpx2.Limits(max_connections=OF_ONE_CALLER)
        async with httpx2.AsyncClient(timeout=60, limits=limits) as connection:
            await asyncio.gather(*(insist(connection, name) for name in names * 3))

    served.start()
    is_over = threading.Event()
    again = threading.Thread(target=kill_until, args=(served, is_over))
    again.start()
    asyncio.run(all_three_times())
    is_over.set()
    again.join()

    assert {len(given) for given in bodies.values()} == {1}
    served.settle()


def kill_until(served: Served, is_over: threading.Event) -> None:
    """Kill it after a second and then now and then, and start it again, until this is over."""
    time.sleep(1.0)
    while True:
        served.kill()
        served.start()
        if is_over.wait(KILLED_EVERY_S):
            return


def test_a_service_that_is_told_to_stop_answers_what_it_took(serve: Serve) -> None:
    served = serve()
    served.start()

    async def all_at_once() -> list[int]:
        async with httpx2.AsyncClient(timeout=30) as connection:
            asked = [asyncio.create_task(served.ask(connection, f"S-{n}")) for n in range(8)]
            await asyncio.sleep(0.3)
            stopping = asyncio.to_thread(served.kill, signal.SIGTERM)
            told, code = await asyncio.gather(asyncio.gather(*asked), stopping)
            return [code, *(each.status for each in told)]

    assert asyncio.run(all_at_once()) == [0] + [200] * 8
