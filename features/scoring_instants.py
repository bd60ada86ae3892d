"""Compute the instants at which the rules would have rescored each subject."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.engine.batch.record_blocks import RecordBlocks, read_whole
from features.engine.columns import Column, Columns, instant_us, rows, table_of_columns
from features.engine.string_table import STRING_TABLE
from features.ingest.known_since import known_by_own_fields
from features.linked_records import LINKED_RECORD_TYPES
from features.record_versions import CountingVersion, counting_versions, version_at
from features.records import Journey, Record, SubjectKind
from features.rescoring_rules import RESCORED_AFTER, RescoringRules
from features.subject_types import SUBJECT_TYPES

# Later scoring instants in order, by subject id; subjects without any are left out.
Instants = Mapping[str, list[datetime]]


def later_instants(kind: SubjectKind, records: RecordBlocks, rules: RescoringRules) -> Instants:
    """Return the instants at which the rules would have rescored subjects of one kind.

    `records` need only hold these subjects, their linked records and their journeys.
    """
    known_at = _known_at(kind, records)
    # Versions of amended or withdrawn declarations only: the others need no validity check.
    subject_type = SUBJECT_TYPES[kind]
    identity = subject_type.id_field
    read = [identity, "declared_at", "known_at", "version", "withdrawn"]
    table = _table(records, subject_type.record_file, read)
    amends = pc.or_(pc.greater(table["version"], 1), pc.equal(table["withdrawn"], 1))
    named = pc.unique(table.filter(amends)[identity])
    versions: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.filter(pc.is_in(table[identity], named)).to_pylist():
        versions[row[identity]].append(row)
    amended = {id_: counting_versions(rows, subject_type.record) for id_, rows in versions.items()}
    found: dict[str, list[datetime]] = {}
    for subject_id, declared_at, due_at in _subjects(kind, records):
        known = known_at.get(subject_id, [])
        if (lives := amended.get(subject_id)) is not None:
            # The first version is the declaration, which is scored in any case.
            since = [life.since for life in lives if life.row["version"] > 1]
            stands_at = partial(_stands_at, lives)
            instants = [*rules.instants(declared_at, due_at, [*known, *since], stands_at)]
        else:
            instants = [*rules.instants(declared_at, due_at, known)]
        if instants:
            found[subject_id] = instants
    return found


def at_instants(later: Instants) -> Callable[[Columns], Columns]:
    """Return a function that repeats each subject at its later instants, in the column `as_of`."""

    def repeat(subjects: Columns) -> Columns:
        ids = STRING_TABLE.texts(subjects["subject_id"]).to_pylist()
        instants = [later.get(subject_id, []) for subject_id in ids]
        counts = np.array([1 + len(of_subject) for of_subject in instants], np.int64)
        repeated = rows(subjects, np.repeat(np.arange(len(ids)), counts))
        return repeated | {"as_of": _as_of(subjects["declared_at"], counts, instants)}

    return repeat


def _as_of(declared_at: Column, counts: Column, later: list[list[datetime]]) -> Column:
    """Return the declaration of each subject followed by its later instants."""
    as_of = np.empty(int(counts.sum()), np.int64)
    is_later = np.ones(len(as_of), bool)
    is_later[np.cumsum(counts) - counts] = False
    as_of[~is_later] = declared_at
    as_of[is_later] = [instant_us(instant) for of_subject in later for instant in of_subject]
    return as_of


def _known_at(kind: SubjectKind, records: RecordBlocks) -> Mapping[str, list[datetime]]:
    """Return, by subject, when the records that trigger a rescore became known."""
    known_at: dict[str, list[datetime]] = defaultdict(list)
    for name in RESCORED_AFTER[kind]:
        record_type = LINKED_RECORD_TYPES[name]
        kinds = ["subject_kind"] if record_type.has_subject_kind else []
        read = [record_type.subject_field, record_type.known_from, *kinds]
        table = _table(records, name, read)
        if kinds:
            table = table.filter(pc.equal(table["subject_kind"], kind))
        ids, instants = table[record_type.subject_field], table[record_type.known_from]
        for subject_id, instant in zip(ids.to_pylist(), instants.to_pylist(), strict=True):
            if instant is not None:
                known_at[subject_id].append(instant)
    return known_at


def _stands_at(lives: Sequence[CountingVersion], instant: datetime) -> bool:
    return version_at(lives, instant) is not None


def _subjects(kind: SubjectKind, records: RecordBlocks) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield the id of each subject, its declaration, and when its journey is due."""
    subject_type = SUBJECT_TYPES[kind]
    read = [subject_type.id_field, "journey_id" if subject_type.has_journey else "due_at"]
    table = _table(records, subject_type.record_file, [*read, "declared_at", "known_at"])
    table = _first_versions(table, subject_type.record)
    declared_at = table["declared_at"].to_pylist()
    if subject_type.has_journey:
        due_at = _due_of_journeys(table, records)
    else:
        due_at = table["due_at"].to_pylist()
    ids = table[subject_type.id_field].to_pylist()
    yield from zip(ids, declared_at, due_at, strict=True)


def _first_versions(table: pa.Table, record: type[Record]) -> pa.Table:
    """Return each record once, in the version that became known first."""
    by_known = [("known", "ascending"), ("declared_at", "ascending")]
    numbered = table.append_column("row", pa.array(np.arange(len(table))))
    ordered = numbered.append_column("known", known_by_own_fields(record, table)).sort_by(by_known)
    first = ordered.group_by([*record.versions_of], use_threads=False).aggregate([("row", "first")])
    return table.take(first["row_first"].combine_chunks().sort())


def _due_of_journeys(shipments: pa.Table, records: RecordBlocks) -> list[datetime]:
    """Return when each shipment's journey is due.

    Its declaration if the journey was unknown then.
    """
    read = ["journey_id", "declared_at", "due_at", "known_at"]
    journeys = _first_versions(_table(records, "journeys", read), Journey)
    known = {row["journey_id"]: row for row in journeys.to_pylist()}
    due_at = []
    for row in shipments.select(["journey_id", "declared_at"]).to_pylist():
        journey = known.get(row["journey_id"])
        is_known = journey is not None and journey["declared_at"] < row["declared_at"]
        due_at.append(journey["due_at"] if journey and is_known else row["declared_at"])
    return due_at


def _table(records: RecordBlocks, name: str, fields: Sequence[str]) -> pa.Table:
    return table_of_columns(read_whole(records, name, fields))
