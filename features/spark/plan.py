"""Plan of a build on Spark: the columns to read and the number of parts."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from features.engine.columns import Column, Columns, columns_of_table, instant_us
from features.event_sources import event_sources
from features.file_among_records import AskedSubjects
from features.history.online_store import HISTORY_RECORD_TYPES
from features.ingest.files_as_written import is_as_written
from features.ingest.record_files import record_file_of
from features.ingest.record_folder import RecordFolder
from features.linked_records import LINKED_RECORD_TYPES
from features.records import RECORD_FILES, SubjectKind
from features.spark.keyed_windows import EventsOf, KeyedWindows
from features.spark.part_features import (
    BuildRequest,
    before_keys,
    history_before_keys,
    history_of_linked,
)
from features.spark.part_records import AskedRecords
from features.spark.scan_records import Scan
from features.subject_types import SUBJECT_TYPES

# Target number of records in a part. Records of one subject or key are never split.
PART_RECORDS = 1 << 20
# A part of keys with this many times PART_RECORDS is computed in slices, as one key is too big.
MAX_CONCURRENT = 4
_SAMPLED_GROUPS = 16
_NO_END = np.iinfo(np.int64).max
_LINKED_BY = {name: each.subject_field for name, each in LINKED_RECORD_TYPES.items()}
_OWN_IDS = {each.record_file: each.id_field for each in SUBJECT_TYPES.values()}
# Field of each record type that holds the id of its subject.
SUBJECT_FIELDS = {"outcomes": "subject_id"} | _LINKED_BY | _OWN_IDS


@dataclass(frozen=True)
class BuildPlan:
    """Facts about a build that every task knows.

    `joining` reads journeys and the subjects that name them, if journeys are needed. `without`
    holds the empty columns of events, for parts that have none. `history` reads the records behind
    values of linked records, which are sent to every part. `bounds` separate the ranges in which
    rows come back: instants of declaration, or rows of the file if only some subjects are scored.
    """

    wanted: BuildRequest
    scan: Scan
    joining: Scan | None
    keyed: KeyedWindows
    without: EventsOf
    history: Scan | None
    without_history: dict[str, Columns]
    bounds: Column


def plan_build(records: Path, wanted: BuildRequest) -> tuple[BuildPlan, Columns]:
    """Return the plan of a build, and the columns of subjects for empty input.

    Every task is run once on empty records to find the columns it reads.
    """
    kind, (parts, of_keys) = wanted.kind, _parts(records)
    keyed = _keyed(wanted, of_keys, _slice_ends(records, kind, of_keys))
    own, joined = AskedRecords(), AskedRecords()
    without_history = history_of_linked(kind, own, joined)
    of_history = _fields(own, joined)
    frame, without = before_keys(wanted, keyed, own, joined, without_history)
    of_journeys = joined.fields.pop("journeys", set())
    fields = _fields(own, joined)
    numbered = frozenset({SUBJECT_TYPES[kind].record_file} if wanted.asked else ())
    return BuildPlan(
        wanted,
        replace(_scan(records, kind, fields, parts), numbered=numbered),
        _joining(records, parts, of_journeys) if of_journeys else None,
        keyed,
        without,
        replace(_scan(records, kind, of_history, parts), texts={}, is_checked=False)
        if without_history
        else None,
        without_history,
        _places(wanted.asked, parts) if wanted.asked else _instants(records, kind, parts),
    ), frame


def planned_history(records: Path, added: Path, kind: SubjectKind) -> BuildPlan:
    """Return the plan for scoring submissions, which are not among the records.

    The files in `added` continue the history of `records`.
    """
    wanted, (parts, of_keys) = BuildRequest.of_history(kind), _parts(records, added)
    slice_ends = _slice_ends(records, kind, of_keys)
    slice_ends[-1] = _NO_END  # submissions may be declared after all records
    keyed = _keyed(wanted, of_keys, slice_ends)
    own, joined = AskedRecords(), AskedRecords()
    without = history_before_keys(wanted, keyed, own, joined)
    of_journeys = joined.fields.pop("journeys", set())
    scan = replace(_scan(records, kind, _fields(own, joined), parts), texts={}, added=added)
    # Types of history are checked even if no field of theirs is read.
    checked = {n: of for n, of in scan.fields.items() if of or n in HISTORY_RECORD_TYPES}
    joining = _joining(records, parts, of_journeys) if of_journeys else None
    return BuildPlan(
        wanted,
        replace(scan, fields=checked),
        replace(joining, added=added) if joining else None,
        keyed,
        without,
        history=None,
        without_history={},
        bounds=np.zeros(0, np.int64),
    )


def _parts(*folders: Path) -> tuple[int, int]:
    """Return the number of parts of subjects, and of parts per group of keys."""
    records = [RecordFolder(folder) for folder in folders]
    counts = [sum(each.count(name) for each in records) for name in RECORD_FILES]
    return max(1, -(-sum(counts) // PART_RECORDS)), max(1, -(-max(counts) // PART_RECORDS))


def _keyed(wanted: BuildRequest, parts: int, slice_ends: Column) -> KeyedWindows:
    return KeyedWindows(wanted.windows_by_key, parts, MAX_CONCURRENT * PART_RECORDS, slice_ends)


def _fields(own: AskedRecords, joined: AskedRecords) -> dict[str, frozenset[str]]:
    return {name: frozenset(own.fields[name] | joined.fields[name]) for name in RECORD_FILES}


def _scan(records: Path, kind: SubjectKind, fields: dict[str, frozenset[str]], parts: int) -> Scan:
    keyed = {name: of | {SUBJECT_FIELDS[name]} if of else of for name, of in fields.items()}
    texts = {
        source.record_file: frozenset({source.text_id}) - keyed[source.record_file]
        for source in event_sources(kind).linked.values()
        if source.text_id is not None
    }
    return Scan(records.absolute(), keyed, texts, SUBJECT_FIELDS, parts)


def _joining(records: Path, parts: int, of_journeys: set[str]) -> Scan:
    fields = {"journeys": frozenset(of_journeys | {"journey_id"})}
    keys = {"journeys": "journey_id"}
    for each in SUBJECT_TYPES.values():
        if each.has_journey:
            fields[each.record_file] = frozenset({each.id_field, "journey_id"})
            keys[each.record_file] = "journey_id"
    return Scan(records.absolute(), fields, {}, keys, parts, is_checked=False)


def _places(asked: AskedSubjects, ranges: int) -> Column:
    """Return rows that divide the file of subjects into ranges of about equal size."""
    return asked.first_row + np.arange(1, ranges) * asked.rows // ranges


def _instants(records: Path, kind: SubjectKind, ranges: int) -> Column:
    """Return instants that divide subjects into ranges of about equal size, from a sample."""
    name = SUBJECT_TYPES[kind].record_file
    file = record_file_of(records, name)
    if file is None or ranges == 1 or not is_as_written(file, name):
        return np.zeros(0, np.int64)
    opened = pq.ParquetFile(file)
    # Row groups spread evenly over the file stand for all of its rows.
    groups = np.unique(np.linspace(0, opened.num_row_groups - 1, _SAMPLED_GROUPS).astype(int))
    sampled = opened.read_row_groups(groups.tolist(), columns=["declared_at"], use_threads=False)
    instants = np.sort(columns_of_table(sampled)["declared_at"])
    if not len(instants):
        return instants
    return instants[np.arange(1, ranges) * len(instants) // ranges]


def _slice_ends(records: Path, kind: SubjectKind, slices: int) -> Column:
    """Return the ends of time slices with about equal numbers of declarations.

    The last end is after all declarations.
    """
    name = SUBJECT_TYPES[kind].record_file
    file = record_file_of(records, name)
    if file is None or not is_as_written(file, name):
        return np.array([_NO_END])
    footer = pq.read_metadata(file)
    at = footer.schema.names.index("declared_at")
    of_groups = [footer.row_group(g).column(at).statistics for g in range(footer.num_row_groups)]
    # Without statistics the last instant is unknown, so one slice covers everything.
    if not of_groups or any(each is None or not each.has_min_max for each in of_groups):
        return np.array([_NO_END])
    last = max(instant_us(each.max) for each in of_groups)
    return np.append(_instants(records, kind, slices), last + 1)
