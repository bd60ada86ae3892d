"""Score every subject of a file: the features, scores and draws of the service, bit for bit.

The features are those of the training matrix; subjects of the file are part of the history of later
ones. Placement is that of `triage.lanes` for an office without a capacity, by probability × harm
where the plan weighs harm. A file deliberately leaves out what only a declaration at the border
has:

- the day's load and capacity of an office, and the raised control draws of exploration and of
  disagreeing challengers: a file selects nobody;
- watch-lists and rules: their hits name parties to an officer, and a table has no officer;
- the decision log, cases and idempotency: nothing here is a decision.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from features.build_training_set import feature_matrix
from features.catalogue import catalogue
from features.derived.subject import derive_subjects
from features.engine.batch.amendments import as_declared
from features.engine.batch.record_blocks import InMemoryRecords, records_of_folder
from features.engine.columns import Columns, columns_of_table, rows
from features.engine.store.lmdb_store import LmdbStore
from features.engine.string_table import STRING_TABLE
from features.errors import RecordsError
from features.history.online_store import COUNTED_RECORD_TYPES, OnlineStore
from features.history.rebuild import rebuild
from features.ingest.record_files import read_record_file
from features.offences import offence_group
from features.records import Journey, SubjectKind
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission, history_records
from features.vector import Vector, feature_vector
from serving.errors import BodyMalformed, SubmissionRefused
from serving.history.missing_history import missing_types
from serving.models.model_pool import LoadedModel
from serving.models.scores import Scores
from serving.request_parsing import read_submission
from serving.triage.lane_rule import Placement
from serving.triage.lanes import Lanes
from serving.triage.life_at_risk import Craft, danger_signals, signals_of_craft

AT_ONCE = 20_000  # subjects scored in one call: enough to be fast, little enough to hold

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FileSubjects:
    """Subjects of one kind: ids, features (a column each, in catalogue order), lives at risk.

    `offence_groups` are those whose shares of offences hold for each (`features.offences`).
    `record_counts` says how many records of each type their features were computed from.
    """

    ids: list[str]
    features: pd.DataFrame
    is_life_at_risk: list[bool]
    offence_groups: list[str]
    record_counts: Mapping[str, int]


def read_subjects(file: Path, kind: SubjectKind, records: Path) -> FileSubjects:
    """Read the subjects of a record file of journeys or shipments, or in an NDJSON of submissions.

    `records` holds what else is known: history, and the legs, documents and payments of the
    subjects in a record file. Raises RecordsError with file, row and column.
    """
    read = _submitted if _holds_submissions(file) else _recorded
    subjects = read(file, kind, records)
    if not subjects.ids:
        raise RecordsError(f"{file}: there is no {kind} in it")
    return subjects


def missing_history(subjects: FileSubjects, champion: LoadedModel) -> list[str]:
    """The types of records of which a file's history has too few, as a service checks its own."""
    return missing_types(champion.model.manifest.record_counts, subjects.record_counts)


def score_subjects(
    subjects: FileSubjects,
    champion: LoadedModel,
    lanes: Lanes,
    progress: Progress = lambda done, total: None,
) -> pa.Table:
    """Score subjects, a row each: score, lane, and `contribution_<feature>` per feature.

    Where the plan weighs harm, `harm_ratio` is what each probability was multiplied with.
    """
    manifest = champion.model.manifest
    cutoffs = lanes.uncapped_cutoffs(manifest.score_quantiles)
    rows_of = champion.model.encode_frame(subjects.features)
    harm_ratios = _harm_ratios(subjects, champion, lanes)
    parts = []
    for start in range(0, len(rows_of), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        scores = champion.scorer.score(rows_of[part])
        placements = [
            lanes.place_uncapped(
                manifest.subject,
                subject_id,
                float(probability * harm_ratio),
                cutoffs,
                is_life_at_risk=is_life_at_risk,
            )
            for subject_id, probability, harm_ratio, is_life_at_risk in zip(
                subjects.ids[part],
                scores.probability,
                harm_ratios[part],
                subjects.is_life_at_risk[part],
                strict=True,
            )
        ]
        table = _table(subjects.ids[part], scores, placements, champion)
        if lanes.plan.harm:
            table = table.add_column(1, "harm_ratio", pa.array(harm_ratios[part], pa.float64()))
        parts.append(table)
        progress(start + len(placements), len(rows_of))
    return pa.concat_tables(parts)


def _harm_ratios(subjects: FileSubjects, champion: LoadedModel, lanes: Lanes) -> list[float]:
    """How much harm a find would be of beside a usual one; 1 where harm is not weighed."""
    if not lanes.plan.harm:
        return [1.0] * len(subjects.ids)
    shares = champion.model.manifest.offence_shares
    ratio_of = {
        group: shares.harm_ratio(lanes.plan.harm, group) for group in {*subjects.offence_groups}
    }
    return [ratio_of[group] for group in subjects.offence_groups]


def write_table(table: pa.Table, out: Path) -> None:
    """Write Parquet, or CSV where `out` ends so; the file is there whole or not at all."""
    partial = out.with_name(f".{out.name}.partial")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        if out.suffix == ".csv":
            pa.csv.write_csv(table, partial)
        else:
            pq.write_table(table, partial)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _recorded(file: Path, kind: SubjectKind, folder: Path) -> FileSubjects:
    subject_type = SUBJECT_TYPES[kind]
    name, id_field = subject_type.record_file, subject_type.id_field
    known = records_of_folder(folder)
    given = columns_of_table(read_record_file(file, name))
    before = rows(known[name], ~np.isin(known[name][id_field], given[id_field]))
    everything = known | {name: {c: np.concatenate([before[c], given[c]]) for c in given}}
    matrix = feature_matrix(
        kind,
        InMemoryRecords(everything),
        select=lambda subjects: rows(subjects, np.isin(subjects["subject_id"], given[id_field])),
    ).to_pandas()
    declared = {"journeys": as_declared(known["journeys"], Journey)}
    own = derive_subjects(kind, declared | {name: as_declared(given, subject_type.record)})
    ids = STRING_TABLE.texts(own["subject_id"]).to_pylist()
    prefix = subject_type.journey_prefix
    return FileSubjects(
        ids=ids,
        features=matrix.set_index("subject_id")
        .loc[ids, _feature_names(kind)]
        .reset_index(drop=True),
        is_life_at_risk=[any(signals_of_craft(craft)) for craft in _craft(own, prefix)],
        offence_groups=_offence_groups(own, prefix),
        record_counts={
            name: len(next(iter(everything[name].values()))) for name in COUNTED_RECORD_TYPES
        },
    )


def _submitted(file: Path, kind: SubjectKind, folder: Path) -> FileSubjects:
    submissions = list(_submissions(file, kind))
    vectors, record_counts = _vectors(submissions, folder)
    frame = pd.DataFrame(vectors, columns=_feature_names(kind))
    for feature in catalogue(kind):
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
    """The vectors of submissions, with the records and all the others as history, and its size."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "state"
        rebuild(records, folder, and_then=lambda state: state.ingest(history_records(submissions)))
        store = LmdbStore(folder)
        state = OnlineStore(store)
        vectors = [feature_vector(submission, state) for submission in submissions]
        store.close()
        return vectors, state.counts


def _submissions(file: Path, kind: SubjectKind) -> Iterator[Submission]:
    with file.open("rb") as lines:
        for row, line in enumerate(lines, start=1):
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


def _holds_submissions(file: Path) -> bool:
    if file.suffix != ".ndjson" or not file.exists():
        return False
    with file.open("rb") as lines:
        return b'"subject_kind"' in next(lines, b"")


def _feature_names(kind: SubjectKind) -> list[str]:
    return [feature.name for feature in catalogue(kind)]


def _craft(own: Columns, prefix: str) -> Iterator[Craft]:
    """The craft of the journey of each subject; a subject without a journey has one unknown."""
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
    ids: list[str], scores: Scores, placements: list[Placement], champion: LoadedModel
) -> pa.Table:
    columns = {
        "subject_id": pa.array(ids, pa.string()),
        "probability": scores.probability,
        "log_odds": scores.log_odds,
        "lane": [placement.lane for placement in placements],
        "lane_reason": [placement.reason for placement in placements],
        "selection_probability": [p.selection_probability for p in placements],
        "base_log_odds": np.full(len(ids), scores.base_log_odds),
    }
    for at, name in enumerate(champion.model.encoding.names):
        columns[f"contribution_{name}"] = scores.contributions[:, at]
    return pa.table(columns)
