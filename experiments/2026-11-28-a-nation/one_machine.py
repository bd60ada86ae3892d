"""The service as it is, on one core: what a simulation of it is calibrated by and held to.

    python -m experiments.2026-11-28-a-nation.one_machine FOLDER

FOLDER has a home, as `experiments.benchmarks.decisions` makes one. The service has the first core
and whoever asks it the second one, both before other work of the machine. Calls by one connection,
by 32 and by batches say what a decision costs of the processor; calls by 4 and 16 connections, and
at an even pace of half and of four fifths of what 16 get, are to be foretold.
"""

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

import numpy as np

from experiments.benchmarks.checkouts import OURS, Checkout
from experiments.benchmarks.decisions import BATCH, MAKE, _serving
from experiments.benchmarks.running import cpu_s
from experiments.benchmarks.service import Side, load, once, paced

CONNECTIONS = (1, 4, 16, 32)
PACES = (0.5, 0.8)
ROUNDS, SECONDS = 3, 4.0
NICENESS = -10
IDLE_CPU_S = 0.1  # in three seconds


def main() -> None:
    """Print one JSON document."""
    os.environ["TIDEGATE_MOST_IN_FLIGHT_PER_CALLER"] = "64"
    checkout = Checkout(OURS, Path(sys.argv[1]), MAKE)
    with _serving(checkout) as sides:
        machine, batch = sides["a machine's key"], sides["batch"]
        _alone(machine.pid, 0)
        _alone(os.getpid(), 1)
        asyncio.run(load(machine, 16, 2.0))
        _let_settle(machine.pid)
        rounds = [_round(machine, batch) for _ in range(ROUNDS)]
        told = {name: median(each[name] for each in rounds) for name in rounds[0]}
        for share in PACES:
            print(told, file=sys.stderr, flush=True)
            told |= _paced(machine, share, told["16 connections, per s"])
    print(json.dumps(told, indent=1))


def _alone(pid: int, core: int) -> None:
    """Have every thread of a process on one core, before others."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), {core})
            os.setpriority(os.PRIO_PROCESS, int(task.name), NICENESS)


def _let_settle(pid: int) -> None:
    """Wait for what a start leaves to do: cases to open, the report of the day."""
    before_s, now_s = 0.0, cpu_s(pid)
    while now_s - before_s > IDLE_CPU_S:
        time.sleep(3.0)
        before_s, now_s = now_s, cpu_s(pid)


def _round(machine: Side, batch: Side) -> dict[str, float]:
    told: dict[str, float] = {}
    for connections in CONNECTIONS:
        before_s = cpu_s(machine.pid)
        taken = asyncio.run(load(machine, connections, SECONDS))
        cost_s = cpu_s(machine.pid) - before_s
        p50, p99 = np.percentile(taken, (50, 99)) * 1e3
        name = f"{connections} connections"
        told[f"{name}, per s"] = len(taken) / SECONDS
        told[f"{name}, CPU ms each"] = cost_s / len(taken) * 1e3
        told |= {f"{name}, p50 ms": float(p50), f"{name}, p99 ms": float(p99)}
    asked, before_s = batch.request(), cpu_s(batch.pid)
    asyncio.run(once(batch, asked))
    return told | {"batches, CPU ms each": (cpu_s(batch.pid) - before_s) / BATCH * 1e3}


def _paced(side: Side, share: float, per_s: float) -> dict[str, float]:
    taken = asyncio.run(paced(side, share * per_s, 10.0))
    p50, p99 = np.percentile(taken, (50, 99)) * 1e3
    name = f"at {share:.0%} of 16 connections"
    return {
        f"{name}, per s": share * per_s,
        f"{name}, p50 ms": float(p50),
        f"{name}, p99 ms": float(p99),
    }


if __name__ == "__main__":
    main()
