"""The database goes away and comes back: nothing is lost, and nobody has to restart the service."""

import resource
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.counts import count
from tests.faults.conftest import Serve
from tests.faults.served import Served, Told
from tests.serving.postgres import Server

RESTARTS = count(1, 20)
MAX_RECOVERY_S = count(30, 5)  # a busy machine of many tests, or one that is there for this


@pytest.mark.faults
def test_postgresql_may_be_restarted_under_load(serve: Serve, postgres: Server) -> None:
    served = serve(postgres.new_database())
    served.start()
    told: list[Told] = []
    recovered_s = []
    for number in range(RESTARTS):
        is_over = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(served.load, 8, f"S-{number}", is_over.is_set)
            try:
                time.sleep(0.5)
                postgres.stop()
                time.sleep(0.5)
                postgres.start()
                recovered_s.append(seconds_until_decided(served, f"R-{number}"))
            finally:
                is_over.set()
        told += loading.result()

    assert {each.status for each in told} <= {200, 503}
    assert max(recovered_s) < MAX_RECOVERY_S
    served.settle()


@pytest.mark.faults
@pytest.mark.parametrize("room", [40_000, None], ids=["full", "read-only"])
def test_a_disk_that_takes_nothing_refuses_until_it_does(serve: Serve, room: int | None) -> None:
    """A limit on the size of files stands for the disk: beyond it, writing fails as if full.

    Without any room every write fails, that of open files and of the service's own lines too, as
    when the system turns a disk read-only.
    """
    served = serve()
    served.start()
    for number in range(count(1, 10)):
        used = (served.home / "tidegate.db-wal").stat().st_size
        limit = (0 if room is None else used + room, resource.RLIM_INFINITY)
        resource.prlimit(served.pid, resource.RLIMIT_FSIZE, limit)
        told = load_for(served, 4, f"F-{number}")
        assert told[-1].status == 503
        assert told[-1].headers["Retry-After"]
        assert httpx2.get(f"{served.address}/health/ready", timeout=30).status_code == 503
        assert httpx2.get(f"{served.address}/health/live", timeout=30).status_code == 200

        free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(served.pid, resource.RLIMIT_FSIZE, free)
        assert seconds_until_decided(served, f"R-{number}") < MAX_RECOVERY_S
        served.wait_until_ready(MAX_RECOVERY_S)
        assert {each.status for each in told} <= {200, 503}

    served.settle()


@pytest.mark.faults
def test_a_service_that_cannot_finish_says_why_in_a_line_and_fails(serve: Serve) -> None:
    """What it took and could not write down before its end is no success."""
    served = serve()
    served.start()
    served.load(1, "L", lambda: len(served.acknowledged) > 2)
    room = (served.home / "service.log").stat().st_size + 4_096
    used = (served.home / "tidegate.db-wal").stat().st_size
    assert used > room
    resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    assert served.kill(signal.SIGTERM) == 1

    told = (served.home / "service.log").read_text()
    (line,) = [line for line in told.splitlines() if line.startswith("tidegate: ")]
    assert "failed" in line
    assert "Traceback" not in told
    served.start()  # nothing is lost by it
    assert served.kill(signal.SIGTERM) == 0


def load_for(served: Served, clients: int, prefix: str) -> list[Told]:
    """Load until many requests were refused."""
    ends_at, before = time.monotonic() + 60, _refused(served)

    def until() -> bool:
        return _refused(served) > before + 3 * clients or time.monotonic() > ends_at

    return served.load(clients, prefix, until)


def _refused(served: Served) -> int:
    return len(served.asked) - len(served.acknowledged)


def seconds_until_decided(served: Served, name: str) -> float:
    """How long until a request gets through again."""
    began = time.monotonic()
    before = len(served.acknowledged)

    def until() -> bool:
        assert time.monotonic() < began + 60, "the service does not recover"
        return any(each.startswith(name) for each in list(served.acknowledged)[before:])

    served.load(1, name, until)
    return time.monotonic() - began
