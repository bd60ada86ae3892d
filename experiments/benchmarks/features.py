"""Every window of the shipments of a world, file to file, beside other ways to compute the same.

    python -m experiments.benchmarks.features [SHIPMENTS …] [PEER …]

`ours` reads record files; peers start from tables in which what an event shows is ready made
(`experiments.window_peers`), and their numbers must equal ours. `scan` only reads, with pyarrow,
the columns that ours reads. `whole` builds the training set with every feature and every check of
every file. Each runs in a process of its own; a figure is the least CPU of the rounds, in which all
take turns, and the largest memory. Of several sizes the first is held against peers, and for all
CPU per shipment is told. A peer that takes minutes has one round. Worlds, and the peers' tables
of them, are kept in the folder for temporary files.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib import import_module
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SHIPMENTS = 100_000
LARGE = 1_000_000
ROUNDS = 3
PEERS = ("polars", "duckdb")
# How many times the CPU of ours a peer takes at least; and at most ours of the scan, whole of ours.
GOALS = {"polars": 4.0, "duckdb": 4.0}
# The most by which a peer's number may differ: Polars multiplies where it should divide.
ROUNDED = {"polars": 4e-16}
MAX_OF_SCAN, MAX_OF_OURS, MAX_MIB = 2.3, 3.0, 1_740


def main() -> None:
    """Print CPU, memory and ratios for one size of world."""
    if sys.argv[1:2] == ["--child"]:
        _child(*sys.argv[2:])
        return
    given = sys.argv[1:] if sys.argv[0].endswith("features.py") else []
    sizes = [int(word) for word in given if word.isdigit()] or [SHIPMENTS]
    peers = [word for word in given if word in PEERS] or [*PEERS]
    figures = _figures(sizes[0], ["ours", "scan", "whole", *peers])
    _print(sizes[0], figures)
    for name in peers:
        _hold_equal(a_world(sizes[0]), name)
    for size in sizes:
        seconds, mib = figures["ours"] if size == sizes[0] else _figures(size, ["ours"])["ours"]
        each = 1e6 * seconds / size
        print(f"{size:>10,} shipments: {each:5.1f} µs of CPU each, {mib:,.0f} MiB", flush=True)


def _print(shipments: int, figures: dict[str, tuple[float, float]]) -> None:
    ours, scan = figures["ours"][0], figures["scan"][0]
    windows = len(pq.read_schema(a_world(shipments) / "ours.parquet").names) - 1
    print(f"{shipments:,} shipments, {windows} windows: CPU seconds, peak MiB, ratio (goal)")
    goals = {
        "ours": f"{ours / scan:5.2f} of scan (≤ {MAX_OF_SCAN})",
        "whole": f"{figures['whole'][0] / ours:5.2f} of ours (≤ {MAX_OF_OURS})",
        "scan": "",
    }
    for name, (seconds, mib) in figures.items():
        ratio = goals.get(name, f"{seconds / ours:5.1f} × ours (≥ {GOALS.get(name, 0):.0f})")
        print(f"{name:>8} {seconds:9.2f} {mib:8,.0f}  {ratio}", flush=True)


def _figures(shipments: int, names: list[str]) -> dict[str, tuple[float, float]]:
    """CPU seconds and MiB of a process for each: the least and the most of the rounds."""
    world, taken = a_world(shipments), defaultdict(list)
    if {*names} & {*PEERS}:
        _once("tables", world, world / "tables" / "windows.json")
    for turn in range(ROUNDS):
        for name in names:
            if turn < _rounds(name, shipments):
                taken[name].append(_run(world, name))
    return {n: (min(s for s, _ in each), max(m for _, m in each)) for n, each in taken.items()}


def _rounds(name: str, shipments: int) -> int:
    return 1 if name in PEERS and shipments >= LARGE else ROUNDS


def _run(world: Path, name: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "experiments.benchmarks.features", "--child", name, str(world)]
    environment = os.environ | {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{name} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def a_world(shipments: int) -> Path:
    """A world with that many shipments, made once."""
    world = Path(tempfile.gettempdir()) / "tidegate-benchmarks" / str(shipments)
    _once("world", world, world / "records" / "outcomes.parquet")
    return world


def _once(name: str, world: Path, made: Path) -> None:
    """Run a child that makes a file, where that is not there yet."""
    if not made.exists():
        command = [sys.executable, "-m", __spec__.name, "--child", name, str(world)]
        subprocess.run(command, check=True)


def _child(name: str, folder: str) -> None:
    world = Path(folder)
    own = {"world": _invent, "tables": _tables, "ours": _ours, "scan": _scan, "whole": _whole}
    own.get(name, _peer(name))(world)


def _invent(world: Path) -> None:
    from synthetic.scenario import Scenario
    from synthetic.world import invent

    invent(world / "records", scenario=Scenario(), journeys=int(world.name), days=365, seed=7)


def _tables(world: Path) -> None:
    from experiments.window_peers.tables import write_tables

    write_tables(world / "records", "shipment", world / "tables")


def _ours(world: Path) -> None:
    from features.build_training_set import packing
    from features.catalogue import windows_of
    from features.engine.batch.build_resources import BuildResources
    from features.engine.batch.feature_frame import BLOCK_ROWS, FeatureFrame
    from features.engine.columns import array_of_numbers
    from features.engine.malloc import keep_freed_memory
    from features.engine.string_table import STRING_TABLE
    from features.event_sources import event_sources
    from features.ingest.record_folder import RecordFolder

    keep_freed_memory()
    source, windows = RecordFolder(world / "records", is_whole=False), windows_of("shipment")
    with tempfile.TemporaryDirectory(dir=world) as scratch:
        resources = BuildResources(Path(scratch))
        shipments = FeatureFrame.compute(event_sources("shipment"), windows, source, resources)
        names = ["subject_id", *(f"w{at}" for at in range(len(windows)))]
        kinds = [pa.string(), *[pa.float64()] * len(windows)]
        schema = pa.schema(list(zip(names, kinds, strict=True)))
        file, how = world / "ours.parquet", packing(schema)
        with pq.ParquetWriter(file, schema, use_dictionary=False, **how) as writer:
            for begin in range(0, len(shipments), BLOCK_ROWS):
                among = slice(begin, min(begin + BLOCK_ROWS, len(shipments)))
                ids = STRING_TABLE.texts(shipments.subjects["subject_id"][among])
                columns = [shipments.window(window, among) for window in windows]
                arrays = [ids, *map(array_of_numbers, columns)]
                writer.write_table(pa.table(arrays, schema=schema))
    (world / "read.json").write_text(json.dumps(source.read))


def _scan(world: Path) -> None:
    for name, fields in json.loads((world / "read.json").read_text()).items():
        pq.read_table(world / "records" / f"{name}.parquet", columns=fields, use_threads=False)


def _whole(world: Path) -> None:
    from features.build_training_set import build_training_set
    from features.engine.malloc import keep_freed_memory

    keep_freed_memory()
    build_training_set(world / "records", "shipment", world / "training_set")


def _peer(name: str):  # type: ignore[no-untyped-def]  # a module chosen by name
    def compute(world: Path) -> None:
        peer = import_module(f"experiments.window_peers.with_{name}")
        peer.compute(world / "tables", world / f"{name}.parquet", threads=2)

    return compute


def _hold_equal(world: Path, name: str) -> None:
    """Stop where a peer has another number than ours."""
    ours = pq.read_table(world / "ours.parquet").sort_by("subject_id")
    theirs = pq.read_table(world / f"{name}.parquet").sort_by("subject_id")
    rounded = ROUNDED.get(name, 0.0)
    for column in ours.column_names[1:]:
        one, other = (t[column].to_numpy(zero_copy_only=False) for t in (ours, theirs))
        np.testing.assert_allclose(
            one.astype(float), other.astype(float), rtol=rounded, err_msg=f"{name}, {column}"
        )
    print(f"{name}: {len(ours.column_names) - 1} windows of {len(ours):,} shipments are equal")


if __name__ == "__main__":
    main()
