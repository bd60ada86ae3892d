"""Many subjects -> a training set: one row of features each, in catalogue order."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.asof.history import History, records_of_folder
from features.asof.windows import Window, count
from features.catalogue import catalogue, fingerprint, windows_of
from features.columns import NO_INSTANT, Column, length
from features.definition import Feature
from features.evidence import Evidence
from features.folders import written_whole
from features.reading import read_records
from features.records import RECORD_FILES, SubjectKind
from features.schema import INSTANT
from features.summary import SUMMARY, summary_of
from features.vocabulary import NO_TEXT, VOCABULARY

METADATA_KEY = b"tidegate"
OPERATOR: dict[SubjectKind, str] = {"route": "carrier_id", "shipment": "consignee_id"}
WAY: dict[SubjectKind, tuple[str, ...]] = {
    "route": ("origin", "destination", "mode"),
    "shipment": ("dispatch_country", "destination_country"),
}
_SOURCE: dict[SubjectKind, str] = {"route": "journeys", "shipment": "shipments"}

Progress = Callable[[int, int], None]
"""Told after each window how many of how many are done."""


def feature_matrix(
    kind: SubjectKind, evidence: Evidence, progress: Progress | None = None
) -> pa.Table:
    """One row per subject: `subject_id`, `declared_at`, then every feature in catalogue order.

    Numbers are float64 with null for missing, categories are text with null.
    """
    columns = {
        "subject_id": VOCABULARY.texts(evidence.subjects["subject_id"]),
        "declared_at": _instants(evidence.subjects["declared_at"]),
    }
    windows = windows_of(kind)
    for done, window in enumerate(windows, start=1):
        evidence.window(window)
        if progress:
            progress(done, len(windows))
    made = evidence.features()
    return pa.table(columns | {f.name: _array(f, made[f.name]) for f in catalogue(kind)})


def build_training_set(
    records: Path, kind: SubjectKind, out: Path, progress: Progress | None = None
) -> None:
    """Write a training set of every subject of one kind, whole or not at all.

    `features.parquet` is the matrix, sorted by `declared_at` and `subject_id`; `outcomes.parquet`
    has at most one outcome per subject, the first that was conclusive; `subjects.parquet` tells
    whom a row is about, for evaluation by subgroup and never as an input of a model; `records.json`
    sums up the records it was made of.
    """
    columns = records_of_folder(records)
    evidence = Evidence.of(kind, columns, History.of_records(columns))
    matrix = feature_matrix(kind, evidence, progress)
    order = pc.sort_indices(
        matrix, sort_keys=[("declared_at", "ascending"), ("subject_id", "ascending")]
    )
    about = {
        "subject": kind,
        "catalogue": fingerprint(kind),
        "records_digest": _digest_of(records),
    }
    with written_whole(out) as folder:
        _write(folder / "features.parquet", matrix.take(order), about)
        _write(folder / "subjects.parquet", _subjects(kind, evidence).take(order), about)
        _write(folder / "outcomes.parquet", _outcomes(kind, records), about)
        (folder / SUMMARY).write_text(json.dumps(summary_of(records), indent=1) + "\n")


def _subjects(kind: SubjectKind, evidence: Evidence) -> pa.Table:
    subjects = evidence.subjects
    operator = OPERATOR[kind]
    before: Window = count(_SOURCE[kind], by=operator)
    none = np.full(length(subjects), NO_TEXT, np.int32)
    ends = [VOCABULARY.texts(subjects[name]) for name in WAY[kind]]
    value_eur = subjects.get("declared_value_eur", np.full(length(subjects), np.nan))
    return pa.table(
        {
            "subject_id": VOCABULARY.texts(subjects["subject_id"]),
            "declared_at": _instants(subjects["declared_at"]),
            "mode": VOCABULARY.texts(subjects["mode" if kind == "route" else "journey_mode"]),
            "office_id": VOCABULARY.texts(subjects.get("office_id", none)),
            "origin_country": VOCABULARY.texts(subjects["origin_country"]),
            "goods_code": VOCABULARY.texts(subjects.get("hs_code", none)),
            "corridor": pc.binary_join_element_wise(*ends, " > "),
            "operator_id": VOCABULARY.texts(subjects[operator]),
            "operator_subjects_before": pa.array(evidence.window(before).astype(np.int64)),
            "declared_value_eur": pa.array(value_eur, pa.float64(), from_pandas=True),
        }
    )


def _outcomes(kind: SubjectKind, records: Path) -> pa.Table:
    """The first conclusive outcome of each subject, or its first inconclusive one."""
    outcomes = read_records(records, "outcomes").to_pandas()
    own = outcomes[outcomes["subject_kind"] == kind]
    is_inconclusive = own["result"] == "inconclusive"
    ordered = own.assign(is_inconclusive=is_inconclusive).sort_values(
        ["is_inconclusive", "known_at", "inspected_at"], kind="stable"
    )
    first = ordered.drop_duplicates("subject_id").drop(columns="is_inconclusive")
    schema = read_records(records, "outcomes").schema
    return pa.Table.from_pandas(first.sort_values("subject_id"), schema, preserve_index=False)


def _instants(instants: Column) -> pa.Array:
    return pa.array(instants, mask=instants == NO_INSTANT).cast(pa.timestamp("us")).cast(INSTANT)


def _array(feature: Feature, values: Column) -> pa.Array:
    if feature.is_categorical:
        return VOCABULARY.texts(values)
    return pa.array(values, pa.float64(), from_pandas=True)


def _write(file: Path, table: pa.Table, about: dict[str, str]) -> None:
    metadata = {METADATA_KEY: json.dumps(about, sort_keys=True).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), file)


def _digest_of(records: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(records.iterdir()):
        if file.stem in RECORD_FILES:
            digest.update(f"{file.name}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"
