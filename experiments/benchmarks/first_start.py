"""The first start of a service whose compiled functions are not kept yet, until it is ready.

    python -m experiments.benchmarks.first_start [HOME] [CHECKOUT]

HOME is made where it is not given. Each start has an empty cache of compiled functions; another
CHECKOUT of the project is started in turn with this one on the same home, so that a busy machine is
busy for both. Time of the processor is less moved by what else runs than the clock is.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.benchmarks.running import Started, free_port, running
from experiments.benchmarks.served_home import make_home

OURS = Path(__file__).parents[2]
ROUNDS = 2
GOAL_CPU_S = 25.0


def main() -> None:
    """Start each checkout in turn, and print what it took."""
    folders = [Path(argument) for argument in sys.argv[1:] if Path(argument).is_dir()]
    with tempfile.TemporaryDirectory() as scratch:
        home = folders[0] if folders else Path(scratch) / "home"
        if not folders:
            make_home(home)
        sides = [OURS, *folders[1:2]]
        _first_start(OURS, home)  # makes the state of the home
        rounds = [[_first_start(side, home) for side in sides] for _ in range(ROUNDS)]
    ours, *others = zip(*rounds, strict=True)
    print(f"first start: {_taken(ours)} (want <= {GOAL_CPU_S:.0f} s of the processor)")
    for other in others:
        ratio = _cpu_s(other) / _cpu_s(ours)
        print(f"  of {sides[1]}: {_taken(other)}, {ratio:.2f} times as much of the processor")


def _first_start(checkout: Path, home: Path) -> Started:
    port = free_port()
    command = [sys.executable, "-m", "serving.cli", "serve"]
    with tempfile.TemporaryDirectory() as cache:
        changes = {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": f"{checkout}:{checkout / 'data'}"}
        serve = [*command, "--home", str(home.resolve()), "--port", str(port)]
        with running(port, "/health/ready", serve, checkout, changes) as started:
            return started


def _taken(starts: Sequence[Started]) -> str:
    wall_s = float(np.median([started.wall_s for started in starts]))
    return f"ready in {wall_s:.1f} s, {_cpu_s(starts):.1f} s of the processor"


def _cpu_s(starts: Sequence[Started]) -> float:
    return float(np.median([started.cpu_s for started in starts]))


if __name__ == "__main__":
    main()
