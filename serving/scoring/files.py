"""Score every subject of a file with the features, scores and draws of the service, bit for bit.

Features are those of the training matrix; subjects of the file are part of the history of later
ones. Placement follows `triage.lanes` for an office without a capacity, by probability × harm where
the plan weighs harm. A file deliberately leaves out what only a declaration at the border has:

- the day's load and capacity of an office, and the raised control draws for exploration and for
  disagreeing challengers: a file selects nobody;
- watch-lists and rules: their hits name parties to an officer, and a table has no officer;
- the decision log, cases and idempotency: nothing here is a decision.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from features.build_training_set import feature_frame, feature_tables
from features.catalogue import features_of
from features.engine.batch.build_resources import BuildResources
from features.engine.columns import Columns, rows
from features.engine.store.lmdb_store import LmdbStore
from features.engine.string_table import STRING_TABLE
from features.errors import RecordsError
from features.file_among_records import PLACE, AskedSubjects, among_records
from features.history.online_store import COUNTED_RECORD_TYPES, OnlineStore
from features.history.rebuild import rebuild_store
from features.ingest.record_folder import RecordFolder
from features.offences import offence_group
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission, history_records
from features.vector import Vector, feature_vectors
from serving.errors import BodyMalformed, SubmissionRefused
from serving.history.missing_history import missing_types
from serving.models.model_pool import LoadedModel
from serving.models.scores import Scorer
from serving.request_parsing import read_submission
from serving.triage.lane_choice import Placement
from serving.triage.lanes import Lanes
from serving.triage.life_at_risk import Craft, danger_signals, signals_of_craft

# Subjects scored in one call: enough to amortise the call, few enough to hold in memory.
ROWS_PER_CALL = 20_000

# The fields of a journey that danger signals and offence groups need.
_OF_JOURNEY = ("mode", "conveyance_kind", "cargo_unit", "persons_on_board", "certified_capacity")
_IS_LIFE_AT_RISK, _OFFENCE_GROUP = "is_life_at_risk", "offence_group"


@dataclass(frozen=True)
class FileSubjects:
    """Subjects of one kind: ids, features (one column each, in catalogue order), lives at risk.

    `offence_groups` gives each subject's group in `features.offences`. `record_counts` is the
    number of records of each type from which the features were computed.
    """

    ids: list[str]
    features: pd.DataFrame
    is_life_at_risk: list[bool]
    offence_groups: list[str]
    record_counts: Mapping[str, int]


def read_subjects(file: Path, kind: SubjectKind, records: Path) -> FileSubjects:
    """Read the subjects of a record file or of an NDJSON file of submissions.

    `records` is the folder of other known records: history, and the legs, documents and payments of
    the subjects in a record file. Raises RecordsError with file, row and column.
    """
    read = _submitted if holds_submissions(file) else _recorded
    subjects = read(file, kind, records)
    if not subjects.ids:
        raise none_in(file, kind)
    return subjects


def none_in(file: Path, kind: SubjectKind) -> RecordsError:
    """Return the error for a file without subjects of this kind."""
    return RecordsError(f"{file}: there is no {kind} in it")


def missing_history(record_counts: Mapping[str, int], champion: LoadedModel) -> list[str]:
    """List record types of which the file's history has too few, by the service's own check."""
    return missing_types(champion.model.manifest.record_counts, record_counts)


def score_file(subjects: FileSubjects, champion: LoadedModel, lanes: Lanes) -> pa.Table:
    """Score subjects, one row each: score, lane, and `contribution_<feature>` per feature.

    Where the plan weighs harm, `harm_ratio` is the factor by which each probability was multiplied.
    """
    return pa.concat_tables(placed(explained(subjects, champion.scorer), champion, lanes))


def explained(subjects: FileSubjects, scorer: Scorer) -> Iterator[pa.Table]:
    """Yield scores, contributions and placement inputs, ROWS_PER_CALL rows at a time."""
    rows_of = scorer.model.encode_frame(subjects.features)
    for start in range(0, len(rows_of), ROWS_PER_CALL):
        part = slice(start, start + ROWS_PER_CALL)
        scores = scorer.score(rows_of[part])
        columns = {
            "subject_id": pa.array(subjects.ids[part], pa.string()),
            _IS_LIFE_AT_RISK: pa.array(subjects.is_life_at_risk[part], pa.bool_()),
            _OFFENCE_GROUP: pa.array(subjects.offence_groups[part], pa.string()),
            "probability": scores.probability,
            "log_odds": scores.log_odds,
            "base_log_odds": np.full(len(scores.log_odds), scores.base_log_odds),
        }
        for at, name in enumerate(scorer.model.encoding.names):
            columns[f"contribution_{name}"] = scores.contributions[:, at]
        yield pa.table(columns)


def placed(
    explained: Iterable[pa.Table], champion: LoadedModel, lanes: Lanes
) -> Iterator[pa.Table]:
    """Add each subject's lane and yield the columns of the output file."""
    manifest = champion.model.manifest
    # The same cutoffs for the whole file, since no day's load changes them.
    cutoffs = lanes.uncapped_cutoffs(manifest.score_quantiles)
    for part in explained:
        harm_ratios = _harm_ratios(part[_OFFENCE_GROUP].to_pylist(), champion, lanes)
        placements = [
            lanes.place_uncapped(
                manifest.subject,
                subject_id,
                probability * harm_ratio,
                cutoffs,
                is_life_at_risk=is_life_at_risk,
            )
            for subject_id, probability, harm_ratio, is_life_at_risk in zip(
                part["subject_id"].to_pylist(),
                part["probability"].to_pylist(),
                harm_ratios,
                part[_IS_LIFE_AT_RISK].to_pylist(),
                strict=True,
            )
        ]
        yield _table(part, placements, harm_ratios if lanes.plan.harm else None)


def _harm_ratios(groups: list[str], champion: LoadedModel, lanes: Lanes) -> list[float]:
    """Return the harm of a find relative to an average one; 1 where harm is not weighed."""
    if not lanes.plan.harm:
        return [1.0] * len(groups)
    shares = champion.model.manifest.offence_shares
    # There are few groups and many subjects, so compute each ratio once.
    ratio_of = {group: shares.harm_ratio(lanes.plan.harm, group) for group in {*groups}}
    return [ratio_of[group] for group in groups]


def write_tables(tables: Iterator[pa.Table], out: Path) -> pa.Table:
    """Write Parquet, or CSV if `out` ends in .csv; the file appears complete or not at all.

    Returns the ids and lanes of all rows. Each table becomes a row group, so equal tables give
    equal bytes.
    """
    partial = out.with_name(f".{out.name}.partial")
    out.parent.mkdir(parents=True, exist_ok=True)
    told = []
    try:
        first = next(tables)
        with _writer(partial, first.schema, is_text=out.suffix == ".csv") as writer:
            for table in chain([first], tables):
                writer.write_table(table)
                told.append(table.select(["subject_id", "lane"]))
        # Renaming is atomic, so readers never see half a file.
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return pa.concat_tables(told)


def _writer(
    file: Path, schema: pa.Schema, *, is_text: bool
) -> pq.ParquetWriter | pyarrow.csv.CSVWriter:
    return pyarrow.csv.CSVWriter(file, schema) if is_text else pq.ParquetWriter(file, schema)


def columns_read(kind: SubjectKind) -> frozenset[str]:
    """Return the subject columns, in addition to features, that `subjects_of` reads."""
    subject_type = SUBJECT_TYPES[kind]
    of_journey = {f"{subject_type.journey_prefix}{name}" for name in _OF_JOURNEY}
    own = {"hs_code"} & subject_type.record.model_fields.keys()
    return frozenset(of_journey | own)


def subjects_of(
    kind: SubjectKind, matrix: pa.Table, own: Columns, record_counts: Mapping[str, int]
) -> FileSubjects:
    """Combine a feature matrix with the `columns_read` of the same subjects in the same order."""
    prefix = SUBJECT_TYPES[kind].journey_prefix
    return FileSubjects(
        ids=matrix["subject_id"].to_pylist(),
        features=matrix.select(_feature_names(kind)).to_pandas(),
        is_life_at_risk=[any(signals_of_craft(craft)) for craft in _craft(own, prefix)],
        offence_groups=_offence_groups(own, prefix),
        record_counts=record_counts,
    )


def _recorded(file: Path, kind: SubjectKind, folder: Path) -> FileSubjects:
    with among_records(file, kind, folder) as asked, TemporaryDirectory() as scratch:
        source = RecordFolder(asked.records)
        frame = feature_frame(
            kind,
            source,
            BuildResources(Path(scratch)),
            columns=columns_read(kind),
            select=asked.select,
        )
        source.check()
        # The build returns subjects in an order of its own; restore that of the file.
        in_order = np.argsort(frame.subjects[PLACE])
        matrix = pa.concat_tables(feature_tables(kind, frame)).take(pa.array(in_order))
        own = rows(frame.subjects, in_order)
        return subjects_of(kind, matrix, own, record_counts(asked))


def record_counts(asked: AskedSubjects) -> Mapping[str, int]:
    """Count the records of each type that a service would count."""
    source = RecordFolder(asked.records)
    return {name: source.count(name) for name in COUNTED_RECORD_TYPES}


def _submitted(file: Path, kind: SubjectKind, folder: Path) -> FileSubjects:
    with file.open("rb") as lines:
        submissions = [*submissions_in(file, kind, lines)]
    vectors, record_counts = _vectors(submissions, folder)
    return of_submissions(kind, submissions, vectors, record_counts)


def of_submissions(
    kind: SubjectKind,
    submissions: Sequence[Submission],
    vectors: Sequence[Vector],
    record_counts: Mapping[str, int],
) -> FileSubjects:
    """Combine submitted subjects with their features."""
    frame = pd.DataFrame(vectors, columns=_feature_names(kind))
    for feature in features_of(kind):
        # pandas gives a column that holds only None the dtype object.
        if not feature.is_categorical:
            frame[feature.name] = frame[feature.name].astype(np.float64)
    return FileSubjects(
        ids=[submission.subject_id for submission in submissions],
        features=frame,
        is_life_at_risk=[bool(danger_signals(each, each.declared_at)) for each in submissions],
        offence_groups=[
            offence_group(
                each.journey.mode if each.journey else None,
                each.shipment.hs_code if each.shipment else None,
            )
            for each in submissions
        ],
        record_counts=record_counts,
    )


def _vectors(
    submissions: list[Submission], records: Path
) -> tuple[list[Vector], Mapping[str, int]]:
    """Return the vectors of submissions and the record counts of their history.

    All submissions of the file are part of the history, in addition to the records.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "state"
        rebuild_store(
            records, folder, and_then=lambda state: state.ingest(history_records(submissions))
        )
        store = LmdbStore(folder)
        state = OnlineStore(store)
        vectors = feature_vectors(submissions, state)
        store.close()
        return vectors, state.counts


def submissions_in(
    file: Path, kind: SubjectKind, lines: Iterable[bytes], first_row: int = 1
) -> Iterator[Submission]:
    """Yield the submissions in lines of a file; raises RecordsError with file, row and field."""
    for row, line in enumerate(lines, start=first_row):
        if line.isspace():
            continue
        yield _submission(line, f"{file}, row {row}", kind)


def _submission(line: bytes, place_in_file: str, kind: SubjectKind) -> Submission:
    try:
        submission = read_submission(line)
    except (BodyMalformed, SubmissionRefused) as refusal:
        first = refusal.faults[0] if refusal.faults else None
        says = f"{first.pointer}: {first.detail}" if first else str(refusal)
        raise RecordsError(f"{place_in_file}: {says}") from None
    if submission.subject_kind != kind:
        raise RecordsError(f"{place_in_file}, subject_kind: want {kind}")
    return submission


def holds_submissions(file: Path) -> bool:
    """Return True if a file is an NDJSON of submissions rather than a record file."""
    if file.suffix != ".ndjson" or not file.exists():
        return False
    with file.open("rb") as lines:
        return b'"subject_kind"' in next(lines, b"")


def _feature_names(kind: SubjectKind) -> list[str]:
    return [feature.name for feature in features_of(kind)]


def _craft(own: Columns, prefix: str) -> Iterator[Craft]:
    """Yield the craft of each subject's journey; all fields are unknown without a journey."""
    kinds = STRING_TABLE.texts(own[f"{prefix}conveyance_kind"]).to_pylist()
    units = STRING_TABLE.texts(own[f"{prefix}cargo_unit"]).to_pylist()
    counts = (own[f"{prefix}{name}"] for name in ("persons_on_board", "certified_capacity"))
    for kind, unit, *numbers in zip(kinds, units, *counts, strict=True):
        on_board, certified = (None if np.isnan(number) else float(number) for number in numbers)
        yield Craft(kind, on_board, certified, unit)


def _offence_groups(own: Columns, prefix: str) -> list[str]:
    modes = STRING_TABLE.texts(own[f"{prefix}mode"]).to_pylist()
    codes = (
        STRING_TABLE.texts(own["hs_code"]).to_pylist() if "hs_code" in own else [None] * len(modes)
    )
    return [offence_group(mode, code) for mode, code in zip(modes, codes, strict=True)]


def _table(
    part: pa.Table, placements: list[Placement], harm_ratios: list[float] | None
) -> pa.Table:
    before = {"subject_id": part["subject_id"]}
    if harm_ratios is not None:
        before["harm_ratio"] = pa.array(harm_ratios, pa.float64())
    chosen = {
        "probability": part["probability"],
        "log_odds": part["log_odds"],
        "lane": pa.array([placement.lane for placement in placements], pa.string()),
        "lane_reason": pa.array([placement.reason for placement in placements], pa.string()),
        "selection_probability": [placement.selection_probability for placement in placements],
        "base_log_odds": part["base_log_odds"],
    }
    contributions = {n: part[n] for n in part.column_names if n.startswith("contribution_")}
    return pa.table(before | chosen | contributions)
