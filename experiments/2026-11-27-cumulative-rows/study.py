"""Cumulative rows beside paged logs: run this file with a number of journeys.

The online feature store keeps the events of an entity key in pages with running sums. Simpler is
one row per event and key that holds the running counts and sums themselves, so that a window is the
difference of two ordered seeks. Both are made of the same invented world and asked the windows of
the same subjects. Cumulative rows are made as cheaply as they can be: sorted in memory and
appended, which no event that arrives late could be. `notes.md` says what was found.
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import lmdb
import numpy as np
import pyarrow.parquet as pq

from experiments.benchmarks.online import OWN
from experiments.benchmarks.online import _submissions as submissions_of_some
from features.engine.batch.record_blocks import RecordFolder
from features.engine.columns import DAY_US
from features.engine.store import event_writer
from features.engine.store.key_builder import KeyedLog
from features.engine.store.layout import Layout
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.query_plan import QueryPlan, WindowQuery
from features.engine.windows.reducers import MISSING, Reducer
from features.engine.windows.window import Window
from features.history.online_store import OnlineStore
from features.history.rebuild import read_into, rebuild
from features.records import SubjectKind
from features.vector import feature_vector
from synthetic.scenario import Scenario
from synthetic.world import invent

SUBJECTS = 500
DAYS = 365
HOUR_US = 3_600_000_000


class CumulativeRows:
    """Rows of running counts and sums in LMDB, ordered by entity key and instant.

    A value is the count up to its event, then for each value the sum and how many are present, then
    the labels of the event.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._database = lmdb.open(str(folder), map_size=1 << 36, sync=False)
        self._keys: dict[Layout, list[bytes]] = {}
        self._words: dict[Layout, list[Any]] = {}

    def gather(self, store: Any, layouts: Iterable[Layout], events: Any) -> None:
        """Take events, to be sorted and written by `write`."""
        into = [*layouts]
        words = event_writer._words(store, into, events)
        begin = 0
        for layout, keys in zip(into, event_writer._keys(into, events), strict=True):
            own = words[:, begin : begin + layout.width]
            begin += layout.width
            has_key = [at for at, key in enumerate(keys) if key is not None]
            self._keys.setdefault(layout, []).extend(keys[at] for at in has_key)  # type: ignore[misc]  # None is left out above
            self._words.setdefault(layout, []).append(own[has_key])

    def write(self) -> int:
        """Sort, accumulate and append all rows; how many those are."""
        rows: list[tuple[bytes, bytes]] = []
        for layout in [*self._keys]:
            rows += self._rows(
                layout, self._keys.pop(layout), np.concatenate(self._words.pop(layout))
            )
        rows.sort()
        with self._database.begin(write=True) as transaction:
            transaction.cursor().putmulti(rows, append=True)
        return len(rows)

    def _rows(self, layout: Layout, keys: list[bytes], words: Any) -> Iterable[tuple[bytes, bytes]]:
        distinct, number = np.unique(np.array(keys, dtype=object), return_inverse=True)
        order = np.lexsort((words[:, 0], number))
        number, words = number[order], words[order]
        starts = np.flatnonzero(np.r_[True, number[1:] != number[:-1]])
        sizes = np.diff(np.r_[starts, len(number)])
        count = np.arange(len(number)) - np.repeat(starts, sizes) + 1
        columns = [count]
        for at in range(1, layout.label_at):
            is_present = words[:, at] != MISSING
            for added in (np.where(is_present, words[:, at], 0), is_present.astype(np.int64)):
                total = np.cumsum(added)
                columns.append(total - np.repeat(total[starts] - added[starts], sizes))
        columns += [words[:, at] for at in range(layout.label_at, layout.width, 2)]
        values = np.ascontiguousarray(np.column_stack(columns), np.int64)
        instants = words[:, 0].astype(">i8").tobytes()
        places = np.arange(len(number)).astype(">i4").tobytes()
        for row, key in enumerate(number.tolist()):
            yield (
                distinct[key] + instants[8 * row : 8 * row + 8] + places[4 * row : 4 * row + 4],
                values[row].tobytes(),
            )

    @property
    def bytes(self) -> int:
        """The size of the file."""
        return (self._folder / "data.mdb").stat().st_blocks * 512

    def numbers(
        self, plan: QueryPlan, windows: Sequence[tuple[Any, ...]], keys: Any, at: int
    ) -> list[float]:
        """The number of each window, of the keys of the slots, at an instant."""
        with self._database.begin() as transaction:
            cursor = transaction.cursor()
            seen: dict[tuple[int, int | None], Any] = {}
            return [self._number(cursor, seen, keys, at, *window) for window in windows]

    def _number(  # noqa: PLR0911 - one return for each reducer
        self, cursor: Any, seen: Any, keys: Any, at: int, slot: int, layout: Layout, window: Window
    ) -> float:
        key = keys[slot]
        if key is None:
            return np.nan
        last = self._before(cursor, seen, key, at)
        since = None if window.days is None else at - window.days * DAY_US
        first = None if since is None else self._before(cursor, seen, key, since)
        empty = (None, np.zeros(1 + 2 * len(layout.values) + len(layout.labels), np.int64))
        (latest, upto), (_, before) = last or empty, first or empty
        count = upto[0] - before[0]
        if window.reducer is Reducer.COUNT:
            return float(count)
        if window.reducer is Reducer.DISTINCT:
            place = 1 + 2 * len(layout.values) + layout.labels.index(str(window.value))
            return float(len(self._labels(cursor, key, since, at, place)))
        if not count:
            return np.nan if window.reducer is not Reducer.TOTAL else 0.0
        if window.reducer is Reducer.HOURS_SINCE_LATEST:
            return (at - latest) / HOUR_US
        if window.reducer is Reducer.DAYS_SINCE_FIRST:
            return (at - self._after(cursor, key, since)) / DAY_US
        place = 1 + 2 * layout.values.index(str(window.value))
        total, present = upto[place : place + 2] - before[place : place + 2]
        if window.reducer is Reducer.TOTAL:
            return float(total)
        return total / present if present else np.nan

    def _before(self, cursor: Any, seen: Any, key: bytes, at: int) -> Any:
        if (key, at) not in seen:
            asked = key + at.to_bytes(8, "big", signed=True)
            found = cursor.set_range(asked)
            found = cursor.prev() if found else cursor.last()
            name = cursor.key() if found else b""
            is_own = name.startswith(key) and len(name) == len(key) + 12
            seen[key, at] = (
                (int.from_bytes(name[-12:-4], "big"), np.frombuffer(cursor.value(), np.int64))
                if is_own
                else None
            )
        return seen[key, at]

    def _after(self, cursor: Any, key: bytes, since: int | None) -> int:
        cursor.set_range(key + max(since or 0, 0).to_bytes(8, "big"))
        return int.from_bytes(cursor.key()[-12:-4], "big")

    def _labels(self, cursor: Any, key: bytes, since: int | None, at: int, place: int) -> set[int]:
        labels = set()
        found = cursor.set_range(key + max(since or 0, 0).to_bytes(8, "big"))
        end = key + at.to_bytes(8, "big")
        while found and cursor.key() < end:
            labels.add(
                int.from_bytes(cursor.value()[8 * place : 8 * place + 8], "little", signed=True)
            )
            found = cursor.next()
        return labels - {MISSING}


def main() -> None:
    """Print one JSON document."""
    journeys = int(sys.argv[1]) if sys.argv[1:] else 20_000
    with tempfile.TemporaryDirectory() as scratch:
        records = Path(scratch) / "records"
        invent(records, scenario=Scenario(), journeys=journeys, days=DAYS, seed=7)
        few = Path(scratch) / "few"
        invent(few, scenario=Scenario(), journeys=200, days=DAYS, seed=7)
        rebuild(few, Path(scratch) / "compiled")  # so that no function is compiled below
        begin = process_time()
        rebuild(records, Path(scratch) / "paged")
        paged_s = process_time() - begin
        paged = OnlineStore(LmdbStore(Path(scratch) / "paged"))

        rows = CumulativeRows(Path(scratch) / "rows")
        other = OnlineStore(LmdbStore(Path(scratch) / "other", is_bulk=True))
        other._ingest = replace(other._ingest, insert=rows.gather)
        begin = process_time()
        read_into(other, RecordFolder(records), lambda done, total: None)
        gathered_s = process_time() - begin
        many = rows.write()
        rows_s = process_time() - begin
        found: dict[str, Any] = {
            "journeys": journeys,
            "rows": many,
            "rebuild_cpu_s": {
                "paged": round(paged_s, 1),
                "cumulative": round(rows_s, 1),
                "of which reading and keys": round(gathered_s, 1),
            },
            "mib": {
                "paged": round((Path(scratch) / "paged" / "data.mdb").stat().st_blocks / 2048),
                "cumulative": round(rows.bytes / 2**20),
            },
        }
        for kind in ("route", "shipment"):
            found[kind] = _asked(kind, paged, rows, records)
    print(json.dumps(found, indent=1))


class Asked:
    """The online store, which notes what it is asked."""

    def __init__(self, state: OnlineStore) -> None:
        self._state = state
        self.plan: QueryPlan | None = None
        self.questions: list[WindowQuery] = []

    def window_numbers(self, plan: QueryPlan, questions: Sequence[WindowQuery]) -> Any:
        """As the store; plan and questions are kept."""
        self.plan = plan
        self.questions += questions
        return self._state.window_numbers(plan, questions)


def _asked(
    kind: SubjectKind, paged: OnlineStore, rows: CumulativeRows, records: Path
) -> dict[str, Any]:
    """Milliseconds of the processor for all windows of a subject, in both stores."""
    name, identity = OWN[kind][:2]
    subjects = pq.read_table(records / f"{name}.parquet", columns=[identity, "declared_at"])
    latest = subjects.sort_by("declared_at")[-SUBJECTS:]
    asked = Asked(paged)
    for submission in submissions_of_some(kind, records, latest[identity]):
        feature_vector(submission, asked)
    plan = asked.plan
    assert plan is not None
    windows = [
        (plan.logs.index(KeyedLog(layout, window.by)), layout, window)
        for window in plan.windows
        for layout in [next(one for one in plan.layouts if one.keying == window.keying)]
    ]
    times: dict[str, list[float]] = {"paged": [], "cumulative": []}
    differing = 0
    for question in [*asked.questions[:50], *asked.questions]:
        begin = process_time()
        (wanted,) = paged.window_numbers(plan, [question])
        between = process_time()
        keys = plan.keys(plan.parts(question.values))
        found = rows.numbers(plan, windows, keys, question.at)
        times["paged"].append(between - begin)
        times["cumulative"].append(process_time() - between)
        differing += int((~((wanted == found) | (np.isnan(wanted) & np.isnan(found)))).sum())
    return {
        "windows": len(windows),
        "ledgers": len(plan.logs),
        "differing numbers": differing,
        **{
            f"{store}_cpu_ms": dict(
                zip(
                    ("p50", "p99"),
                    np.percentile(1000 * np.array(each[50:]), (50, 99)).round(3),
                    strict=True,
                )
            )
            for store, each in times.items()
        },
    }


if __name__ == "__main__":
    main()
