"""What grows with the decisions: `python -m experiments.benchmarks.log_growth FOLDER [MAX]`.

A home in FOLDER, made unless it is there, is asked for decisions by batches until it has 10³, 10⁴
and 10⁵ of them (at most MAX). At each size its service is killed and started again, its log is
verified, and it is backed up and restored. Times are of the processor, of a command and all below
it, or of the clock where somebody waits. Exponents are those of `growth`.
"""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from functools import partial
from itertools import islice
from pathlib import Path

from experiments.benchmarks.checkouts import OURS, Checkout
from experiments.benchmarks.decisions import BATCH
from experiments.benchmarks.growth import print_growth
from experiments.benchmarks.running import cpu_s, free_port
from experiments.benchmarks.served_home import bodies
from experiments.benchmarks.service import Side, once, request
from serving.crypto.compression import compressed
from serving.storage.engine import open_database
from serving.storage.repositories.decision_repository import DecisionRepository

SIZES = (1_000, 10_000, 100_000)
SAMPLE, TOGETHER = 640, 64


def main() -> None:
    """Print one table; arguments: a folder, and how many decisions at most."""
    if len(sys.argv) < 2:
        print("log_growth: left out; it wants a folder of 15 GB")
        return
    folder = Path(sys.argv[1])
    most = int(float(sys.argv[2])) if len(sys.argv) > 2 else SIZES[-1]
    checkout = Checkout(OURS, folder)
    measured = []
    for size in SIZES:
        if size <= most:
            measured.append(_measured(checkout, folder, size))
            (folder / "log_growth.json").write_text(json.dumps(measured, indent=1))
    print_growth(measured, "decisions")


def _measured(checkout: Checkout, folder: Path, size: int) -> dict[str, float]:
    key, port = checkout.new_key(checkout.home, "score"), free_port()
    before = _decided(checkout.home)
    arriving = bodies(checkout.home, f"{time.time_ns():x}", before)
    with checkout.serving(checkout.home, port) as started:
        began_s = cpu_s(started.pid)
        for _ in range((size - before) // BATCH):
            _decide(port, key, [*islice(arriving, BATCH)])
        decided_s = cpu_s(started.pid) - began_s
        os.kill(started.pid, signal.SIGKILL)
    with checkout.serving(checkout.home, free_port()) as started:
        ready_s, ready_cpu_s = started.wall_s, started.cpu_s
    now = _decided(checkout.home)
    return {
        "decisions": now,
        "decided by batches, CPU ms each": decided_s / max(now - before, 1) * 1e3,
        "ready after a kill, s": ready_s,
        "ready after a kill, CPU s": ready_cpu_s,
        **_sizes(checkout.home / "tidegate.db", now),
        **_compressed(checkout.home / "tidegate.db"),
        **_commands(checkout, folder),
    }


def _decide(port: int, key: str, submissions: list[bytes]) -> None:
    headers = f"Authorization: Bearer {key}", f"Idempotency-Key: {time.perf_counter_ns()}"
    body = b"[" + b",".join(submissions) + b"]"
    asked = request("/v1/scores/batch", body, *headers)
    asyncio.run(once(Side("batch", port, 0, lambda: asked), asked))


def _decided(home: Path) -> int:
    if not (home / "tidegate.db").exists():
        return 0
    engine = open_database(home / "tidegate.db", is_service=False)
    size = DecisionRepository(engine).size()
    engine.dispose()
    return size


def _sizes(database: Path, decisions: int) -> dict[str, float]:
    """Bytes for each decision, and how deep its tables and indexes are, in pages."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT name, sum(pgsize), max(length(path) - length(replace(path, '/', ''))) "
            "FROM dbstat WHERE pagetype <> 'overflow' OR name IN ('decisions', 'answers') "
            "GROUP BY name"
        ).fetchall()
    size, depth = {row[0]: row[1] for row in rows}, max(row[2] for row in rows)
    each = {name: size[name] / decisions / 2**10 for name in ("decisions", "answers")}
    return {
        "database: KiB each": database.stat().st_size / decisions / 2**10,
        "database: decisions, KiB each": each["decisions"],
        "database: answers, KiB each": each["answers"],
        "database: deepest tree, pages": depth,
    }


def _compressed(database: Path) -> dict[str, float]:
    """The newest records as they were before they were encrypted, and compressed."""
    engine = open_database(database, is_service=False)
    log = DecisionRepository(engine)
    records = [record.encode() for record in log.records(log.size() - SAMPLE) if record]
    engine.dispose()
    groups = [b"".join(records[at : at + TOGETHER]) for at in range(0, len(records), TOGETHER)]
    began = time.process_time()
    alone = sum(len(compressed(record)) for record in records)
    taken_s = time.process_time() - began
    together = sum(len(compressed(group)) for group in groups)
    kib = 2**10 * len(records)
    return {
        "a record: KiB": sum(map(len, records)) / kib,
        "a record: compressed alone, KiB": alone / kib,
        "a record: compressed alone, CPU ms": taken_s / len(records) * 1e3,
        f"a record: compressed with {TOGETHER}, KiB": together / kib,
    }


def _commands(checkout: Checkout, folder: Path) -> dict[str, float]:
    archive, restored = folder / "backup", folder / "restored"
    shutil.rmtree(restored, ignore_errors=True)
    archive.unlink(missing_ok=True)
    run = partial(_command, checkout)
    home = "--home", str(checkout.home)
    measured = run("verify-log", *home) | run("backup", "--out", str(archive), *home)
    measured["backup, MiB"] = archive.stat().st_size / 2**20
    measured |= run("restore", str(archive), "--home", str(restored))
    archive.unlink()
    shutil.rmtree(restored)
    return measured


def _command(checkout: Checkout, name: str, *arguments: str) -> dict[str, float]:
    """A command to its end, and what that took."""
    command = [sys.executable, "-P", *checkout.command, name, *arguments]
    began = time.perf_counter()
    quiet = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    environment = os.environ | checkout.environment
    pid = os.posix_spawn(command[0], command, environment, file_actions=[quiet])
    _, status, used = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"tidegate {name} failed")
    return {
        f"{name}, s": time.perf_counter() - began,
        f"{name}, CPU s": used.ru_utime + used.ru_stime,
    }


if __name__ == "__main__":
    main()
