"""What a durable, explained decision costs over HTTP, compared with another checkout's.

    python -m experiments.benchmarks.decisions CHECKOUT [FOLDER]

Each checkout serves a home that it made itself (`served_home`), and is asked by 16 connections in
turn with the other, so that a busy machine is busy for both: processor time of the service and all
below it for each decision, and the rows of a batch in a second of it. Homes and compiled functions
are kept in FOLDER for the next run.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from experiments.benchmarks.checkouts import OURS, Checkout
from experiments.benchmarks.running import cpu_s, free_port, running
from experiments.benchmarks.served_home import bodies
from experiments.benchmarks.service import CONNECTIONS, Side, Traffic, load, once, request

ROUNDS, SECONDS = 8, 4.0
BATCH, BATCHES = 1_000, 3
MAKE = (
    "-c",
    "import sys; from pathlib import Path;"
    "from experiments.benchmarks.served_home import make_home;"
    "make_home(Path(sys.argv[1]))",
)
UNLIMITED = {"TIDEGATE_RATE_PER_S": "1e9"}
WANTED = {"a machine's key": 0.5, "and all reasons in words": None, "batch": 1 / 3}


def arriving(home: Path, run: str) -> Iterator[bytes]:
    """What arrives, after all that arrived in earlier runs."""
    counted = home / "arrived"
    arrived = int(counted.read_text()) if counted.exists() else 0
    for body in bodies(home, run, arrived):
        arrived += 1
        if arrived % BATCH == 0:
            counted.write_text(str(arrived))
        yield body


@contextmanager
def _serving(checkout: Checkout) -> Iterator[dict[str, Side]]:
    """The service, as a machine and as a person asks it, and as a machine asks for batches."""
    machine, person = checkout.new_key("score"), checkout.new_key("score", "explain")
    run, port = f"{time.time_ns():x}", free_port()
    traffic = Traffic(arriving(checkout.home, run))
    command = [sys.executable, "-P", *checkout.command, "serve"]
    command += ["--home", str(checkout.home), "--port", str(port)]

    def posted(path: str, body: bytes, key: str) -> bytes:
        headers = (
            f"Authorization: Bearer {key}",
            f"Idempotency-Key: {run}-{time.perf_counter_ns()}",
        )
        return request(path, body, *headers)

    def ask(key: str) -> bytes:
        return posted("/v1/scores", traffic.take(), key)

    def batch() -> bytes:
        array = b",".join([traffic.take() for _ in range(BATCH)])
        return posted("/v1/scores/batch", b"[" + array + b"]", machine)

    settings = checkout.environment | UNLIMITED
    with running(port, "/health/ready", command, checkout.path, settings) as started:
        print(f"{checkout.path.name}: ready in {started.wall_s:.1f} s", flush=True)
        keys = {"a machine's key": machine, "and all reasons in words": person}
        sides = {
            name: Side(
                name,
                port,
                started.pid,
                partial(ask, key),
                traffic=traffic,
            )
            for name, key in keys.items()
        }
        yield sides | {"batch": Side("batch", port, started.pid, batch, traffic=traffic)}


def main() -> None:
    """Print what each kind of call costs, and how that compares with the other checkout's."""
    other = Path(sys.argv[1])
    with ExitStack() as stack:
        folder = Path(*sys.argv[2:3] or [stack.enter_context(tempfile.TemporaryDirectory())])
        paths = {"ours": OURS, "other": other}
        checkouts = [Checkout(path, folder / name, MAKE) for name, path in paths.items()]
        served = [stack.enter_context(_serving(checkout)) for checkout in checkouts]
        for each in served:
            _cost_ms(each["a machine's key"])
        for name, wanted in WANTED.items():
            measure = _batch_ms if name == "batch" else _cost_ms
            rounds = BATCHES if name == "batch" else ROUNDS
            taken = np.array([[measure(each[name]) for each in served] for _ in range(rounds)])
            ours, others = np.median(taken, axis=0)
            ratios = np.quantile(taken[:, 0] / taken[:, 1], [0.25, 0.5, 0.75])
            print(
                f"{name}: {ours:.3f} ms of CPU, {other.name} {others:.3f}; ratio "
                f"{ratios[1]:.2f} ({ratios[0]:.2f} to {ratios[2]:.2f})"
                + (f", want at most {wanted:.2f}" if wanted else ""),
                flush=True,
            )


def _cost_ms(side: Side) -> float:
    """Milliseconds of a processor for each decision."""
    before_s = cpu_s(side.pid)
    taken = asyncio.run(load(side, CONNECTIONS, SECONDS))
    return (cpu_s(side.pid) - before_s) / len(taken) * 1e3


def _batch_ms(side: Side) -> float:
    """Milliseconds of a processor for each row of a batch."""
    asked = side.request()
    before_s = cpu_s(side.pid)
    asyncio.run(once(side, asked))
    return (cpu_s(side.pid) - before_s) / BATCH * 1e3


if __name__ == "__main__":
    main()
