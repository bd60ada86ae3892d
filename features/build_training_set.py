"""Build a training set: one row of features per subject, in catalogue order."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.atomic_dir import written_whole
from features.catalogue import features_of, windows_of
from features.compiled_catalogue import computation, program_of
from features.definition import Feature
from features.digests.computations import catalogue_fingerprint, computation_digests
from features.engine.batch.build_resources import BuildResources
from features.engine.batch.feature_frame import BLOCK_ROWS, FeatureFrame, Progress
from features.engine.batch.record_blocks import RecordBlocks
from features.engine.columns import Column, Columns, array_of_instants, array_of_numbers
from features.engine.string_table import NO_TEXT, STRING_TABLE
from features.engine.windows.window_declaration import Window, count
from features.errors import RecordsError, TidegateError
from features.event_sources import event_sources
from features.feature_rules import broken_rules
from features.ingest.record_files import read_records
from features.ingest.record_folder import RecordFolder
from features.ingest.record_summary import SUMMARY, summary_of
from features.records import CONCLUSIVE, OF_DOCUMENTS, RECORD_FILES, SubjectKind
from features.rescoring_rules import RescoringRules
from features.scoring_instants import at_instants, later_instants
from features.subject_types import SUBJECT_TYPES
from features.window_checks import check_windows_of

# Selects subjects, or repeats each at several scoring instants.
SelectSubjects = Callable[[Columns], Columns]

METADATA_KEY = b"tidegate"
SUBJECT_ROWS = 1 << 20  # of a row group, the default of Parquet
_EVERY_ROW = slice(None)
_OF_SUBJECT = ("office_id", "origin_country", "hs_code", "declared_value_eur")


def feature_matrix(
    kind: SubjectKind,
    records: RecordBlocks,
    select: SelectSubjects | None = None,
) -> pa.Table:
    """Return one row per subject: `subject_id`, `declared_at`, then the features.

    Features are in catalogue order, rows in the order of `declared_at` and `subject_id`. `select`
    may choose rows by their columns or repeat them at later scoring instants (`at_instants`), which
    are then in the column `as_of`. Numbers are float64 with null for missing, categories are text
    with null.
    """
    with TemporaryDirectory() as scratch:
        frame = feature_frame(kind, records, BuildResources(Path(scratch)), select=select)
        return pa.concat_tables(feature_tables(kind, frame))


def feature_frame(
    kind: SubjectKind,
    records: RecordBlocks,
    resources: BuildResources,
    *,
    also: Sequence[Window] = (),
    columns: frozenset[str] = frozenset(),
    select: SelectSubjects | None = None,
    progress: Progress | None = None,
) -> FeatureFrame:
    """Return the subjects of one kind with everything that features, `also` and `columns` read.

    The frame must not outlive the resources.
    """
    read = {key for key in computation(kind).columns if isinstance(key, str)}
    return FeatureFrame.compute(
        event_sources(kind),
        (*windows_of(kind), *also),
        records,
        resources,
        columns=columns | read,
        select=select,
        progress=progress,
    )


def build_training_set(
    records: Path,
    kind: SubjectKind,
    out: Path,
    progress: Progress | None = None,
    *,
    threads: int = 1,
    rules: RescoringRules | None = None,
) -> int:
    """Write a training set of every subject of one kind, atomically.

    Returns the number of outcomes that were left out because the records lack their subject. With
    `rules` there is a row for the declaration and for each later instant at which the rules would
    have rescored the subject; all files except the outcomes then have the column `as_of`.

    `features.parquet` is the matrix, sorted by `declared_at` and `subject_id`. `outcomes.parquet`
    has at most one outcome per subject, the first conclusive one. `subjects.parquet` describes the
    subject of each row, for evaluation by subgroup and never as model input. `records.json`
    summarises the records. The bytes do not depend on the number of threads.
    """
    source = RecordFolder(records)
    with written_whole(out) as folder, TemporaryDirectory(dir=folder) as scratch:
        frame = feature_frame(
            kind,
            source,
            BuildResources(Path(scratch), threads),
            also=[subjects_before(kind)],
            columns=subject_columns(kind),
            select=at_instants(later_instants(kind, source, rules)) if rules else None,
            progress=progress,
        )
        source.check()
        features, subjects = feature_tables(kind, frame), iter([subject_table(kind, frame)])
        return write_training_set(folder, kind, records, features, subjects)


def write_training_set(
    folder: Path,
    kind: SubjectKind,
    records: Path,
    features: Iterator[pa.Table],
    subjects: Iterator[pa.Table],
) -> int:
    """Write the files of a training set; return the number of outcomes left out.

    Each table of features becomes a row group; tables of subjects have SUBJECT_ROWS rows except for
    the last. Raises RecordsError if there is no subject.
    """
    about = {
        "subject": kind,
        "catalogue": catalogue_fingerprint(kind),
        "computations": dict(computation_digests(kind)),
        "records_digest": _digest_of(records),
    }
    outcomes = _first_outcomes(kind, records)
    are_held, rows = np.zeros(len(outcomes), bool), 0

    # Subjects are streamed to their file; outcomes are matched while they pass.
    def looked_through() -> Iterator[pa.Table]:
        nonlocal rows
        for table in subjects:
            rows += len(table)
            held = pc.is_in(outcomes["subject_id"], table["subject_id"].combine_chunks())
            np.logical_or(are_held, held.to_numpy(), out=are_held)
            yield table

    _write(folder / "features.parquet", features, about)
    _write(folder / "subjects.parquet", looked_through(), about)
    if not rows:
        raise RecordsError(
            f"{records} holds no {kind} to build a row of: see that it is the folder of records, "
            "that rows were not all set aside, and which subject is meant"
        )
    _write(folder / "outcomes.parquet", iter([outcomes.filter(pa.array(are_held))]), about)
    (folder / SUMMARY).write_text(json.dumps(summary_of(records), indent=1) + "\n")
    return int((~are_held).sum())


def feature_column(
    feature: Feature,
    kind: SubjectKind,
    records: RecordBlocks,
    select: SelectSubjects | None = None,
) -> pa.Table:
    """Return `subject_id`, `declared_at` and one feature, which need not be in the catalogue.

    Raises TidegateError for a feature that breaks a rule, or reads a column that is not there.
    """
    if broken := [*broken_rules(feature)]:
        raise TidegateError(f"{feature.name}: {'; and '.join(broken)}")
    check_windows_of(feature, kind)
    program = program_of(kind, [feature])
    read = frozenset(key for key in program.columns if isinstance(key, str))
    windows = [*feature.windows.values()]
    with TemporaryDirectory() as scratch:
        resources, sources = BuildResources(Path(scratch)), event_sources(kind)
        # Not `feature_frame`, which computes the windows of the whole catalogue.
        frame = FeatureFrame.compute(
            sources, windows, records, resources, columns=read, select=select
        )
        return pa.concat_tables(feature_tables(kind, frame, [feature]))


def feature_tables(
    kind: SubjectKind, frame: FeatureFrame, features: Sequence[Feature] = ()
) -> Iterator[pa.Table]:
    """Yield features of all subjects of a frame, in batches: the catalogue's, if none is given."""
    program = program_of(kind, features) if features else computation(kind)
    shown, subjects = features or features_of(kind), frame.subjects
    for among, values in frame.features(program):
        columns = {
            "subject_id": STRING_TABLE.texts(subjects["subject_id"][among]),
            "declared_at": array_of_instants(subjects["declared_at"][among]),
            **_as_of(subjects, among),
        }
        yield pa.table(columns | {f.name: _array(f, values[f.name]) for f in shown})


def subjects_before(kind: SubjectKind) -> Window:
    """Return the window of earlier subjects of the operator, which shows who is a newcomer."""
    subject_type = SUBJECT_TYPES[kind]
    return count(subject_type.record_file, by=subject_type.operator_field)


def subject_columns(kind: SubjectKind) -> frozenset[str]:
    """Return the columns of subjects that `subject_table` reads."""
    subject_type = SUBJECT_TYPES[kind]
    own = (subject_type.operator_field, subject_type.mode_field)
    return frozenset({*subject_type.corridor_fields, *own, *_OF_SUBJECT})


def subject_table(kind: SubjectKind, frame: FeatureFrame) -> pa.Table:
    """Return the descriptions of the subjects of a frame, for evaluation by subgroup."""
    subjects, subject_type = frame.subjects, SUBJECT_TYPES[kind]
    # Routes have no office, goods code or declared value.
    none = np.full(len(frame), NO_TEXT, np.int32)
    ends = [STRING_TABLE.texts(subjects[name]) for name in subject_type.corridor_fields]
    before = frame.window(subjects_before(kind))
    value_eur = subjects.get("declared_value_eur", np.full(len(frame), np.nan))
    return pa.table(
        {
            "subject_id": STRING_TABLE.texts(subjects["subject_id"]),
            "declared_at": array_of_instants(subjects["declared_at"]),
            **_as_of(subjects),
            "mode": STRING_TABLE.texts(subjects[subject_type.mode_field]),
            "office_id": STRING_TABLE.texts(subjects.get("office_id", none)),
            "origin_country": STRING_TABLE.texts(subjects["origin_country"]),
            "goods_code": STRING_TABLE.texts(subjects.get("hs_code", none)),
            "corridor": pc.binary_join_element_wise(*ends, " > "),
            "operator_id": STRING_TABLE.texts(subjects[subject_type.operator_field]),
            "operator_subjects_before": pa.array(before.astype(np.int64)),
            "declared_value_eur": array_of_numbers(value_eur),
        }
    )


def _first_outcomes(kind: SubjectKind, records: Path) -> pa.Table:
    """Return one outcome per subject: the first conclusive one, else the first of any kind.

    If the outcome of an inspection was corrected, only its newest version counts, unless that was
    withdrawn.
    """
    table = read_records(records, "outcomes")
    outcomes = table.to_pandas()
    own = outcomes[outcomes["subject_kind"] == kind].sort_values("known_at", kind="stable")
    own = own.drop_duplicates(["subject_id", "inspected_at"], keep="last")
    own = own[~own["withdrawn"]]
    says_less = 1 * ~own["result"].isin(CONCLUSIVE) + own["result"].isin(OF_DOCUMENTS)
    ordered = own.assign(says_less=says_less).sort_values(
        ["says_less", "known_at", "inspected_at"], kind="stable"
    )
    first = ordered.drop_duplicates("subject_id").sort_values("subject_id")
    return table.take(pa.array(first.index))


def _as_of(subjects: Columns, among: slice = _EVERY_ROW) -> dict[str, pa.Array]:
    """Return the scoring instants of rows, if subjects have several."""
    return {"as_of": array_of_instants(subjects["as_of"][among])} if "as_of" in subjects else {}


def _array(feature: Feature, values: Column) -> pa.Array:
    return STRING_TABLE.texts(values) if feature.is_categorical else array_of_numbers(values)


def _write(file: Path, tables: Iterator[pa.Table], about: dict[str, Any]) -> None:
    """Write each table as a row group, with dictionaries for texts only."""
    metadata = {METADATA_KEY: json.dumps(about, sort_keys=True).encode()}
    first = next(tables)
    schema = first.schema.with_metadata(metadata)
    texts = [field.name for field in schema if field.type == pa.string()]
    with pq.ParquetWriter(file, schema, use_dictionary=texts, **packing(schema)) as writer:
        for table in chain([first], tables):
            writer.write_table(table.replace_schema_metadata(metadata))


def packing(schema: pa.Schema) -> dict[str, Any]:
    """Return how columns are written: floats split by byte position, which compresses well.

    There are no statistics of numbers, because nothing looks them up by range.
    """
    numbers = [field.name for field in schema if field.type == pa.float64()]
    return {
        "compression": "lz4",
        "use_byte_stream_split": numbers,
        "write_batch_size": BLOCK_ROWS,
        "write_statistics": [name for name in schema.names if name not in numbers],
    }


def _digest_of(records: Path) -> str:
    digest = hashlib.sha256()
    # Sorted, so that the digest does not depend on the file system.
    for file in sorted(records.iterdir()):
        if file.stem in RECORD_FILES:
            digest.update(f"{file.name}\0".encode())
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"
