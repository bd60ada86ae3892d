"""What grows with the records: `python -m experiments.benchmarks.growth FOLDER [MAX]`.

Worlds of 10⁵, 10⁶ and 10⁷ records (of at most MAX) are invented in FOLDER, unless they are there.
Of each the online feature store and a training set are made, and the latest shipments are asked
about and become known under ids that the store never saw. Each step has a process of its own, and
is done once over a small world first, so that nothing is compiled meanwhile. Times are of
the processor; those of one subject are of the thread that does it. What a call reads and writes is
counted where blobs enter and leave the store.

Beside the figures stands the exponent of each, where it is fitted as a power of the records: 0 does
not grow, 1 grows as they do. `growth.json` in FOLDER has the same for others to read.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from time import process_time, thread_time

import lmdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from experiments.benchmarks.counted_store import CountedStore
from experiments.benchmarks.memory import anonymous_mib, peak_mib
from experiments.benchmarks.online import OWN, as_new, submissions_of_some
from features.build_training_set import build_training_set
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.write_buffer import WriteBuffer
from features.history.online_store import OnlineStore
from features.history.rebuild import rebuild_store
from features.records import SubjectKind
from features.submission import Submission, history_records
from features.vector import GROUP_SIZE, feature_vectors
from synthetic.scenario import Scenario
from synthetic.world import invent

RECORDS_OF_A_JOURNEY = 23.6
SIZES = (100_000, 1_000_000, 10_000_000)
SMALL = 20_000
SUBJECTS = 512
KIND: SubjectKind = "shipment"


def main() -> None:
    """Print one table; arguments: a folder, and how many records at most."""
    if sys.argv[1:2] == ["--step"]:
        print(json.dumps(STEPS[sys.argv[2]](Path(sys.argv[3]))))
        return
    if len(sys.argv) < 2:
        print("growth: left out; it wants a folder of 3 GB")
        return
    folder = Path(sys.argv[1])
    most = int(float(sys.argv[2])) if len(sys.argv) > 2 else SIZES[-1]
    _measured(folder, SMALL)
    measured = [_measured(folder, size) for size in SIZES if size <= most]
    (folder / "growth.json").write_text(json.dumps(measured, indent=1))
    print_growth(measured, "records")


def print_growth(measured: Sequence[Mapping[str, float]], over: str) -> None:
    """Figures of each size beside each other, and the exponent of each over that of `over`."""
    for name in measured[0]:
        figures = [each[name] for each in measured]
        power = exponent([each[over] for each in measured], figures)
        print(f"{name:<44}", *(f"{figure:>14,.3f}" for figure in figures), f"{power:>7.2f}")


def exponent(sizes: Sequence[float], figures: Sequence[float]) -> float:
    """The power of the sizes as which figures grow, by least squares of their logarithms.

    >>> round(exponent([1, 10, 100], [3, 30, 300]), 6)
    1.0
    """
    if len(sizes) < 2 or min(figures) <= 0:
        return float("nan")
    slope, _ = np.polyfit(np.log(sizes), np.log(figures), 1)
    return float(slope)


def _measured(folder: Path, size: int) -> dict[str, float]:
    world = folder / f"{size}"
    if not (world / "records").exists():
        journeys = round(size / RECORDS_OF_A_JOURNEY)
        invent(world / "records", scenario=Scenario(), journeys=journeys, days=365, seed=7)
    files = [*(world / "records").glob("*.parquet")]
    records = [file for file in files if file.stem != "oracle"]
    measured: dict[str, float] = {
        "records": sum(pq.ParquetFile(file).metadata.num_rows for file in records),
        "record files, MiB": sum(file.stat().st_size for file in records) / 2**20,
    }
    for step in STEPS:
        command = [
            sys.executable,
            "-m",
            "experiments.benchmarks.growth",
            "--step",
            step,
            str(world),
        ]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        measured |= json.loads(done.stdout)
    return measured


def _store(world: Path) -> dict[str, float]:
    """The online feature store, made of record files: what that takes, and how large it is."""
    rmtree(world / "state", ignore_errors=True)
    began = process_time()
    rebuild_store(world / "records", world / "state")
    taken, peak, own = process_time() - began, peak_mib(), anonymous_mib()
    with lmdb.open(str(world / "state"), readonly=True, lock=False) as environment:
        pages = environment.stat()
    used = sum(pages[name] for name in ("branch_pages", "leaf_pages", "overflow_pages"))
    return {
        "store: made of files, CPU s": taken,
        "store: made of files, peak with its file, MiB": peak,
        "store: made of files, own memory after, MiB": own,
        "store: MiB": used * pages["psize"] / 2**20,
        "store: blobs": pages["entries"],
        "store: depth of its tree": pages["depth"],
    }


def _training_set(world: Path) -> dict[str, float]:
    out = world / "training_set"
    rmtree(out, ignore_errors=True)
    began = process_time()
    build_training_set(world / "records", KIND, out)
    taken = process_time() - began
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    rmtree(out)
    return {
        "training set: CPU s": taken,
        "training set: peak, MiB": peak_mib(),
        "training set: MiB": size / 2**20,
    }


def _subjects(world: Path) -> dict[str, float]:
    """The latest subjects, and those of a busy party, alone and as many as wait together."""
    disk = CountedStore(LmdbStore(world / "state"))
    counted = CountedStore(WriteBuffer(disk))
    store = OnlineStore(counted)
    latest, busiest = _submissions(world / "records")
    measured = _reading(store, counted, latest) | _ingesting(store, counted, latest)
    for name, figure in _ingesting(store, counted, busiest).items():
        if "ms" in name:
            measured[f"{name}, of the busiest consignee"] = figure
    store.store.sync()
    written = disk.begin()
    thrice = map(as_new, map(as_new, map(as_new, latest[:GROUP_SIZE])))
    store.ingest(history_records([*thrice]))
    began = process_time()
    store.store.sync()
    flushed_ms = (process_time() - began) * 1e3
    store.store.close()
    return measured | {
        "write to disk: CPU ms": flushed_ms / GROUP_SIZE,
        "write to disk: KiB": written.bytes_put / 2**10 / GROUP_SIZE,
        "own memory after, MiB": anonymous_mib(),
    }


def _submissions(records: Path) -> tuple[list[Submission], list[Submission]]:
    """The latest subjects, and the latest of the party that has most."""
    _, identity, party = OWN[KIND]
    table = pq.read_table(records / "shipments.parquet", columns=[identity, party, "declared_at"])
    table = table.sort_by("declared_at")
    parties = table[party].value_counts()
    busiest = parties[int(np.argmax(parties.field("counts")))]["values"]
    of_busiest = table.filter(pc.equal(table[party], busiest))
    latest, own = (
        submissions_of_some(KIND, records, some[identity])
        for some in (table[-SUBJECTS:], of_busiest[-GROUP_SIZE:])
    )
    return latest, own


def _reading(
    store: OnlineStore, counted: CountedStore, submissions: Sequence[Submission]
) -> dict[str, float]:
    new = [*map(as_new, submissions)]

    def ask(some: Sequence[Submission]) -> None:
        feature_vectors(some, store, [history_records([one]) for one in some])

    for size in (1, GROUP_SIZE):  # what is compiled is loaded, and pages of the file are read
        _taken_ms(ask, new, size)
    read, owners = counted.begin(), 0
    alone = []
    for one in new:
        read.owners.clear()
        alone += _taken_ms(ask, [one], 1)
        owners += len(read.owners)
    each = len(new)
    return {
        **_quantiles("vector", alone),
        "vector: blobs": read.blobs_got / each,
        "vector: KiB": read.bytes_got / 2**10 / each,
        "vector: first columns of keys": owners / each,
        "vector: of those together, CPU ms": _together_ms(ask, new),
    }


def _ingesting(
    store: OnlineStore, counted: CountedStore, submissions: Sequence[Submission]
) -> dict[str, float]:
    """Subjects that the store does not know, with their payments; their parties it knows."""

    def add(some: Sequence[Submission]) -> None:
        store.ingest(history_records(some))

    new, each = [*map(as_new, submissions)], len(submissions)
    written, owners, alone = counted.begin(), 0, []
    for one in new:
        written.owners.clear()
        alone += _taken_ms(add, [one], 1)
        owners += len(written.owners)
    most = max(times for key, times in written.keys_put.items() if key.startswith(b"o"))
    told = {
        **_quantiles("ingest", alone),
        "ingest: blobs read": written.blobs_got / each,
        "ingest: blobs written": written.blobs_put / each,
        "ingest: KiB written": written.bytes_put / 2**10 / each,
        "ingest: first columns of keys": owners / each,
        "ingest: subjects that write the busiest log": most / each,
    }
    return told | {"ingest: of those together, CPU ms": _together_ms(add, [*map(as_new, new)])}


def _together_ms(do: Callable[[Sequence[Submission]], None], some: Sequence[Submission]) -> float:
    return sum(_taken_ms(do, some, GROUP_SIZE)) / len(some)


def _taken_ms(
    do: Callable[[Sequence[Submission]], None], submissions: Sequence[Submission], size: int
) -> list[float]:
    """Milliseconds of the processor for each group of so many."""
    taken = []
    for start in range(0, len(submissions), size):
        began = thread_time()
        do(submissions[start : start + size])
        taken.append((thread_time() - began) * 1e3)
    return taken


def _quantiles(name: str, taken_ms: Sequence[float]) -> dict[str, float]:
    p50, p99 = np.percentile(taken_ms, (50, 99))
    return {f"{name}: CPU ms p50": float(p50), f"{name}: CPU ms p99": float(p99)}


STEPS: dict[str, Callable[[Path], dict[str, float]]] = {
    "store": _store,
    "training_set": _training_set,
    "subjects": _subjects,
}

if __name__ == "__main__":
    main()
