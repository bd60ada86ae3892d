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
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

OURS = Path(__file__).parents[2]
CALLS = Path(__file__).with_name("score_calls.py")
WARM_UP, ROUNDS = 3, 40
GOAL = 1.05


class Checkout:
    """A checkout of the project, and a home that it made."""

    def __init__(self, path: Path, folder: Path):
        self.path = path.resolve()
        self._home = folder.resolve() / "home"
        self._environment = {
            **os.environ,
            "PYTHONPATH": f"{self.path}:{self.path / 'data'}",
            "NUMBA_CACHE_DIR": str(folder.resolve() / "compiled"),
            "OMP_NUM_THREADS": "1",
        }
        if not self._home.exists():
            self._run(str(CALLS), str(self._home), "--make")
        self._environment["BENCHMARK_KEY"] = self._new_key()

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, "-P", *arguments]
        return subprocess.run(
            command,
            cwd=self.path,
            env=self._environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def _new_key(self) -> str:
        project = tomllib.loads((self.path / "pyproject.toml").read_text())["project"]
        module = project["scripts"]["tidegate"].partition(":")[0]
        create = ["keys", "create", f"benchmark-{time.time_ns()}", "--scope", "score", "--json"]
        shown = self._run("-m", module, *create, "--home", str(self._home))
        return str(json.loads(shown)["key"])

    @contextmanager
    def calling(self) -> Iterator["subprocess.Popen[str]"]:
        """A process that makes one block of calls for each line."""
        command = [sys.executable, "-P", str(CALLS), str(self._home)]
        process = subprocess.Popen(
            command,
            cwd=self.path,
            env=self._environment,
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
            stack.enter_context(Checkout(path, folder / name).calling())
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
