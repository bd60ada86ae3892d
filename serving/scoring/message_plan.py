"""Derive what to store and what to score from a trade message; check all, store nothing.

A journey or shipment in a message is scored with the message's records that belong to it. Records
that may arrive on their own are also stored on their own, so that later scores use them.
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
from features.messages.encoded_message import MAX_LISTED, Leftovers
from features.records import RECORD_FILES, Record, SubjectKind
from features.subject_types import SUBJECT_TYPES
from serving.errors import SubmissionRefused, Unprocessable
from serving.history.ingestion import CheckedRecord
from serving.history.kept_messages import PlacedRecord
from serving.history.received_records import SUBJECT_KIND_OF

# Records count strictly before a scoring instant, so it must lie just after they became known.
JUST_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True)
class MadeSubject:
    """A journey or shipment that a message declares."""

    kind: SubjectKind
    made: MadeRecord
    record: Any

    @property
    def id(self) -> str:
        """The id of the journey or shipment."""
        return str(getattr(self.record, SUBJECT_TYPES[self.kind].id_field))


@dataclass(frozen=True)
class ReadMessage:
    """A message as read, with every record once, and the parts that gave no record."""

    conversion: Conversion
    leftovers: Leftovers

    @property
    def report(self) -> dict[str, Any]:
        """Return the report on the message; `counts` are list lengths before truncation."""
        report = {**self.conversion.report(), **self.leftovers.lists}
        unfounded = len(report["refused"]) - len(self.conversion.refused)
        counts = dict(self.leftovers.counts)
        counts["not_made"] += unfounded
        return report | {"refused": report["refused"][:MAX_LISTED], "counts": counts}

    @cached_property
    def subjects(self) -> list[MadeSubject]:
        """Return the subjects to score: journeys, then shipments, in the order of the message."""
        return _subjects(each for each in self.conversion.records if not _is_withdrawn(each))

    @property
    def subject_count(self) -> int:
        """Return the number of subjects that the message declares or withdraws."""
        withdrawn = {each.subject for each in self.conversion.withdrawals}
        return len(withdrawn | {(each.kind, each.id) for each in self.subjects})

    @property
    def looked_at(self) -> list[MadeSubject]:
        """The journeys that are scored only if they show danger to life."""
        return _subjects(self.conversion.looked_at)

    def with_subjects(self, more: Iterable[MadeSubject]) -> "ReadMessage":
        """Add subjects to score."""
        records = (*self.conversion.records, *(each.made for each in more))
        return self.with_conversion(replace(self.conversion, records=records))

    def with_conversion(self, conversion: Conversion) -> "ReadMessage":
        """Return the message with another conversion, for example with versions numbered."""
        return ReadMessage(conversion, self.leftovers)

    @cached_property
    def declared_items(self) -> dict[str, list[Any]]:
        """The goods items that are part of a declaration, by shipment id."""
        items: dict[str, list[Any]] = {}
        for made in filter(is_declared, self.conversion.records):
            item = record_of(made)
            items.setdefault(item.shipment_id, []).append(item)
        return items

    @cached_property
    def by_themselves(self) -> dict[str, list[MadeRecord]]:
        """The records that may arrive on their own, and withdrawals, by record type."""
        found: dict[str, list[MadeRecord]] = {}
        for made in self.conversion.records:
            is_linked = made.record_type in LINKED_RECORD_TYPES
            if _is_withdrawn(made) or (is_linked and not is_declared(made)):
                found.setdefault(made.record_type, []).append(made)
        return found


def body_of_records(by_type: Mapping[str, Sequence[MadeRecord]]) -> bytes:
    """Encode records as the body of a record submission."""
    return json.dumps(
        {name: [_as_json(record_of(made)) for made in own] for name, own in by_type.items()}
    ).encode()


def place_of(pointer: str, by_type: Mapping[str, Sequence[MadeRecord]]) -> str:
    """Return the place in the message for a JSON Pointer into the body of `body_of_records`."""
    _, name, index, *fields = pointer.split("/")
    made = by_type[name][int(index)]
    return _place(made, fields)


def at_places(refusal: SubmissionRefused, places: Sequence[str]) -> Unprocessable:
    """Return the refusal of records with pointers into the original message."""
    faults = tuple(
        replace(fault, pointer=place) for fault, place in zip(refusal.faults, places, strict=True)
    )
    return Unprocessable(
        "a record of the message cannot be kept", faults, code="message-unreadable"
    )


def submission_of(
    subject: MadeSubject, read: ReadMessage, kept: Sequence[CheckedRecord], at: datetime
) -> dict[str, Any]:
    """Build the submission of a subject with the records of the message that belong to it.

    It is scored as of the intake of the message, so that everything in it counts.
    """
    journey = _journey(subject, read)
    own = {"route": journey, "shipment": subject.record}[subject.kind]
    known = [each.known_at for each in (own, journey) if each is not None and each.known_at]
    submitted: dict[str, Any] = {
        "subject_kind": subject.kind,
        # Instants in the message may be ahead of its intake; all of its records must count.
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
    """Return the place in the message for a JSON Pointer into a subject's submission."""
    holder, *fields = pointer.removeprefix("/").split("/")
    if holder == "journey":
        made = next((each.made for each in read.subjects if each.kind == "route"), subject.made)
        return _place(made, fields)
    return _place(subject.made, fields)


def placed_records(read: ReadMessage, kept: Sequence[CheckedRecord]) -> tuple[PlacedRecord, ...]:
    """Return each record with the places of its fields, as pages and answers cite them."""
    settled = {each.pointer: each.record for each in kept}
    # By identity: two equal records of a message come from different places.
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
    """Return the subjects of the records made from each place."""
    found: dict[str, dict[Subject, None]] = {}
    for each in records:
        for place in each.places.values():
            # GIVEN marks values that the sender supplied separately, which are not in the text.
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
    """Yield the records, with their types, of a subject and of the journey that carries it."""
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
    """Return the journey of a subject; None if the message does not declare it."""
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
    """Return True if a record is part of its subject's declaration and cannot arrive alone."""
    record = RECORD_FILES[made.record_type]
    return record.is_part_of_declaration and made.fields.get(record.known_from) is None


def record_of(made: MadeRecord) -> Any:
    """Return the validated record."""
    return RECORD_FILES[made.record_type].model_validate(made.fields)


def _as_json(record: Record) -> dict[str, Any]:
    return record.model_dump(mode="json", exclude_none=True)


def _place(made: MadeRecord, fields: Sequence[str]) -> str:
    """Return the place of the first field that has one, else of the record's beginning."""
    told = (made.places[field] for field in fields if field in made.places)
    return next(told, None) or next(iter(made.places.values()), "")
