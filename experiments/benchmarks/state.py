"""The online feature store: which store, and how dear the hottest key is.

`python -m experiments.benchmarks.state`. The same blobs lie in LMDB and in SQLite; each is asked
for the 24 keys of one subject at a time, and takes 24 in a commit that survives a power cut. Then
one key has 200,000 events of two years, and all windows of every reducer that is kept of history
are asked of it at once. Times are of the wall for stores, which wait for the disk, and of the
processor for the key.
"""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import numpy as np

from features.engine.columns import DAY_US
from features.engine.store.event_writer import insert_events
from features.engine.store.layout import layouts_of
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.query_plan import QueryPlan
from features.engine.store.raw_columns import RawColumns
from features.engine.windows import window_declaration as w
from features.engine.windows.window_declaration import Window

KEYINGS = 24
KEYS = 40_000  # of each keying: about as many as a million shipments have
ASKED = 2_000
EVENTS = 200_000
START = 1_700_000_000_000_000
DAYS = 730
SPANS = (7, 30, 90, 365, None)

Get = Callable[[list[bytes]], Any]
Put = Callable[[Iterable[tuple[bytes, bytes]]], None]


def main() -> None:
    """Print one JSON document."""
    scratch = Path(tempfile.mkdtemp())
    try:
        measured = {"stores": _stores(scratch), "hottest_key": _hottest_key(scratch / "hot")}
    finally:
        shutil.rmtree(scratch)
    print(json.dumps(measured, indent=1))


def _stores(scratch: Path) -> dict[str, Any]:
    lots = np.random.default_rng(1)
    sizes = np.minimum(16 * (1 + lots.pareto(1, KEYINGS * KEYS).astype(int)), 4_000)
    blobs = [(_key(n), bytes(size)) for n, size in enumerate(sizes.tolist())]
    subjects = [
        [_key(keying * KEYS + at) for keying, at in enumerate(lots.integers(KEYS, size=KEYINGS))]
        for _ in range(ASKED)
    ]
    few = subjects[: ASKED // 10]
    lmdb, sqlite = LmdbStore(scratch / "lmdb"), _sqlite(scratch / "state.db")
    told = {}
    for name, (get, put) in {"lmdb": _of(lmdb), "sqlite": _of_sqlite(sqlite)}.items():
        put(blobs)
        told[name] = {
            "read_us": _quantiles(get, subjects, perf_counter),
            "commit_us": _quantiles(partial(_put_again, put), few, perf_counter),
        }
    lmdb.close()
    sqlite.close()
    return told


def _put_again(put: Put, keys: list[bytes]) -> None:
    put((key, key) for key in keys)


def _key(number: int) -> bytes:
    return b"%02d-party-%06d" % divmod(number, KEYS)


def _of(store: LmdbStore) -> tuple[Get, Put]:
    def get(keys: list[bytes]) -> Any:
        with store.reading() as view:
            return b"".join(blob for blob in view.get(keys) if blob)

    def put(blobs: Iterable[tuple[bytes, bytes]]) -> None:
        with store.writing() as transaction:
            transaction.put(blobs)
        store.sync()

    return get, put


def _sqlite(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=FULL", "mmap_size=4294967296"):
        database.execute(f"PRAGMA {setting}")
    database.execute("CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
    return database


def _of_sqlite(database: sqlite3.Connection) -> tuple[Get, Put]:
    wanted = ", ".join("?" * KEYINGS)

    def get(keys: list[bytes]) -> Any:
        rows = database.execute(f"SELECT value FROM state WHERE key IN ({wanted})", keys)
        return b"".join(value for (value,) in rows)

    def put(blobs: Iterable[tuple[bytes, bytes]]) -> None:
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", blobs)
        database.execute("COMMIT")

    return get, put


def _hottest_key(folder: Path) -> dict[str, Any]:
    windows = [window for days in SPANS for window in _every_reducer(days)]
    layouts = layouts_of(windows)
    plan, store = QueryPlan.from_windows(windows, layouts), LmdbStore(folder, is_bulk=True)

    def add(events: RawColumns) -> None:
        with store.writing() as transaction:
            insert_events(transaction, layouts.values(), events)

    def ask(at: int) -> None:
        with store.reading() as view:
            plan.numbers(view, {"key": "hot"}, at)

    begin = thread_time()
    for part in np.array_split(np.arange(EVENTS), 50):
        add(_events(part))
    filled = thread_time() - begin
    end = START + DAYS * DAY_US
    told = {
        "events": EVENTS,
        "windows": len(windows),
        "filled_cpu_s": round(filled, 2),
        "now_us": _quantiles(ask, range(end, end + ASKED), thread_time),
        "a_year_ago_us": _quantiles(
            ask, range(end - 365 * DAY_US, end - 365 * DAY_US + 200), thread_time
        ),
        "one_more_us": _quantiles(
            add, [_events(np.array([EVENTS + n])) for n in range(500)], thread_time
        ),
    }
    store.close()
    return told


def _every_reducer(days: int | None) -> list[Window]:
    of = {"by": "key", "days": days}
    valued = (w.total, w.mean)
    return [
        w.count("events", **of),
        *(make("events", "value", **of) for make in valued),
        w.distinct("events", "label", **of),
        w.hours_since_latest("events", **of),
        w.days_since_first("events", **of),
    ]


def _events(numbers: np.ndarray[Any, Any]) -> RawColumns:
    """Events by their number, evenly over the days, of which few labels have most."""
    return {
        "key": ["hot"] * len(numbers),
        "known_at": START + numbers * (DAYS * DAY_US // EVENTS),
        "value": (numbers * 7919 % 100_003).astype(np.float64),
        "label": [f"party-{5_000 * 7919 // (1 + n * 104_729 % 5_000)}" for n in numbers.tolist()],
        "record_id": [f"{n:012}" for n in numbers.tolist()],
    }


def _quantiles(
    ask: Callable[[Any], Any], about: Iterable[Any], clock: Callable[[], float]
) -> dict[str, float]:
    times = []
    for each in about:
        begin = clock()
        ask(each)
        times.append(clock() - begin)
    p50, p99 = np.quantile(times[len(times) // 10 :], [0.5, 0.99]) * 1e6
    return {"p50": round(p50, 1), "p99": round(p99, 1)}


if __name__ == "__main__":
    main()
