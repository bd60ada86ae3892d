"""What single steps of a decision take, for the simulation, and what one late event costs.

    python -m experiments.2026-11-28-a-nation.service_times STATE HOME

STATE is a world of `experiments.benchmarks.growth`, HOME one with decisions. Times are of the
processor. Decisions of HOME are appended once more to an empty log, and their subjects
become known to an empty store, in SQLite's file and in a PostgreSQL of its own. What the server of
that takes is counted too, and how much it writes.
"""

import json
import os
import socket
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time, thread_time
from typing import Any

import numpy as np
import psycopg
import pyarrow.parquet as pq
from sqlalchemy import Engine

from experiments.benchmarks.growth import KIND, exponent
from experiments.benchmarks.online import OWN, as_new, submissions_of_some
from experiments.benchmarks.running import cpu_s
from features.engine.columns import DAY_US
from features.engine.store.blob_store import BlobOverlay
from features.engine.store.event_writer import insert_events
from features.engine.store.layout import layouts_of
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.raw_columns import RawColumns
from features.engine.windows import window as w
from features.history.online_store import OnlineStore
from features.submission import history_records
from features.vector import feature_vectors
from serving.audit.decision import Decision
from serving.db.engine import open_database
from serving.db.postgres_state import PostgresStateStore
from serving.db.repositories.decision_repository import DecisionRepository
from serving.scoring.idempotency import stored_answer
from tests.serving.postgres import postgresql

GROUPS = (1, 16, 64)
DECISIONS = 512
BEHIND = (1_000, 10_000, 100_000, 1_000_000)
ANSWER_BYTES = 1_000  # a machine's
COMPRESSED_BYTES = 5_700


def main() -> None:
    """Print one JSON document."""
    state, home = Path(sys.argv[1]), Path(sys.argv[2])
    decisions = _decisions(home)
    with postgresql() as server:
        told = {
            "windows": _windows(state),
            "late event": _late_events(),
            "message": _message(),
            "flush": _flushes(home),
            "log in SQLite": _log_in_sqlite(decisions),
            "log and store in PostgreSQL": _in_postgresql(server, decisions),
        }
    print(json.dumps(told, indent=1))


def _windows(state: Path) -> dict[str, float]:
    """Of the vectors of 64 subjects together, what reading and reducing windows takes of each."""
    store = OnlineStore(LmdbStore(state / "state"))
    latest = _latest(state / "records")
    taken_s = [0.0]
    whole = store.window_numbers

    def timed(*arguments: Any) -> Any:
        began = thread_time()
        numbers = whole(*arguments)
        taken_s[0] += thread_time() - began
        return numbers

    store.window_numbers = timed  # type: ignore[method-assign]
    own = [history_records([one]) for one in latest]
    best = []
    for _ in range(9):
        taken_s[0], began = 0.0, thread_time()
        for at in range(0, len(latest), 64):
            feature_vectors(latest[at : at + 64], store, own[at : at + 64])
        best.append((taken_s[0], thread_time() - began))
    windows_s, vectors_s = min(best)
    return {"windows, ms": windows_s / len(latest) * 1e3, "all, ms": vectors_s / len(latest) * 1e3}


def _latest(records: Path) -> list[Any]:
    _, identity, _ = OWN[KIND]
    table = pq.read_table(records / "shipments.parquet", columns=[identity, "declared_at"])
    ids = table.sort_by("declared_at")[-DECISIONS:][identity]
    return [*map(as_new, submissions_of_some(KIND, records, ids))]


def _late_events() -> dict[str, Any]:
    """One event of a key with so many events behind it: it opens every page from its place on."""
    layouts = [*layouts_of([w.count("events", by="key", days=30)]).values()]
    taken_ms = []
    for behind in BEHIND:
        with tempfile.TemporaryDirectory() as folder:
            store = LmdbStore(Path(folder) / "late", is_bulk=True)
            for part in np.array_split(np.arange(behind), max(1, behind // 20_000)):
                with store.writing() as transaction:
                    insert_events(transaction, layouts, _events(part + 1_000))
            with store.reading() as view:
                tries = []
                for _ in range(3):
                    began = thread_time()
                    insert_events(BlobOverlay(view), layouts, _events(np.array([5])))
                    tries.append((thread_time() - began) * 1e3)
            taken_ms.append(min(tries))
            store.close()
    figures = {f"{n:,} events behind, ms": ms for n, ms in zip(BEHIND, taken_ms, strict=True)}
    return figures | {"exponent from 10,000 on": exponent(BEHIND[1:], taken_ms[1:])}


def _events(numbers: np.ndarray[Any, Any]) -> RawColumns:
    return {"key": ["hot"] * len(numbers), "known_at": numbers * (DAY_US // 10)}


def _message() -> dict[str, float]:
    """What one end of a question to a partition and its answer takes: 400 keys, 400 rows of 5."""
    here, there = socket.socketpair()
    question, answer, times = bytes(400 * 40), np.zeros((400, 5)), 2_000

    def answering() -> None:
        with there.makefile("rb") as asked:
            for _ in range(times):
                asked.read(len(question))
                there.sendall(answer.tobytes())

    other = threading.Thread(target=answering)
    other.start()
    began = process_time()
    with here.makefile("rb") as told:
        for _ in range(times):
            here.sendall(question)
            np.frombuffer(told.read(answer.nbytes))
    other.join()
    return {"one end, ms": (process_time() - began) / times / 2 * 1e3}


def _flushes(folder: Path) -> dict[str, float]:
    """How long the disk takes for 64 decisions at once, by the clock."""
    taken_ms = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(200):
            file.write(bytes(1 << 21))
            began = perf_counter()
            file.flush()
            os.fdatasync(file.fileno())
            taken_ms.append((perf_counter() - began) * 1e3)
    least, p50, p99 = np.percentile(taken_ms, (1, 50, 99))
    return {"p1, ms": least, "p50, ms": p50, "mean, ms": float(np.mean(taken_ms)), "p99, ms": p99}


def _decisions(home: Path) -> list[Decision]:
    engine = open_database(home / "tidegate.db", is_service=False)
    log = DecisionRepository(engine)
    records = [record for record in log.records(log.size() - DECISIONS) if record]
    engine.dispose()
    return [*map(Decision.model_validate_json, records)]


def _entries(
    decisions: Sequence[Decision], size: int, most_bytes: int | None
) -> Iterator[list[Any]]:
    """Groups of the decisions under new ids, and their answers, without end."""
    while True:
        for at in range(0, len(decisions) - size + 1, size):
            named = [
                one.model_copy(update={"decision_id": str(uuid.uuid4())})
                for one in decisions[at : at + size]
            ]
            logged = [one.logged(None) for one in named]
            yield [
                (
                    replace(row, record=row.record[:most_bytes]),
                    stored_answer(one, ("c", one.decision_id), bytes(ANSWER_BYTES)),
                )
                for row, one in zip(logged, named, strict=True)
            ]


def _log_in_sqlite(decisions: Sequence[Decision]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder) / "home" / "tidegate.db", is_service=True)
        told = {f"groups of {size}": _appended(engine, decisions, size) for size in GROUPS}
        engine.dispose()
    return told


def _appended(
    engine: Engine,
    decisions: Sequence[Decision],
    size: int,
    server: int | None = None,
    most_bytes: int | None = None,
) -> dict[str, float]:
    log, times = DecisionRepository(engine), max(12, 512 // size)
    groups = [*islice(_entries(decisions, size, most_bytes), times + 2)]
    for entries in groups[:2]:
        log.append(entries)
    server_s, own, clock = cpu_s(server) if server else 0.0, thread_time(), perf_counter()
    for entries in groups[2:]:
        log.append(entries)
    taken = {
        "a group, CPU ms": (thread_time() - own) / times * 1e3,
        "a group, ms": (perf_counter() - clock) / times * 1e3,
    }
    if server:
        taken["a group, CPU ms of the server"] = (cpu_s(server) - server_s) / times * 1e3
    return taken


def _in_postgresql(server: Any, decisions: Sequence[Decision]) -> dict[str, Any]:
    url = server.new_database()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(url, is_service=True, keys=Path(folder) / "keys")
        pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
        store = OnlineStore(PostgresStateStore(engine))
        told: dict[str, Any] = {}
        for size in GROUPS:
            told[f"log, groups of {size}"] = _appended(engine, decisions, size, pid)
            told[f"log, of records as if compressed, groups of {size}"] = _appended(
                engine, decisions, size, pid, COMPRESSED_BYTES
            )
        with psycopg.connect(url, autocommit=True) as connection:
            for size in GROUPS:
                taken = _ingested(store, decisions, size, pid, connection)
                told[f"store, groups of {size}"] = taken
        engine.dispose()
    return told


def _ingested(
    store: OnlineStore, decisions: Sequence[Decision], size: int, pid: int, connection: Any
) -> dict[str, float]:
    """Subjects become known, under the lock that all workers wait for: by the clock, and CPU."""
    new = [as_new(one.submission) for one in decisions]
    for _ in range(GROUPS.index(size)):
        new = [*map(as_new, new)]
    groups = [new[at : at + size] for at in range(0, min(len(new), 16 * size), size)]
    store.ingest(history_records([*map(as_new, groups[0])]))
    before, server_s, began = _written(connection), cpu_s(pid), perf_counter()
    own = thread_time()
    for group in groups:
        store.ingest(history_records(group))
    each, own_s, clock_s = sum(map(len, groups)), thread_time() - own, perf_counter() - began
    return {
        "each, ms": clock_s / each * 1e3,
        "each, own CPU ms": own_s / each * 1e3,
        "each, CPU ms of the server": (cpu_s(pid) - server_s) / each * 1e3,
        "each, KiB of its log": (_written(connection) - before) / each / 1024,
    }


def _written(connection: Any) -> int:
    row = connection.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')").fetchone()
    return int(row[0])


if __name__ == "__main__":
    main()
