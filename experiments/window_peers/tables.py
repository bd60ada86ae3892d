"""What the peers start from: subjects with keys, and events by keying, as Parquet."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.window_peers.tasks import Task
from features.catalogue import windows_of
from features.derived.outcome import outcome_events
from features.derived.subject import derive_subjects
from features.engine.columns import DAY_US, Columns, Records, columns_of_table, is_text, length
from features.engine.string_table import STRING_TABLE
from features.engine.windows.event_order import sorted_by_known_at
from features.engine.windows.window_declaration import Window
from features.event_sources import payments
from features.ingest.record_files import read_records
from features.linked_records import latest_by_subject, linked_events
from features.records import RECORD_FILES, SubjectKind
from features.subject_types import SUBJECT_TYPES


def write_tables(records: Path, kind: SubjectKind, out: Path) -> None:
    """Write `subjects.parquet`, one file per source and the list of windows."""
    windows = windows_of(kind)
    held = {name: columns_of_table(read_records(records, name)) for name in RECORD_FILES}
    subjects = derive_subjects(kind, held)
    linked = linked_events(kind, subjects, held)
    for name in ("payer_id", "payee_id"):
        latest = latest_by_subject(subjects, linked["transactions"], name)
        subjects |= {f"latest_{name}": latest}
    sources = linked | _history(held)
    keys = {name for window in windows for name in window.by} | {"subject_id", "declared_at"}
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "subjects.parquet", {name: subjects[name] for name in sorted(keys)})
    for source in {window.source for window in windows}:
        _write(out / f"{source}.parquet", _read_of(source, sources[source], windows))
    tasks = [asdict(_task(f"w{at}", window)) for at, window in enumerate(windows)]
    (out / "windows.json").write_text(json.dumps(tasks))


def _history(held: Records) -> dict[str, Columns]:
    sources = {"payments": sorted_by_known_at(payments(held["transactions"]))}
    for kind, subject_type in SUBJECT_TYPES.items():
        subjects = derive_subjects(kind, held)
        events = subjects | {"record_id": subjects["subject_id"]}
        sources[subject_type.record_file] = sorted_by_known_at(events)
        sources[subject_type.outcome_source] = outcome_events(kind, subjects, held["outcomes"])
    return sources


def _task(name: str, window: Window) -> Task:
    span = None if window.days is None else window.days * DAY_US
    return Task(
        name,
        window.source,
        window.by,
        window.matching,
        window.where,
        str(window.reducer),
        window.value,
        span,
    )


def _read_of(source: str, events: Columns, windows: tuple[Window, ...]) -> Columns:
    read = {"known_at"}
    for window in windows:
        if window.source == source:
            read |= {name for name in (*window.matching, window.value, window.where) if name}
    return {name: events[name] for name in sorted(read)} | {"place": np.arange(length(events))}


def _write(file: Path, columns: Columns) -> None:
    arrays = {
        name: STRING_TABLE.texts(column)
        if is_text(column)
        else pa.array(column, from_pandas=column.dtype == np.float64)
        for name, column in columns.items()
    }
    pq.write_table(pa.table(arrays), file, compression="zstd", row_group_size=1 << 17)
