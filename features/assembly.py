"""Record files -> submissions: what a border system would have sent at each declaration."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from features.reading import read_records
from features.records import RECORD_FILES, Journey, Leg, Position, Shipment, SubjectKind
from features.submission import AttachedDocument, AttachedTransaction, Submission

Rows = dict[str, list[dict[str, Any]]]


def submissions_of(records: Path, kind: SubjectKind) -> Iterator[Submission]:
    """One submission per subject of one kind, in order of declaration and id.

    Only what was known before a subject's declaration is attached to it.
    """
    attached = {name: _by_subject(records, name) for name in ("documents", "transactions")}
    moved = {name: _by_journey(records, name) for name in ("legs", "positions")}
    journeys = {row["journey_id"]: row for row in _rows(records, "journeys")}
    own, id_field = ("journeys", "journey_id") if kind == "route" else ("shipments", "shipment_id")
    subjects = journeys.values() if kind == "route" else _rows(records, own)
    for row in sorted(subjects, key=lambda row: (row["declared_at"], row[id_field])):
        at = row["declared_at"]
        documents, transactions = (
            _known(attached[name][kind, row[id_field]], name, at) for name in attached
        )
        yield Submission(
            subject_kind=kind,
            documents=tuple(AttachedDocument(**r) for r in documents),
            transactions=tuple(AttachedTransaction(**r) for r in transactions),
            **(_route(row, moved) if kind == "route" else _shipment(row, journeys)),
        )


def _route(row: dict[str, Any], moved: dict[str, Rows]) -> dict[str, Any]:
    legs, positions = (
        _known(moved[name][row["journey_id"]], name, row["declared_at"]) for name in moved
    )
    return {
        "journey": Journey(**row),
        "legs": tuple(Leg(**leg) for leg in legs),
        "positions": tuple(Position(**position) for position in positions),
    }


def _shipment(row: dict[str, Any], journeys: dict[str, dict[str, Any]]) -> dict[str, Any]:
    journey = journeys.get(row["journey_id"])
    if journey is None or journey["declared_at"] >= row["declared_at"]:
        return {"shipment": Shipment(**row)}
    return {"shipment": Shipment(**row), "journey": Journey(**journey)}


def _rows(records: Path, name: str) -> list[dict[str, Any]]:
    return read_records(records, name).to_pylist()


def _by_subject(records: Path, name: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    grouped = defaultdict(list)
    for row in _rows(records, name):
        grouped[row["subject_kind"], row["subject_id"]].append(row)
    return grouped


def _by_journey(records: Path, name: str) -> Rows:
    grouped: Rows = defaultdict(list)
    for row in _rows(records, name):
        grouped[row["journey_id"]].append(row)
    return grouped


def _known(rows: list[dict[str, Any]], name: str, at: datetime) -> list[dict[str, Any]]:
    known_from = RECORD_FILES[name].known_from
    return [row for row in rows if row[known_from] is not None and row[known_from] < at]
