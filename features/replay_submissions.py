"""Convert record files to the submissions that a border system would have sent."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import INSTANT
from features.ingest.record_files import read_records
from features.linked_records import LINKED_RECORD_TYPES, LinkedRecordType, linked_record_types
from features.record_versions import CountingVersion, counting_versions, version_at
from features.records import Journey, Record, SubjectKind
from features.scoring_instants import Instants
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission, submitted_subject, submitted_type

Row = dict[str, Any]

# The resolution of instants in record files.
RESOLUTION = timedelta(microseconds=1)


def submissions_of(
    records: Path,
    kind: SubjectKind,
    since: datetime | None = None,
    later: Instants = MappingProxyType({}),
    among: pa.Array | None = None,
) -> Iterator[Submission]:
    """Yield one submission per subject declared `since` an instant, by declaration and id.

    `among` limits the subjects to some ids. Only records known before a subject's declaration are
    linked to it. For each of its `later` scoring instants another submission follows, with that
    `as_of` and the records known before it.
    """
    subject_type = SUBJECT_TYPES[kind]
    identity = subject_type.id_field
    subjects = _declared_since(read_records(records, subject_type.record_file), since)
    if among is not None:
        subjects = subjects.filter(pc.is_in(subjects[identity], among))
    ids = subjects[identity]
    grouped = {
        record_type.name: _grouped(records, record_type, ids)
        for record_type in linked_record_types(kind)
    }
    journeys = _journeys_of(records, subjects["journey_id"]) if subject_type.has_journey else {}
    everyone = _lives(subjects, subject_type.record, identity)
    in_order = sorted(everyone.items(), key=lambda each: (each[1][0].row["declared_at"], each[0]))
    for subject_id, lives in in_order:
        for as_of in (None, *later.get(subject_id, ())):
            # The declaration (`as_of` is None) is replayed with the first version.
            row = version_at(lives, as_of) or lives[0].row
            at = as_of or row["declared_at"]
            own = _journey_at(row, at, journeys) if subject_type.has_journey else {}
            linked = {
                record_type.name: _known(
                    grouped[record_type.name][subject_id], record_type, kind, at
                )
                for record_type in linked_record_types(kind)
            }
            yield Submission(subject_kind=kind, as_of=as_of, **own, **_submitted(kind, row, linked))


def _submitted(kind: SubjectKind, row: Row, linked: dict[str, Any]) -> dict[str, Any]:
    """Return the submission fields for a subject's own record and its linked records."""
    field = SUBJECT_TYPES[kind].submission_field
    fields = {LINKED_RECORD_TYPES[name].path_in_submission: each for name, each in linked.items()}
    inside = {path[1]: each for path, each in fields.items() if path[:-1] == (field,)}
    beside = {path[0]: each for path, each in fields.items() if len(path) == 1}
    return {field: submitted_subject(kind)(**row, **inside), **beside}


def _journey_at(
    row: Row, at: datetime, journeys: dict[str, list[CountingVersion]]
) -> dict[str, Any]:
    """Return the journey that carries a subject, as known at an instant.

    Empty if it was not declared before the subject. For a subject as declared, versions count that
    were known by its declaration, or by when the subject became known if later.
    """
    lives = journeys.get(row["journey_id"], [])
    if at == row["declared_at"]:
        at = max(at, row.get("known_at") or at) + RESOLUTION
    journey = version_at(lives, at)
    if journey is None or journey["declared_at"] >= row["declared_at"]:
        return {}
    return {"journey": Journey(**journey)}


def _declared_since(subjects: pa.Table, since: datetime | None) -> pa.Table:
    if since is None:
        return subjects
    return subjects.filter(pc.greater_equal(subjects["declared_at"], pa.scalar(since, INSTANT)))


def _journeys_of(records: Path, ids: pa.ChunkedArray) -> dict[str, list[CountingVersion]]:
    journeys = read_records(records, "journeys")
    named = journeys.filter(pc.is_in(journeys["journey_id"], ids.combine_chunks()))
    return _lives(named, Journey, "journey_id")


def _lives(
    table: pa.Table, record: type[Record], identity: str
) -> dict[str, list[CountingVersion]]:
    """Return the versions of each record that ever counted, without records that have none."""
    versions: dict[str, list[Row]] = defaultdict(list)
    for row in table.to_pylist():
        versions[row[identity]].append(row)
    lives = {id_: counting_versions(rows, record) for id_, rows in versions.items()}
    return {id_: of_record for id_, of_record in lives.items() if of_record}


def _grouped(
    records: Path, record_type: LinkedRecordType, ids: pa.ChunkedArray
) -> dict[str, list[Row]]:
    table, key = read_records(records, record_type.name), record_type.subject_field
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in table.filter(pc.is_in(table[key], ids.combine_chunks())).to_pylist():
        grouped[row[key]].append(row)
    return grouped


def _known(rows: list[Row], record_type: LinkedRecordType, kind: SubjectKind, at: datetime) -> Any:
    """Return the linked records of one subject that were known before an instant."""
    known_from, submitted = record_type.known_from, submitted_type(record_type.name)
    return tuple(
        submitted(**row)
        for row in rows
        if row.get("subject_kind", kind) == kind
        and (known_at := row[known_from] or record_type.known_when_missing) is not None
        and known_at < at
    )
