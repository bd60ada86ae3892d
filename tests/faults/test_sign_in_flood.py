"""Many sign-ins at once: memory stays as it was, and others are answered and let in."""

import asyncio
import random
import time
from pathlib import Path

import httpx2
import pytest

from serving.access.accounts import new_account
from serving.app import utc_now
from serving.storage.engine import open_database
from serving.storage.repositories.account_repository import AccountRepository
from tests.counts import count
from tests.faults.conftest import Serve

AT_ONCE = 60
ROUNDS = count(2, 10)
MAX_GROWTH_MIB = 64
MAX_HEALTH_S = count(5.0, 0.25)  # one core of a busy machine, or a machine of its own


def resident_mib(group: int) -> float:
    """What all processes of a group have in memory."""
    kib = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            status = (folder / "status").read_text()
        except OSError:
            continue  # it has ended
        if int(fields[2]) == group and "VmRSS:" in status:
            kib += int(status.partition("VmRSS:")[2].split()[0])
    return kib / 1024


@pytest.mark.faults
def test_sixty_sign_ins_at_once_take_little_memory_and_keep_nobody_waiting(serve: Serve) -> None:
    served = serve()
    served.start()
    group = served.pid
    headers = {"Origin": served.address, "Sec-Fetch-Site": "same-origin"}
    statuses: list[int] = []
    health_s: list[float] = []
    peak_mib = [0.0]

    async def guess(client: httpx2.AsyncClient, number: int) -> None:
        form = {"name": f"name {number}", "password": "wrong"}
        answer = await client.post("/console/sign-in", data=form, headers=headers)
        statuses.append(answer.status_code)

    async def watch(client: httpx2.AsyncClient, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            began = time.monotonic()
            assert (await client.get("/health/live")).status_code == 200
            health_s.append(time.monotonic() - began)
            peak_mib[0] = max(peak_mib[0], resident_mib(group))
            await asyncio.sleep(0.01)

    async def flood() -> float:
        async with (
            httpx2.AsyncClient(base_url=served.address, timeout=60) as guesser,
            httpx2.AsyncClient(base_url=served.address, timeout=60) as other,
        ):
            await guesser.get("/console/sign-in")  # loads what the first page needs
            await guess(guesser, -1)
            before_mib, is_over = resident_mib(group), asyncio.Event()
            watching = asyncio.create_task(watch(other, is_over))
            for turn in range(ROUNDS):
                numbers = range(turn * AT_ONCE, (turn + 1) * AT_ONCE)
                await asyncio.gather(*(guess(guesser, number) for number in numbers))
            is_over.set()
            await watching
        return before_mib

    before_mib = asyncio.run(flood())

    assert set(statuses) <= {401, 429, 503}
    assert statuses.count(401) <= 25  # what is free, and what was under way meanwhile
    assert peak_mib[0] - before_mib < MAX_GROWTH_MIB, (before_mib, peak_mib)
    assert sorted(health_s)[int(0.99 * len(health_s))] < MAX_HEALTH_S, sorted(health_s)[-5:]


FLOOD_S = count(4, 30)
MAX_KNOWN_S, MAX_NEW_S = count(10.0, 3.0), 30.0  # a machine that others work on is slow
PASSWORD = "a password for tests"


@pytest.mark.faults
def test_in_a_flood_from_many_addresses_people_sign_in(serve: Serve) -> None:
    """80 clients, each attempt from another address of 127/8, with names that nobody has."""
    served = serve()
    engine = open_database(served.home / "tidegate.db", is_service=False)
    maria = new_account("maria", PASSWORD, "reviewer", (), utc_now())
    AccountRepository(engine).add_account(maria)
    engine.dispose()
    served.start()
    headers = {"Origin": served.address, "Sec-Fetch-Site": "same-origin"}
    drawn, flood_statuses = random.Random(7), []

    def client(address: str) -> httpx2.AsyncClient:
        transport = httpx2.AsyncHTTPTransport(local_address=address)
        return httpx2.AsyncClient(base_url=served.address, timeout=60, transport=transport)

    async def sign_in(browser: httpx2.AsyncClient, name: str, password: str) -> int:
        form = {"name": name, "password": password}
        return (await browser.post("/console/sign-in", data=form, headers=headers)).status_code

    async def guess(is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            parts = [drawn.randrange(1, 255) for _ in range(3)]
            async with client("127.{}.{}.{}".format(*parts)) as browser:
                flood_statuses.append(await sign_in(browser, f"nobody {drawn.random()}", "wrong"))

    async def seconds_to_sign_in(browser: httpx2.AsyncClient) -> float:
        began = time.monotonic()
        assert await sign_in(browser, "maria", PASSWORD) == 303
        return time.monotonic() - began

    async def flood() -> tuple[list[float], list[float]]:
        known_s: list[float] = []
        new_s: list[float] = []
        is_over = asyncio.Event()
        async with client("127.0.0.5") as browser:
            await seconds_to_sign_in(browser)  # from now on it is known
            guessing = [asyncio.create_task(guess(is_over)) for _ in range(80)]
            await asyncio.sleep(1)
            ends_at = time.monotonic() + FLOOD_S
            while time.monotonic() < ends_at or not new_s:
                known_s.append(await seconds_to_sign_in(browser))
                async with client(f"127.9.{len(new_s)}.1") as fresh:
                    new_s.append(await seconds_to_sign_in(fresh))
            is_over.set()
            await asyncio.gather(*guessing)
        return known_s, new_s

    known_s, new_s = asyncio.run(flood())

    print(f"known {known_s}, new {new_s}, attempts of the flood {len(flood_statuses)}")
    assert max(known_s) < MAX_KNOWN_S, known_s
    assert max(new_s) < MAX_NEW_S, new_s
    assert set(flood_statuses) <= {401, 429, 503}
