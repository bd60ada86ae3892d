"""Trees grown by two workers of one thread beside one process, in time and in memory.

    python -m experiments.benchmarks.fitting [ROWS] [TREES]

All rows of `training`'s large set are fitted. What is measured begins with rows that are read and
ends with a text; of workers it holds their start, their reading and the counting of leaves, too.
Trees by the best thresholds, and numbers alone, so that the texts must be equal. Wall time says
something only where two cores are free, so the cores that were had are shown, and the CPU seconds
that one waits for: those of this process and of one worker.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from experiments.benchmarks.memory import peak_mib
from experiments.benchmarks.spark import below
from experiments.benchmarks.training import KIND, make_large
from training.data.training_set import TrainingSet
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_trees import LabelledRows, fit_trees
from training.fit.workers.launchers import workers_here
from training.parameters import TrainingParameters, TreeParameters

ROWS, TREES = 1_000_000, 100
WORKERS = 2
MAX_OF_ONE = 0.7
WAYS = {"one process, one thread": (0, 1), "one process, two threads": (0, 2), "workers": (2, 1)}


def main(rows: int = ROWS, trees: int = TREES) -> None:
    """Print seconds and memory of every way, and stop where a text differs."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_large(folder, rows)
        found = {way: _asked(folder / "large", trees, *how) for way, how in WAYS.items()}
    print(f"{rows:,} rows, {trees} trees: wall s, of it growing, CPU s, of it waited for, peak MiB")
    for way, each in found.items():
        cores = each["cpu_s"] / each["wall_s"]
        print(
            f"{way:<26}{each['wall_s']:9.1f}{each['growing_s']:9.1f}{each['cpu_s']:9.1f}"
            f"{each['waited_s']:9.1f}{each['peak_mib']:9,.0f}   {cores:.2f} cores"
        )
    one, _, several = found.values()
    for what in ("wall_s", "growing_s", "cpu_s", "waited_s"):
        print(f"workers over one thread, {what}: {several[what] / one[what]:.2f} ×")
    print(f"(wall ≤ {MAX_OF_ONE} × where two cores are free)")
    if one["trees"] != several["trees"]:
        raise SystemExit("the trees differ")


def _asked(folder: Path, trees: int, *how: int) -> dict[str, float]:
    words = [sys.executable, "-m", __spec__.name, "one", str(folder), str(trees)]
    answer = subprocess.run(
        [*words, *map(str, how)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    found: dict[str, float] = json.loads(answer.splitlines()[-1])
    return found


def _one(folder: Path, trees: int, workers: int, threads: int) -> dict[str, object]:
    data = TrainingSet.read(folder, KIND)
    encoding = data.encoding(np.arange(len(data)), fewest=len(data) + 1)
    values = EncodedRows(encoding.encode_columns(data.frame), np.arange(len(data)))
    rows = LabelledRows(values, data.outcomes.label, None)
    chosen = TreeParameters(
        trees=trees, early_stopping_rounds=0, monotone="basic", thresholds="best"
    )
    parameters = TrainingParameters(threads=threads, trees=chosen)
    grown_at: list[float] = []

    peaks: list[float] = []

    def on_tree(done: int, total: int) -> None:
        grown_at.append(perf_counter())
        if done == total:
            peaks.extend(peak_mib(str(pid)) for pid in below(os.getpid()))

    began, own, others = perf_counter(), *_cpu_s()
    if workers:
        with workers_here(workers) as growers:
            text = growers.grow(data, rows, None, encoding, parameters.for_workers(), on_tree)
    else:
        text = fit_trees(rows, None, encoding, data.inputs, parameters, on_tree)
    wall_s, own_s, others_s = perf_counter() - began, *_cpu_s()
    own_s, others_s = own_s - own, others_s - others
    return {
        "wall_s": wall_s,
        "growing_s": (grown_at[-1] - grown_at[0]) * trees / (trees - 1),
        "cpu_s": own_s + others_s,
        "waited_s": (own_s + others_s / max(workers, 1)) / threads,
        "peak_mib": max(peaks[1:] or peaks),
        "trees": text.partition("\nparameters:")[0],
    }


def _cpu_s() -> tuple[float, float]:
    """Of this process, and of those it started that have ended."""
    times = os.times()
    return times.user + times.system, times.children_user + times.children_system


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(_one(Path(sys.argv[2]), *(int(each) for each in sys.argv[3:]))))
    else:
        main(*(int(each) for each in sys.argv[1:3]))
