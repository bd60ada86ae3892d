"""Many sign-ins at once: memory stays as it was, and others are answered as before."""

import asyncio
import time
from pathlib import Path

import httpx2
import pytest

from tests.counts import count
from tests.faults.conftest import Serve

AT_ONCE = 60
ROUNDS = count(2, 10)
MOST_GROWTH_MIB = 64
LONGEST_HEALTH_S = count(5.0, 0.25)  # one core of a busy machine, or a machine of its own


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
    assert served.process is not None
    group = served.process.pid
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
    assert peak_mib[0] - before_mib < MOST_GROWTH_MIB, (before_mib, peak_mib)
    assert sorted(health_s)[int(0.99 * len(health_s))] < LONGEST_HEALTH_S, sorted(health_s)[-5:]
