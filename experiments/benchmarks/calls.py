"""What one `POST /v1/scores` costs in process, without the server, compared with a checkout.

    python -m experiments.benchmarks.calls [CHECKOUT [FOLDER]]

Each checkout calls its own application in a process of its own, over a small home that it made
itself: 32 requests at once, as many blocks as there are rounds, in turn, so that a busy machine is
busy for both. Time of the processor, of the process and of the event loop's thread alone. Homes and
compiled functions are kept in FOLDER for the next run.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from experiments.benchmarks.checkouts import OURS, Checkout

CALLS = Path(__file__).with_name("score_calls.py")
WARM_UP, ROUNDS = 3, 40
GOAL = 1.05


@contextmanager
def _calling(checkout: Checkout) -> Iterator["subprocess.Popen[str]"]:
    """A process that makes one block of calls for each line."""
    command = [sys.executable, "-P", str(CALLS), str(checkout.home)]
    process = subprocess.Popen(
        command,
        cwd=checkout.path,
        env={**os.environ, **checkout.environment, "BENCHMARK_KEY": checkout.new_key("score")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.communicate(timeout=60)


def main() -> None:
    """Print what a call costs, and how that compares with the other checkout's."""
    others = [Path(argument) for argument in sys.argv[1:2] if Path(argument).is_dir()]
    with ExitStack() as stack:
        folder = Path(*sys.argv[2:3] or [stack.enter_context(tempfile.TemporaryDirectory())])
        processes = [
            stack.enter_context(_calling(Checkout(path, folder / name, (str(CALLS),), "--make")))
            for name, path in [("ours", OURS), *(("other", path) for path in others)]
        ]
        taken = [[_block(process) for process in processes] for _ in range(WARM_UP + ROUNDS)]
    for name in ("cpu_us", "loop_cpu_us"):
        us = np.array([[block[name] for block in blocks] for blocks in taken[WARM_UP:]])
        print(f"{name}: {_quartiles(us[:, 0])}", end="")
        if others:
            ratios = _quartiles(us[:, 0] / us[:, 1], 3)
            want = f" (want at most {GOAL})" if name == "cpu_us" else ""
            print(f"; of {others[0].name}: {_quartiles(us[:, 1])}; ratio {ratios}{want}", end="")
        print()


def _block(process: "subprocess.Popen[str]") -> dict[str, float]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    taken: dict[str, float] = json.loads(process.stdout.readline())
    return taken


def _quartiles(values: np.ndarray, digits: int = 0) -> str:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


if __name__ == "__main__":
    main()
