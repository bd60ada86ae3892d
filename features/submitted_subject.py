"""Convert a submission to rows of fields: the subject with its journey, and linked records."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from features.derived.beside_subject import subject_key
from features.derived.subject import (
    DERIVE_BY_KIND,
    LATEST_FIELDS,
    LatestField,
    derived_columns,
    subject_kinds,
)
from features.engine.columns import instant_us
from features.engine.expressions.encode_rows import Row
from features.engine.expressions.program import Key, Program, traced_columns
from features.engine.expressions.trace import Mapped
from features.engine.online.request_records import LinkedRows, RequestRows
from features.linked_records import LinkedRecordType, linked_record_types
from features.records import RECORD_FILES, VERSION_FIELDS, Journey, SubjectKind
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission

# The shipment has the journey's id itself; the version of the journey is no feature.
_JOURNEY_FIELDS = {
    f"journey_{name}": name
    for name in Journey.model_fields
    if name not in {"journey_id", *VERSION_FIELDS}
}
_NO_JOURNEY: Row = dict.fromkeys(_JOURNEY_FIELDS)


def subject_program(kind: SubjectKind, columns: Collection[Key]) -> Program:
    """Return the program that derives columns of a subject from its record and its journey.

    A `Mapped` key stands for what the string table maps the texts of its column to.
    """
    derived = derived_columns(kind).outputs
    fields = {name: kind_of for name, kind_of in subject_kinds(kind).items() if name not in derived}

    def derive(subject: dict[Key, Any]) -> dict[Key, Any]:
        mapped = {
            key: subject[key.key].mapped(key.function, key.kind.value)
            for key in columns
            if isinstance(key, Mapped)
        }
        return {**subject, **DERIVE_BY_KIND[kind](subject), **mapped}

    return traced_columns(derive, fields, columns)


@cache
def linked_sources(kind: SubjectKind) -> dict[str, LinkedRows]:
    """Return the linked records of a submission of one kind, by field."""
    return {
        record_type.name: _linked_rows(record_type, kind)
        for record_type in linked_record_types(kind)
    }


def _linked_rows(record_type: LinkedRecordType, kind: SubjectKind) -> LinkedRows:
    program = record_type.program(kind)
    keys = {key: subject_key(key) for key in program.inputs}
    return LinkedRows(
        source=record_type.name,
        known_from=record_type.known_from,
        order_field=record_type.order_field,
        program=program,
        subject_columns={key: column for key, column in keys.items() if column is not None},
        previous=tuple(record_type.previous),
        measured=record_type.measured,
        version_of=record_type.version_of,
        known_when_missing=record_type.known_when_missing,
        amended=record_type.record.versions_of,
        is_replaced=record_type.record.versions_replace,
        histories=record_type.histories,
    )


def request_rows(submission: Submission) -> RequestRows:
    """Return a submission at its scoring instant; linked records are in the order of knowledge."""
    at = submission.scoring_instant
    linked = {
        name: source.known_before(submission.linked(name), at)
        for name, source in linked_sources(submission.subject_kind).items()
    }
    return RequestRows(
        as_of=instant_us(at),
        declared_at=instant_us(submission.declared_at),
        subject=_subject_row(submission, linked),
        linked=linked,
    )


def _subject_row(submission: Submission, linked: Mapping[str, Sequence[Row]]) -> Row:
    has_journey = SUBJECT_TYPES[submission.subject_kind].has_journey
    journey = _journey_row(submission) if has_journey else {}
    row = {**submission.subject.__dict__, **journey}
    for column, latest in LATEST_FIELDS.items():
        if submission.subject_kind in latest.subjects:
            row[column] = _latest(latest, linked[latest.record_file], submission.declared_at)
    return row


def _latest(latest: LatestField, rows: Sequence[Row], declared_at: datetime) -> object:
    """Return the field of the last row that states it, among those selected.

    None if there is none.
    """
    known_from = RECORD_FILES[latest.record_file].known_from
    for row in reversed(rows):
        value = row[latest.field]
        is_stated = value is not None and value == value  # noqa: PLR0124  NaN is no number
        is_meant = latest.kind in (None, row.get("kind"))
        is_in_time = not latest.is_before_declaration or row[known_from] < declared_at
        if is_stated and is_meant and is_in_time:
            return value
    return None


def _journey_row(submission: Submission) -> Row:
    """Return the fields of a shipment's journey.

    Missing unless it was declared before the shipment.
    """
    shipment, journey = submission.shipment, submission.journey
    if shipment is None or journey is None or shipment.journey_id != journey.journey_id:
        return _NO_JOURNEY
    # A journey declared later was not known when the shipment was scored.
    if journey.declared_at >= shipment.declared_at:
        return _NO_JOURNEY
    fields = journey.__dict__
    return {name: fields[field] for name, field in _JOURNEY_FIELDS.items()}
