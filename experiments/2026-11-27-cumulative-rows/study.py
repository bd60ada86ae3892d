"""Ordered rows and blocks beside the online store's paged logs, in stages over one folder.

    python experiments/2026-11-27-cumulative-rows/study.py FOLDER STAGE [JOURNEYS or STORES]

Stages in order: `invent`, `make` of `paged` and `ordered`, `late`, `ask`, `distinct`, `ingest`.
Each prints JSON; all times are CPU seconds or milliseconds of this process. The last stage
changes the stores. `notes.md` says what was found.
"""

import json
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cumulative_stores import (
    CumulativeBlocks,
    CumulativeRows,
    OrderedStore,
    into,
    scanned,
)
from late_events import late_events

from experiments.benchmarks.online import OWN, as_new, submissions_of_some
from features.catalogue import windows as all_windows
from features.engine.batch.record_blocks import RecordFolder
from features.engine.columns import DAY_US
from features.engine.store.event_writer import insert_events
from features.engine.store.layout import Layout
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.query_plan import WindowQuery
from features.engine.windows.reducers import Reducer
from features.history.online_store import OnlineStore
from features.history.rebuild import read_into, rebuild
from features.records import SubjectKind
from features.submission import Submission, history_records
from features.vector import feature_vector
from synthetic.scenario import Scenario
from synthetic.world import invent

SUBJECTS, OF_HOTTEST, ROUNDS = 250, 50, 3
DAYS = 365
STORES: dict[str, type[OrderedStore]] = {"rows": CumulativeRows, "blocks": CumulativeBlocks}


def main() -> None:
    """Run one stage and print what it measured."""
    folder, stage = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(exist_ok=True)
    stages: dict[str, Callable[[Path], Any]] = {
        "invent": _invent,
        "make": _make,
        "late": lambda folder: late_events(folder / "records"),
        "ask": _ask,
        "distinct": _distinct,
        "ingest": _ingest,
    }
    print(json.dumps(stages[stage](folder), indent=1, default=float), flush=True)


def _invent(folder: Path) -> dict[str, Any]:
    begin = process_time()
    journeys = int(sys.argv[3])
    invent(folder / "records", scenario=Scenario(), journeys=journeys, days=DAYS, seed=7)
    return {"journeys": journeys, "cpu_s": _since(begin)}


def _make(folder: Path) -> dict[str, Any]:
    """The stores of the files: `paged`, or `ordered`, the two others."""
    with tempfile.TemporaryDirectory() as scratch:
        few = Path(scratch) / "few"
        invent(few, scenario=Scenario(), journeys=200, days=DAYS, seed=7)
        rebuild(few, Path(scratch) / "compiled")  # so that no function is compiled below
    if sys.argv[3] == "paged":
        begin = process_time()
        rebuild(folder / "records", folder / "paged")
        made = {"paged": {"cpu_s": _since(begin), "mib": _mib(folder / "paged")}}
    else:
        made = _made(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**made, "peak_gib": round(peak / 2**20, 1)}


def _made(folder: Path) -> dict[str, Any]:
    """As `rebuild`: what is no event in one store, copied in order, and events in another.

    Both stores are written of the same spilled events; the seconds of each are those it would take
    by itself.
    """
    begin = process_time()
    building = LmdbStore(folder / "building", is_bulk=True)
    known = OnlineStore(building)
    stores = {name: store(folder / name, known) for name, store in STORES.items()}
    into(known, stores["rows"].gather)
    read_into(known, RecordFolder(folder / "records"), lambda done, total: None)
    stores["blocks"].take_spills(stores["rows"])
    gathered = _since(begin)
    begin = process_time()
    building.copy_in_order(folder / "known")
    building.close()
    shutil.rmtree(folder / "building")
    copied, made = _since(begin), {}
    for name, store in stores.items():
        begin = process_time()
        rows = store.write()
        written = _since(begin)
        made[name] = {
            "cpu_s": gathered + copied + written,
            "of which reading, keys and what is no event": gathered + copied,
            "of which sorting and appending": written,
            "rows": rows,
            "mib": store.mib + _mib(folder / "known"),
            "of which mib of events": store.mib,
        }
        print(json.dumps(made, indent=1), flush=True)
    return made


def _opened(folder: Path) -> dict[str, Any]:
    """Every store, by name."""
    paged = OnlineStore(LmdbStore(folder / "paged", is_bulk=True))
    ordered = {
        name: store(folder / name, OnlineStore(LmdbStore(_own_copy(folder, name), is_bulk=True)))
        for name, store in STORES.items()
    }
    return {"paged": paged, **ordered}


def _own_copy(folder: Path, name: str) -> Path:
    """What is no event, for one of the ordered stores: each takes new records of its own."""
    own = folder / f"{name}-known"
    if not own.exists():
        shutil.copytree(folder / "known", own)
    return own


def _ask(folder: Path) -> list[dict[str, Any]]:
    """All features of one subject at a time."""
    stores, measured = _opened(folder), []
    for kind in OWN:
        for which, ids in _subjects(folder / "records", kind):
            known = submissions_of_some(kind, folder / "records", ids)
            for brings, asked in (("nothing new", known), ("all new", [*map(as_new, known)])):
                about = {"kind": kind, "which": which, "subjects": len(asked), "brings": brings}
                measured.append({**about, **_asked(asked, stores)})
    return measured


def _subjects(records: Path, kind: SubjectKind) -> Iterator[tuple[str, pa.ChunkedArray]]:
    name, identity, party = OWN[kind]
    subjects = pq.read_table(records / f"{name}.parquet", columns=[identity, party, "declared_at"])
    subjects = subjects.sort_by("declared_at")
    parties = subjects[party].value_counts()
    hottest = parties[int(np.argmax(parties.field("counts")))]["values"]
    of_hottest = subjects.filter(pc.equal(subjects[party], hottest))
    yield "latest", subjects[-SUBJECTS:][identity]
    yield f"latest of the hottest {party}", of_hottest[-OF_HOTTEST:][identity]


def _asked(submissions: list[Submission], stores: dict[str, Any]) -> dict[str, Any]:
    times: dict[str, list[float]] = {name: [] for name in stores}
    differing = dict.fromkeys(stores, 0)
    for number in range(ROUNDS + 1):
        for submission in submissions:
            overlay = history_records([submission])
            found = {}
            for name, store in stores.items():
                begin = process_time()
                found[name] = feature_vector(submission, store, overlay)
                if number:
                    times[name].append(1000 * (process_time() - begin))
            for name, vector in found.items():
                differing[name] += repr(vector) != repr(found["paged"])
    return {
        name: {
            **_quantiles(times[name]),
            "vectors that differ": differing[name],
        }
        for name in stores
    }


def _distinct(folder: Path) -> list[dict[str, Any]]:
    """How many different labels the busiest keys have in a window, now and half a year ago."""
    stores = _opened(folder)
    paged = stores["paged"]
    windows = {window for window in all_windows() if window.reducer is Reducer.DISTINCT}
    busiest = {
        "journeys": ("journeys", ("origin", "destination", "mode")),
        "payments": ("transactions", ("payee_id",)),
    }
    measured = []
    for window in sorted(windows, key=str):
        file, columns = busiest.get(window.source, (None, ()))
        if file is None or window.matching != columns:
            continue
        table = pq.read_table(folder / f"records/{file}.parquet", columns=[*columns])
        counts = table.group_by([*columns]).aggregate([([], "count_all")])
        hottest = counts.sort_by([("count_all", "descending")])[:20].to_pylist()
        plan = paged.plan([window])
        (log,) = plan.logs
        for when, at in (("now", _end(folder)), ("half a year ago", _end(folder) - 182 * DAY_US)):
            times: dict[str, list[float]] = {}
            differing = 0
            for key in hottest:
                subject = dict(zip(window.by, (key[name] for name in columns), strict=True))
                (found,) = plan.keys(plan.parts([subject[name] for name in plan.columns]))
                asked: dict[str, Callable[[], float]] = {
                    name: _asking(store, plan, subject, at) for name, store in stores.items()
                }
                asked["rows without an index"] = _scanning(
                    stores["rows"], log.layout, found, at - window.days * DAY_US, at
                )
                for number in range(ROUNDS + 1):
                    numbers = set()
                    for name, ask in asked.items():
                        begin = process_time()
                        numbers.add(float(ask()))
                        if number:
                            times.setdefault(name, []).append(1000 * (process_time() - begin))
                    differing += len(numbers) - 1
            measured.append(
                {
                    "window": str(window),
                    "events of the 20 busiest keys, at most": hottest[0]["count_all"],
                    "when": when,
                    "differing": differing,
                    **{name: _quantiles(taken) for name, taken in times.items()},
                }
            )
    return measured


def _asking(store: Any, plan: Any, subject: Any, at: int) -> Callable[[], float]:
    if isinstance(store, OnlineStore):
        return lambda: store.numbers(plan, subject, at)[0]
    values = [subject[name] for name in plan.columns]
    query = WindowQuery(values, at)
    return lambda: store.window_numbers(plan, [query])[0][0]


def _scanning(store: Any, layout: Layout, key: bytes, begin: int, at: int) -> Callable[[], float]:
    return lambda: scanned(store, layout, key, begin, at)


def _ingest(folder: Path) -> dict[str, Any]:
    """Subjects as live traffic brings them, each in a commit of its own; and one late event."""
    stores = _opened(folder)
    for name in STORES:
        into(stores[name].known, stores[name].insert)
    arriving = _arriving(folder)
    times: dict[str, list[float]] = {name: [] for name in stores}
    rewritten: dict[str, list[int]] = {name: [] for name in STORES}
    for submission in arriving:
        records = history_records([submission])
        for name, store in stores.items():
            begin = process_time()
            if name == "paged":
                store.ingest(records)
            else:
                store.rewritten = 0
                with store.writing():
                    store.known.ingest(records)
                rewritten[name].append(store.rewritten)
            times[name].append(1000 * (process_time() - begin))
    last = {kind: [new for new in arriving if new.subject_kind == kind][-50:] for kind in OWN}
    return {
        "subjects": len(arriving),
        "payments of each": np.mean([len(new.transactions) for new in arriving]),
        "ms": {name: _quantiles(taken) for name, taken in times.items()},
        "blobs written": {name: _quantiles(counts) for name, counts in rewritten.items()},
        "asked afterwards": {kind: _asked(some, stores) for kind, some in last.items()},
        "one late event": _one_late(folder, stores),
    }


def _arriving(folder: Path) -> list[Submission]:
    """The latest subjects of both kinds under new ids, moved behind all that is known."""
    submissions = []
    for kind in OWN:
        _, ids = next(_subjects(folder / "records", kind))
        submissions += submissions_of_some(kind, folder / "records", ids)
    end, moved = _end(folder), []
    for at, submission in enumerate(sorted(submissions, key=_declared_us)):
        by = timedelta(microseconds=end + 60_000_000 * (at + 1) - _declared_us(submission))
        new = as_new(submission)
        kind = "journey" if new.subject_kind == "route" else "shipment"
        subject = getattr(new, kind)
        payments = tuple(
            payment.model_copy(update={"known_at": payment.known_at + by})
            for payment in new.transactions
        )
        update = {"declared_at": subject.declared_at + by}
        moved.append(
            new.model_copy(
                update={kind: subject.model_copy(update=update), "transactions": payments}
            )
        )
    return moved


def _declared_us(submission: Submission) -> int:
    subject = submission.journey if submission.subject_kind == "route" else submission.shipment
    return round(subject.declared_at.timestamp() * 1_000_000)


def _end(folder: Path) -> int:
    declared = [
        pq.read_table(folder / f"records/{name}.parquet", columns=["declared_at"])["declared_at"]
        for name in ("journeys", "shipments")
    ]
    return max(pc.max(column).cast(pa.int64()).as_py() for column in declared)


def _one_late(folder: Path, stores: dict[str, Any]) -> list[dict[str, Any]]:
    """One event of a key that comes so many days late."""
    records, end = folder / "records", _end(folder)
    layouts = {layout.keying: layout for layout in stores["paged"]._layouts.values()}
    measured = []
    for name, keying, size, columns in _keys_to_be_late(records, layouts):
        layout = layouts[keying]
        for days in (1, 30, 180):
            at = end - days * DAY_US
            by_store = {store: _late_ms(store, stores, layout, columns, at) for store in stores}
            measured.append({"key": name, "events": size, "days late": days, **by_store})
    return measured


def _late_ms(
    name: str, stores: dict[str, Any], layout: Layout, columns: Any, at: int
) -> dict[str, float]:
    """The best of three events that come late, each in a commit of its own."""
    taken, store, known = [], stores[name], stores["paged"].store
    for number in range(3):
        events = _event(layout, columns, at + number, number)
        begin = process_time()
        if name == "paged":
            with known.writing() as transaction:
                insert_events(transaction, [layout], events)
        else:
            store.rewritten = 0
            with known.writing() as view, store.writing():
                store.insert(view, [layout], events)
        taken.append(1000 * (process_time() - begin))
    found = {"ms": round(min(taken), 2)}
    return found if name == "paged" else {**found, "blobs written": store.rewritten}


def _keys_to_be_late(records: Path, layouts: Any) -> Iterator[tuple[str, Any, int, Any]]:
    outcomes = pq.read_table(records / "outcomes.parquet", columns=["subject_kind", "result"])
    of = pc.and_(
        pc.equal(outcomes["subject_kind"], "shipment"),
        pc.not_equal(outcomes["result"], "inconclusive"),
    )
    yield "everybody", ("shipment_outcomes", (), None), pc.sum(of).as_py(), {}
    for file, source, column, rank in (
        ("shipments", "shipments", "consignee_id", 0.5),
        ("shipments", "shipments", "consignee_id", 0.0),
        ("shipments", "shipments", "hs_code", 0.0),
        ("transactions", "payments", "payee_id", 0.5),
        ("transactions", "payments", "payee_id", 0.0),
        ("journeys", "journeys", "conveyance_kind", 0.0),
    ):
        counts = pq.read_table(records / f"{file}.parquet", columns=[column])[column].value_counts()
        order = np.argsort(-counts.field("counts").to_numpy())
        running = np.cumsum(counts.field("counts").to_numpy()[order])
        place = order[np.searchsorted(running, rank * running[-1])]  # by events, not by keys
        key, size = counts[int(place)]["values"].as_py(), counts[int(place)]["counts"].as_py()
        name = f"{column} of {source}, " + ("as of the median event" if rank else "hottest")
        yield name, (source, (column,), None), size, {column: [key]}


def _event(layout: Layout, columns: Any, at: int, number: int) -> Any:
    labels = {name: [f"label-{number}"] for name in layout.labels}
    values = {name: np.array([1.0]) for name in layout.values}
    ids = {"record_id": [f"late-{at}-{number}"]}
    return {**columns, **labels, **values, **ids, "known_at": np.array([at], np.int64)}


def _quantiles(values: Any) -> dict[str, float]:
    asked = {"p50": 50, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(values, at)), 3) for name, at in asked.items()}


def _since(begin: float) -> float:
    return round(process_time() - begin, 1)


def _mib(folder: Path) -> int:
    return round((folder / "data.mdb").stat().st_blocks / 2048)


if __name__ == "__main__":
    main()
