"""Record files -> submissions: what a border system would have sent at each declaration."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import INSTANT
from features.ingest.record_files import read_records
from features.records import RECORD_FILES, Journey, Leg, Position, Shipment, SubjectKind
from features.subject_types import SUBJECT_TYPES
from features.submission import AttachedDocument, AttachedTransaction, Submission

Row = dict[str, Any]


def submissions_of(
    records: Path, kind: SubjectKind, since: datetime | None = None
) -> Iterator[Submission]:
    """One submission per subject of one kind declared `since` then, in order of declaration and id.

    Only what was known before a subject's declaration is attached to it.
    """
    subject_type = SUBJECT_TYPES[kind]
    identity = subject_type.id_field
    subjects = _declared_since(read_records(records, subject_type.record_file), since)
    ids = subjects[identity]
    attached = {
        name: _grouped(records, name, key, ids)
        for name, key in {
            "documents": "subject_id",
            "transactions": "subject_id",
            **({"legs": "journey_id", "positions": "journey_id"} if kind == "route" else {}),
        }.items()
    }
    journeys = {} if kind == "route" else _journeys_of(records, subjects["journey_id"])
    for row in subjects.sort_by(
        [("declared_at", "ascending"), (identity, "ascending")]
    ).to_pylist():
        known = {
            name: _known(rows[row[identity]], name, kind, row["declared_at"])
            for name, rows in attached.items()
        }
        yield Submission(
            subject_kind=kind,
            documents=tuple(AttachedDocument(**r) for r in known["documents"]),
            transactions=tuple(AttachedTransaction(**r) for r in known["transactions"]),
            **(_route(row, known) if kind == "route" else _shipment(row, journeys)),
        )


def _route(row: Row, known: dict[str, list[Row]]) -> dict[str, Any]:
    return {
        "journey": Journey(**row),
        "legs": tuple(Leg(**leg) for leg in known["legs"]),
        "positions": tuple(Position(**position) for position in known["positions"]),
    }


def _shipment(row: Row, journeys: dict[str, Row]) -> dict[str, Any]:
    journey = journeys.get(row["journey_id"])
    if journey is None or journey["declared_at"] >= row["declared_at"]:
        return {"shipment": Shipment(**row)}
    return {"shipment": Shipment(**row), "journey": Journey(**journey)}


def _declared_since(subjects: pa.Table, since: datetime | None) -> pa.Table:
    if since is None:
        return subjects
    return subjects.filter(pc.greater_equal(subjects["declared_at"], pa.scalar(since, INSTANT)))


def _journeys_of(records: Path, ids: pa.ChunkedArray) -> dict[str, Row]:
    journeys = read_records(records, "journeys")
    asked = journeys.filter(pc.is_in(journeys["journey_id"], ids.combine_chunks()))
    return {row["journey_id"]: row for row in asked.to_pylist()}


def _grouped(records: Path, name: str, key: str, ids: pa.ChunkedArray) -> dict[str, list[Row]]:
    table = read_records(records, name)
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in table.filter(pc.is_in(table[key], ids.combine_chunks())).to_pylist():
        grouped[row[key]].append(row)
    return grouped


def _known(rows: list[Row], name: str, kind: SubjectKind, at: datetime) -> list[Row]:
    known_from = RECORD_FILES[name].known_from
    return [
        row
        for row in rows
        if row.get("subject_kind", kind) == kind
        and row[known_from] is not None
        and row[known_from] < at
    ]
