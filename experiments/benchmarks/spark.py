"""A training set of shipments on Spark, beside the same build on this machine.

    python -m experiments.benchmarks.spark [SHIPMENTS] [--skewed] [--master MASTER]

Without a master it starts Sail, which `make spark` installs. CPU is that of all processes of a
build, servers and workers among them; memory is the largest of each kind of process. In a skewed
world every other shipment and payment is of one party. The bytes must be equal. Worlds are those of
`features`.
"""

import argparse
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from experiments.benchmarks.features import a_world
from experiments.benchmarks.running import READY_WITHIN_S, free_port

SHIPMENTS = 300_000
TASKS = 2
MAX_OF_ONE_MACHINE = 2.5
EVERY_S = 0.2
PARTY_OF = {"shipments": "consignee_id", "transactions": "payer_id"}


def main() -> None:
    """Print CPU and memory of both, and stop where their bytes differ."""
    ours = sys.argv[0].endswith("spark.py")
    parser = argparse.ArgumentParser()
    parser.add_argument("shipments", type=int, nargs="?", default=SHIPMENTS)
    parser.add_argument("--skewed", action="store_true")
    parser.add_argument("--master")
    asked = parser.parse_args(None if ours else [])
    records = a_world(asked.shipments) / "records"
    if asked.skewed:
        records = _skewed(records)
    with tempfile.TemporaryDirectory() as scratch:
        here, there = Path(scratch, "here"), Path(scratch, "there")
        one = _figures([*_build(records, here)])
        spark = _on_spark(records, there, asked.master)
        equal = _digest(here) == _digest(there)
    print(f"{asked.shipments:,} shipments: CPU seconds, peak MiB of a process")
    print(f"{'machine':>8} {one[0]:9.2f} {one[1]:8,.0f}")
    ratio = spark[0] / one[0]
    print(f"{'spark':>8} {spark[0]:9.2f} {spark[1]:8,.0f}  {ratio:.2f} × (≤ {MAX_OF_ONE_MACHINE})")
    if not equal:
        raise SystemExit("the bytes differ")


def _on_spark(records: Path, out: Path, master: str | None) -> tuple[float, float]:
    """Sail lives for one build, so that all it took is the build's."""
    if master:
        return _figures([*_build(records, out), *_options(master)])
    port = free_port()
    sail = [sys.executable, "-m", "pysail", "spark", "server", "--port", str(port)]
    with subprocess.Popen(sail, env=_beside_sail()) as server:
        try:
            _wait(port)
            command = [*_build(records, out), *_options(f"sc://127.0.0.1:{port}")]
            return _figures(command, server.pid)
        finally:
            server.terminate()


def _beside_sail() -> dict[str, str]:
    """The environment of processes that need Sail and Spark's client, which lie apart."""
    apart = str(Path(sys.prefix, "sail"))
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([apart, os.environ.get("PYTHONPATH", "")]),
        "SAIL_EXECUTION__BATCH_SIZE": "16",  # as docs/operations/large_data.md says
    }


def _wait(port: int) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(EVERY_S)
    raise SystemExit("no server of Sail")


def _build(records: Path, out: Path) -> list[str]:
    words = ["build", "--records", str(records), "--subject", "shipment", "--out", str(out)]
    return [str(Path(sys.executable).with_name("tidegate")), *words]


def _options(master: str) -> list[str]:
    return ["--engine", "spark", "--threads", str(TASKS), "--master", master]


def _figures(command: list[str], *beside: int) -> tuple[float, float]:
    """CPU seconds of a command, of what it starts and of processes beside it; MiB of the largest.

    Looked at again and again, since not every process that Spark starts is waited for.
    """
    taken: dict[int, float] = {}
    most = 0.0
    with subprocess.Popen(command, env=_beside_sail()) as process:
        while process.poll() is None:
            for pid in below(process.pid, *beside):
                with suppress(OSError):
                    taken[pid] = max(taken.get(pid, 0), _cpu_s(pid))
                    most = max(most, _mib(pid))
            time.sleep(EVERY_S)
    if process.returncode:
        raise SystemExit(f"a build ended with {process.returncode}")
    return sum(taken.values()), most


def below(*roots: int) -> list[int]:
    """Processes and all that they started."""
    children: dict[int, list[int]] = defaultdict(list)
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = status.read_text().rpartition(")")[2].split()[1]
            children[int(parent)].append(int(status.parent.name))
    found = [*roots]
    for pid in found:  # grows while it is gone through
        found.extend(children[pid])
    return found


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _mib(pid: int) -> float:
    """The most memory that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return max(
        (int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), default=0
    )


def _skewed(records: Path) -> Path:
    """The same records, half of whose shipments and payments are of one party."""
    folder = records.with_name("skewed")
    folder.mkdir(exist_ok=True)
    for file in records.iterdir():
        made = folder / file.name
        if made.exists():
            continue
        if file.stem not in PARTY_OF:
            made.symlink_to(file)
            continue
        table, name = pq.read_table(file), PARTY_OF[file.stem]
        is_hot = pa.array(np.arange(len(table)) % 2 == 0)
        column = pc.if_else(is_hot, "k-hot", table[name].combine_chunks())
        place = table.column_names.index(name)
        changed = table.set_column(place, table.field(name), column)
        pq.write_table(changed, made, row_group_size=pq.read_metadata(file).row_group(0).num_rows)
    return folder


def _digest(folder: Path) -> list[str]:
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())]


if __name__ == "__main__":
    main()
