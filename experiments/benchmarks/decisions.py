"""Compare what decisions, batches and starts cost with an earlier commit: `make bench`.

    python -m experiments.benchmarks.decisions [COMMIT [FOLDER]]

Three services take turns, so that a busy machine is busy for all: this checkout, the same checkout
once more as a control, and COMMIT (the one before HEAD unless given). Each commit makes its home by
its own code from the same record files, with the same seed and model size; each service then runs
over a fresh copy. A ratio shows a difference only if it lies outside the range of the control.
The home and compiled functions of COMMIT are kept in FOLDER for the next run.
"""

import asyncio
import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np

from experiments.benchmarks.checkouts import OURS, Checkout, check_out
from experiments.benchmarks.running import Started, cpu_s, free_port, io_calls
from experiments.benchmarks.served_home import bodies
from experiments.benchmarks.service import Side, Traffic, load, once, paced, request

SECONDS = 4.0
BATCH = 1_000
PACED_S, MAX_IDLE_P99_MS = 10.0, 2.0
# A caller may have fewer requests in flight than the largest load has connections.
MACHINE_KEYS = 4

OURS_NAME, CONTROL = "this checkout", "control"


@dataclass(frozen=True)
class Service:
    """A running service, as machines and a person ask it one by one, and a machine in batches."""

    machines: Side
    person: Side
    batch: Side
    batch_in_words: Side
    restart: Callable[[], Started]


@dataclass(frozen=True)
class Measure:
    """A figure that is taken of each service in turn, and the ratio to COMMIT that is wanted."""

    name: str
    take: Callable[[Service], float]
    rounds: int = 6
    wanted: float | None = None


def _cost_ms(connections: int, service: Service) -> float:
    return _per_request(service.machines, connections, cpu_s) * 1e3


def _cost_in_words_ms(service: Service) -> float:
    return _per_request(service.person, 16, cpu_s) * 1e3


def _io_calls(service: Service) -> float:
    return _per_request(service.machines, 16, io_calls)


def _per_request(side: Side, connections: int, used: Callable[[int], float]) -> float:
    """Return how much of something the service and all processes below it used per request."""
    before = used(side.pid)
    taken = asyncio.run(load(side, connections, SECONDS))
    return (used(side.pid) - before) / len(taken)


def _row_ms(side: Side) -> float:
    asked = side.request()
    before_s = cpu_s(side.pid)
    asyncio.run(once(side, asked))
    return (cpu_s(side.pid) - before_s) / BATCH * 1e3


def _p99_ms(service: Service) -> float:
    """Return the 99th percentile at half of what the service can answer."""
    taken = asyncio.run(load(service.machines, 16, SECONDS))
    seconds = asyncio.run(paced(service.machines, len(taken) / SECONDS / 2, PACED_S))
    return float(np.percentile(seconds, 99)) * 1e3


def _ready_s(service: Service) -> float:
    return service.restart().cpu_s


MEASURES = (
    Measure("decision, 16 connections: ms of CPU", partial(_cost_ms, 16), wanted=0.75),
    Measure("decision, 64 connections: ms of CPU", partial(_cost_ms, 64), wanted=0.75),
    # Not first: what a service does once after its start would count here most.
    Measure("decision, 1 connection: ms of CPU", partial(_cost_ms, 1), wanted=0.5),
    Measure("with all reasons in words, 16: ms of CPU", _cost_in_words_ms),
    Measure("calls of read and write, 16 connections", _io_calls, 3),
    Measure("row of a batch: ms of CPU", lambda each: _row_ms(each.batch), 5, 0.5),
    Measure(
        "and all reasons in words: ms of CPU", lambda each: _row_ms(each.batch_in_words), 5, 0.4
    ),
    Measure("p99 at half capacity: ms", _p99_ms, 3),
    Measure("ready after a kill: s of CPU", _ready_s, 5, 0.5),
)


def main() -> None:
    """Print each figure of the three services, and its ratio to that of the earlier commit."""
    commit = sys.argv[1] if len(sys.argv) > 1 else "HEAD^"
    commit = subprocess.check_output(
        ["git", "-C", str(OURS), "rev-parse", "--short=8", commit], text=True
    ).strip()
    print(f"{_interpreter()}; {os.cpu_count()} cores; an idle loop is late by {_idle_text()}")
    with ExitStack() as stack:
        folder = Path(*sys.argv[2:3] or [stack.enter_context(tempfile.TemporaryDirectory())])
        theirs = Checkout(check_out(commit, folder / f"files-{commit}"), folder / commit)
        fresh = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        # Never kept: the code of this checkout changes between runs.
        ours = Checkout(OURS, fresh / "ours", theirs.home / "world")
        checkouts = {OURS_NAME: ours, CONTROL: ours, commit: theirs}
        services = {
            name: stack.enter_context(_serving(checkout, fresh / name))
            for name, checkout in checkouts.items()
        }
        print(f"{'':<42}" + "".join(f"{name:>15}" for name in services), "  ratio (quartiles)")
        for measure in MEASURES:
            _print_row(measure, services)


def _print_row(measure: Measure, services: dict[str, Service]) -> None:
    taken = np.array(
        [
            [measure.take(each) for each in services.values()]
            for _ in range(measure.rounds + 1)  # the first round warms up
        ][1:]
    )
    ours, control, theirs = taken.T
    shown = f"{measure.name:<42}" + "".join(f"{each:>15.2f}" for each in np.median(taken, axis=0))
    shown += f"   {_quartiles(ours / theirs)}, control {_quartiles(ours / control)}"
    print(shown + (f"; want {measure.wanted}" if measure.wanted else ""), flush=True)


def _quartiles(ratios: np.ndarray) -> str:
    low, median, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    return f"{median:.2f} ({low:.2f}-{high:.2f})"


def _interpreter() -> str:
    """Name the interpreter and its build: another build moves every figure by some percent."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    built = [name for name in ("--enable-optimizations", "--with-lto") if name in options]
    named = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{named} ({platform.python_compiler()}, {' '.join(built) or 'no optimized build'})"


def _idle_text() -> str:
    """Describe how late an idle loop wakes up: above the bound, no p99 of a service is valid."""
    p99_ms = asyncio.run(_idle_p99_ms())
    is_valid = p99_ms <= MAX_IDLE_P99_MS
    return f"{p99_ms:.1f} ms at p99" + ("" if is_valid else " (too busy: p99 below is not valid)")


async def _idle_p99_ms(times: int = 1_000, pause_s: float = 0.005) -> float:
    late_s = []
    for _ in range(times):
        began = time.perf_counter()
        await asyncio.sleep(pause_s)
        late_s.append(time.perf_counter() - began - pause_s)
    return float(np.percentile(late_s, 99)) * 1e3


@contextmanager
def _serving(checkout: Checkout, folder: Path) -> Iterator[Service]:
    """Run a service over a copy of the checkout's home, and another to be killed and restarted."""
    home, killed_home = folder / "home", folder / "killed"
    for copy in (home, killed_home):
        shutil.copytree(checkout.home, copy)
    machines = [checkout.new_key(home, "score") for _ in range(MACHINE_KEYS)]
    person = checkout.new_key(home, "score", "explain")
    run = f"{time.time_ns():x}"
    traffic = Traffic(bodies(home, run))

    def posted(path: str, body: bytes, key: str) -> bytes:
        named = f"Idempotency-Key: {run}-{time.perf_counter_ns()}"
        return request(path, body, f"Authorization: Bearer {key}", named)

    def side(take: Callable[[], bytes], path: str, *keys: str) -> Side:
        key_of_next = cycle(keys)
        return Side(
            path,
            port,
            started.pid,
            lambda: posted(path, take(), next(key_of_next)),
            traffic=traffic,
        )

    def batch() -> bytes:
        return b"[" + b",".join([traffic.take() for _ in range(BATCH)]) + b"]"

    port = free_port()
    with checkout.serving(home, port) as started:
        yield Service(
            side(traffic.take, "/v1/scores", *machines),
            side(traffic.take, "/v1/scores", person),
            side(batch, "/v1/scores/batch", *machines),
            side(batch, "/v1/scores/batch", person),
            partial(_start_and_kill, checkout, killed_home),
        )


def _start_and_kill(checkout: Checkout, home: Path) -> Started:
    with checkout.serving(home, free_port()) as started:
        os.kill(started.pid, signal.SIGKILL)
    return started


if __name__ == "__main__":
    main()
