"""One standard message -> what is to be kept of it and scored: everything checked, nothing stored.

A journey or a shipment that it makes is scored with the records of the message that belong to it;
what can come by itself is kept by itself too, so that later scores know it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from features.linked_records import LINKED_RECORD_TYPES
from features.messages.concerned_parts import Subject
from features.messages.conversion import GIVEN, Conversion, MadeRecord
from features.messages.once_read import MAX_LISTED, Leftovers
from features.records import RECORD_FILES, Record, SubjectKind
from features.subject_types import SUBJECT_TYPES
from serving.errors import SubmissionRefused, Unprocessable
from serving.history.ingestion import CheckedRecord
from serving.history.kept_messages import PlacedRecord
from serving.history.received_records import SUBJECT_KIND_OF

# What becomes known at an instant counts after it.
JUST_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True)
class MadeSubject:
    """A journey or a shipment that a message made."""

    kind: SubjectKind
    made: MadeRecord
    record: Any

    @property
    def id(self) -> str:
        """Its id."""
        return str(getattr(self.record, SUBJECT_TYPES[self.kind].id_field))


@dataclass(frozen=True)
class ReadMessage:
    """A message as it was read, each thing that it says once."""

    conversion: Conversion
    leftovers: Leftovers

    @property
    def report(self) -> dict[str, Any]:
        """Return what became of the message; `counts` are those of its lists before a cut."""
        report = {**self.conversion.report(), **self.leftovers.lists}
        unfounded = len(report["refused"]) - len(self.conversion.refused)
        counts = dict(self.leftovers.counts)
        counts["not_made"] += unfounded
        return report | {"refused": report["refused"][:MAX_LISTED], "counts": counts}

    @cached_property
    def subjects(self) -> list[MadeSubject]:
        """Return what is to be scored: journeys, then shipments, in the order of the message."""
        return _subjects(each for each in self.conversion.records if not _is_withdrawn(each))

    @property
    def subject_count(self) -> int:
        """Return how many subjects it makes or withdraws."""
        withdrawn = {each.subject for each in self.conversion.withdrawals}
        return len(withdrawn | {(each.kind, each.id) for each in self.subjects})

    @property
    def looked_at(self) -> list[MadeSubject]:
        """The journeys that are scored where they show danger to life alone."""
        return _subjects(self.conversion.looked_at)

    def with_subjects(self, more: Iterable[MadeSubject]) -> "ReadMessage":
        """The same with more to be scored."""
        records = (*self.conversion.records, *(each.made for each in more))
        return self.with_conversion(replace(self.conversion, records=records))

    def with_conversion(self, conversion: Conversion) -> "ReadMessage":
        """Return the same message as it is read by what is known besides."""
        return ReadMessage(conversion, self.leftovers)

    @cached_property
    def declared_items(self) -> dict[str, list[Any]]:
        """The goods items that are part of a declaration, by the shipment that declares them."""
        items: dict[str, list[Any]] = {}
        for made in filter(is_declared, self.conversion.records):
            item = record_of(made)
            items.setdefault(item.shipment_id, []).append(item)
        return items

    @cached_property
    def by_themselves(self) -> dict[str, list[MadeRecord]]:
        """The records by type that can come by themselves, and what withdraws a declaration."""
        found: dict[str, list[MadeRecord]] = {}
        for made in self.conversion.records:
            is_linked = made.record_type in LINKED_RECORD_TYPES
            if _is_withdrawn(made) or (is_linked and not is_declared(made)):
                found.setdefault(made.record_type, []).append(made)
        return found


def body_of_records(by_type: Mapping[str, Sequence[MadeRecord]]) -> bytes:
    """Records as a body that brings them."""
    return json.dumps(
        {name: [_as_json(record_of(made)) for made in own] for name, own in by_type.items()}
    ).encode()


def place_of(pointer: str, by_type: Mapping[str, Sequence[MadeRecord]]) -> str:
    """The place in a message of what a JSON Pointer into that body leads to."""
    _, name, index, *fields = pointer.split("/")
    made = by_type[name][int(index)]
    return _place(made, fields)


def at_places(refusal: SubmissionRefused, places: Sequence[str]) -> Unprocessable:
    """A refusal of records with the places in the message that they were made of."""
    faults = tuple(
        replace(fault, pointer=place) for fault, place in zip(refusal.faults, places, strict=True)
    )
    return Unprocessable(
        "a record of the message cannot be kept", faults, code="message-unreadable"
    )


def submission_of(
    subject: MadeSubject, read: ReadMessage, kept: Sequence[CheckedRecord], at: datetime
) -> dict[str, Any]:
    """The submission of a subject, with the records of the message that belong to it.

    It is scored as of when the message was taken, so that all that it brings counts.
    """
    journey = _journey(subject, read)
    own = {"route": journey, "shipment": subject.record}[subject.kind]
    known = [each.known_at for each in (own, journey) if each is not None and each.known_at]
    submitted: dict[str, Any] = {
        "subject_kind": subject.kind,
        "as_of": (max(at, own.declared_at, *known) + JUST_AFTER).isoformat(),
    }
    if journey is not None:
        submitted["journey"] = _as_json(journey)
    if subject.kind == "shipment":
        submitted["shipment"] = {
            **_as_json(subject.record),
            "items": [_as_json(item) for item in read.declared_items.get(subject.id, ())],
        }
    for name, record in _belonging(subject, journey, kept):
        if name == "goods_items":
            submitted["shipment"]["items"].append(_as_json(record))
        else:
            submitted.setdefault(name, []).append(_as_json(record))
    return submitted


def place_in_submission(subject: MadeSubject, read: ReadMessage, pointer: str) -> str:
    """The place in a message of what a JSON Pointer into the submission of a subject leads to."""
    holder, *fields = pointer.removeprefix("/").split("/")
    if holder == "journey":
        made = next((each.made for each in read.subjects if each.kind == "route"), subject.made)
        return _place(made, fields)
    return _place(subject.made, fields)


def placed_records(read: ReadMessage, kept: Sequence[CheckedRecord]) -> tuple[PlacedRecord, ...]:
    """Each record with the places of its fields, as pages and answers cite them."""
    settled = {each.pointer: each.record for each in kept}
    numbers = {
        id(made): f"/{name}/{number}"
        for name, own in read.by_themselves.items()
        for number, made in enumerate(own)
    }
    return tuple(
        _placed(made, settled.get(numbers.get(id(made), "")) or record_of(made))
        for made in read.conversion.records
    )


def concerned_at(records: Iterable[PlacedRecord]) -> dict[str, dict[Subject, None]]:
    """The subjects of the records that were made of each place."""
    found: dict[str, dict[Subject, None]] = {}
    for each in records:
        for place in each.places.values():
            if place != GIVEN:
                found.setdefault(place, {})[each.subject_kind, each.subject_id] = None
    return found


def _placed(made: MadeRecord, record: Any) -> PlacedRecord:
    kind = SUBJECT_KIND_OF.get(made.record_type)
    if kind is not None:
        subject_id = str(getattr(record, SUBJECT_TYPES[kind].id_field))
        return PlacedRecord(made.record_type, subject_id, kind, subject_id, made.places)
    linked = LINKED_RECORD_TYPES[made.record_type]
    subject_kind = record.subject_kind if linked.has_subject_kind else linked.kinds[0]
    named = getattr(record, linked.key_fields[0])
    return PlacedRecord(
        record_type=made.record_type,
        cited_as=named.isoformat() if isinstance(named, datetime) else str(named),
        subject_kind=subject_kind,
        subject_id=str(getattr(record, linked.subject_field)),
        places=made.places,
    )


def _belonging(
    subject: MadeSubject, journey: Any, kept: Sequence[CheckedRecord]
) -> Iterator[tuple[str, Record]]:
    """The records of a subject, and of the journey that brings it, with their types."""
    journey_id = journey.journey_id if journey is not None else None
    for each in kept:
        linked = LINKED_RECORD_TYPES.get(each.row.kind)
        if linked is None:  # it withdraws another subject
            continue
        is_of_journey = not linked.has_subject_kind and linked.kinds[0] == "route"
        wanted = ("route", journey_id) if is_of_journey else (subject.kind, subject.id)
        if (each.row.subject_kind, each.row.subject_id) == wanted:
            yield each.row.kind, each.record


def _journey(subject: MadeSubject, read: ReadMessage) -> Any:
    """The journey of a subject, where the message made it."""
    if subject.kind == "route":
        return subject.record
    journeys = (each.record for each in read.subjects if each.kind == "route")
    return next((each for each in journeys if each.journey_id == subject.record.journey_id), None)


def _subjects(records: Iterable[MadeRecord]) -> list[MadeSubject]:
    made = [*records]
    return [
        MadeSubject(kind, each, record_of(each))
        for file, kind in SUBJECT_KIND_OF.items()
        for each in made
        if each.record_type == file
    ]


def _is_withdrawn(made: MadeRecord) -> bool:
    return bool(made.fields.get("withdrawn"))


def is_declared(made: MadeRecord) -> bool:
    """Whether a record is part of the declaration of its subject, and comes with that alone."""
    record = RECORD_FILES[made.record_type]
    return record.is_part_of_declaration and made.fields.get(record.known_from) is None


def record_of(made: MadeRecord) -> Any:
    """The record itself."""
    return RECORD_FILES[made.record_type].model_validate(made.fields)


def _as_json(record: Record) -> dict[str, Any]:
    return record.model_dump(mode="json", exclude_none=True)


def _place(made: MadeRecord, fields: Sequence[str]) -> str:
    """The place of the first field that has one, else where the record begins."""
    told = (made.places[field] for field in fields if field in made.places)
    return next(told, None) or next(iter(made.places.values()), "")
