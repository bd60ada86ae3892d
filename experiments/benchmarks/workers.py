"""What more workers over one SQLite file bring: decisions in a second, and what each costs.

    python -m experiments.benchmarks.workers [FOLDER]

Services with one and with two workers, each over a copy of the same home, are asked in turn by 16
connections, so that a busy machine is busy for both. All share the cores with the client, whose
share is told. The home is kept in FOLDER for the next run.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from experiments.benchmarks.checkouts import OURS, Checkout
from experiments.benchmarks.decisions import MAKE, UNLIMITED, arriving
from experiments.benchmarks.running import cpu_s, free_port, running
from experiments.benchmarks.service import CONNECTIONS, Side, Traffic, load, request

ROUNDS, SECONDS = 6, 4.0
WORKERS = (1, 2)
WANTED = 1.6


@contextmanager
def _serving(checkout: Checkout, workers: int) -> Iterator[Side]:
    key, run, port = checkout.new_key("score"), f"{time.time_ns():x}", free_port()
    traffic = Traffic(arriving(checkout.home, run))
    command = [sys.executable, "-P", *checkout.command, "serve", "--workers", str(workers)]
    command += ["--home", str(checkout.home), "--port", str(port)]

    def ask() -> bytes:
        headers = (
            f"Authorization: Bearer {key}",
            f"Idempotency-Key: {run}-{time.perf_counter_ns()}",
        )
        return request("/v1/scores", traffic.take(), *headers)

    settings = checkout.environment | UNLIMITED
    with running(port, "/health/ready", command, checkout.path, settings) as started:
        print(f"{workers} workers: ready in {started.wall_s:.1f} s", flush=True)
        time.sleep(
            10.0 if workers > 1 else 0
        )  # the first of them is, the others are a moment later
        yield Side(f"{workers} workers", port, started.pid, ask, traffic=traffic)


def main() -> None:
    """Print, for each number of workers, decisions in a second and what one costs."""
    with ExitStack() as stack:
        folder = Path(*sys.argv[1:2] or [stack.enter_context(tempfile.TemporaryDirectory())])
        first = Checkout(OURS, folder / "ours", MAKE)
        copies = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        sides = []
        for workers in WORKERS:
            copy = copies / str(workers)
            shutil.copytree(first.home, copy / "home")
            checkout = Checkout(OURS, copy, MAKE)
            checkout.environment["NUMBA_CACHE_DIR"] = first.environment["NUMBA_CACHE_DIR"]
            sides.append(stack.enter_context(_serving(checkout, workers)))
        for side in sides:
            _asked(side)
        taken = np.array([[_asked(side) for side in sides] for _ in range(ROUNDS)])
        for at, side in enumerate(sides):
            per_s, cpu_ms, client, p99_ms = np.median(taken[:, at], axis=0)
            print(
                f"{side.name}: {per_s:.0f} decisions/s, {cpu_ms:.2f} ms of CPU each, p99 "
                f"{p99_ms:.0f} ms; the client took {client:.2f} of a core"
            )
        ratios = np.quantile(taken[:, 1, 0] / taken[:, 0, 0], [0.25, 0.5, 0.75])
        print(
            f"decisions/s of two workers over one: {ratios[1]:.2f} "
            f"({ratios[0]:.2f} to {ratios[2]:.2f}), want at least {WANTED}; load of the machine "
            f"{os.getloadavg()[0]:.1f}"
        )


def _asked(side: Side) -> tuple[float, float, float, float]:
    """Decisions in a second, CPU of one, cores that the client took, and p99 of answers."""
    if side.traffic:
        side.traffic.make_ready(800 * SECONDS)
    before_s, own_s, began = cpu_s(side.pid), time.process_time(), time.perf_counter()
    taken = asyncio.run(load(side, CONNECTIONS, SECONDS))
    wall_s = time.perf_counter() - began
    client = (time.process_time() - own_s) / wall_s
    cpu_ms = (cpu_s(side.pid) - before_s) / len(taken) * 1e3
    return len(taken) / wall_s, cpu_ms, client, float(np.percentile(taken, 99)) * 1e3


if __name__ == "__main__":
    main()
