"""Resident memory of a served home with and without what gives memory back: `give_back.py HOME`.

HOME is one of `experiments.benchmarks.served_home`. Each way serves it in turn and is asked by
sixteen connections, then by one; told are MiB when ready and after that, and CPU of a request.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from time import time_ns

from experiments.benchmarks.memory import resident_mib
from experiments.benchmarks.running import cpu_s, free_port, running
from experiments.benchmarks.served_home import bodies
from experiments.benchmarks.service import Side, Traffic, _bearer, _decided, load, request

# What each way leaves out of `serving.bootstrap`.
WAYS = {
    "as it is": (),
    "no options of malloc": ("return_freed_memory",),
    "no pages of libraries": ("return_library_pages",),
    "neither": ("return_freed_memory", "return_library_pages"),
}
ROUNDS, SECONDS = 2, 3.0


def main() -> None:
    """Print a table, or serve in one way."""
    if sys.argv[1:2] == ["--serve"]:
        _serve(sys.argv[2], sys.argv[3:])
        return
    home = Path(sys.argv[1])
    figures: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    _served(next(iter(WAYS)), home)  # the first compiles
    for way in ROUNDS * [*WAYS]:
        figures[way].append(_served(way, home))
    print(f"{'':<24}{'ready':>8}{'after':>8}  MiB{'CPU ms, 16':>12}{'and one':>9}")
    for way, taken in figures.items():
        ready, after, busy, lone = map(median, zip(*taken, strict=True))
        print(f"{way:<24}{ready:8.0f}{after:8.0f}     {busy:12.2f}{lone:9.2f}")


def _serve(way: str, arguments: list[str]) -> None:
    import serving.bootstrap  # noqa: PLC0415
    from serving.cli.main import main as tidegate  # noqa: PLC0415

    for name in WAYS[way]:
        setattr(serving.bootstrap, name, lambda: None)
    sys.argv = ["tidegate", *arguments]
    tidegate()


def _served(way: str, home: Path) -> tuple[float, ...]:
    with _server(way, home) as side:
        ready = resident_mib(side.pid)
        cpu_ms = []
        for connections in (16, 1):
            before = cpu_s(side.pid)
            answered = asyncio.run(load(side, connections, SECONDS))
            cpu_ms.append(1e3 * (cpu_s(side.pid) - before) / len(answered))
        return ready, resident_mib(side.pid), *cpu_ms


@contextmanager
def _server(way: str, home: Path) -> Iterator[Side]:
    key, run, numbers = _bearer(home, ("score",)), f"{time_ns():x}", count()
    traffic = Traffic(bodies(home, run, _decided(home)))

    def next_request() -> bytes:
        named = f"Idempotency-Key: {run}-{next(numbers)}"
        return request("/v1/scores", traffic.take(), key, named)

    port = free_port()
    asked = ["--serve", way, "serve", "--home", str(home), "--port", str(port)]
    with running(port, "/health/ready", [sys.executable, __file__, *asked]) as started:
        yield Side(way, port, started.pid, next_request, None, traffic)


if __name__ == "__main__":
    main()
