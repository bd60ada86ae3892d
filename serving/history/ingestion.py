"""Ingest records that come by themselves: check them one by one, store them, add them to history.

A record is known by its id for ever. The same one again is no error, another one under its id is:
what a decision rested on must not change. One bad record keeps no other out.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import ValidationError

from features.linked_records import LINKED_RECORD_TYPES
from features.records import OF_DOCUMENTS, RECORD_FILES, SUBJECT_KINDS, Outcome, Record
from serving.access.callers import Caller
from serving.errors import BodyTooLarge, RequestFault, SubmissionRefused
from serving.history.client import HistoryClient
from serving.history.received_records import ReceivedRecord, RecordStore
from serving.request_parsing import fault_of, read_json
from serving.triage.lane_rule import VISITED

RECORD_TYPES = (*LINKED_RECORD_TYPES, "outcomes")
"""What may come by itself: records linked to a subject, and outcomes."""

MOST_RECORDS = 5_000


@dataclass(frozen=True)
class RecordSource:
    """Who sends records, when, and what for."""

    caller_id: str
    at: datetime
    purpose: str


@dataclass(frozen=True)
class CheckedRecord:
    """One well-formed record: where it stood in the body, and the row it becomes."""

    pointer: str
    record: Record
    row: ReceivedRecord


@dataclass(frozen=True)
class IngestResult:
    """How many records were new, how many known already, and what is wrong with the others.

    `not_scored` are the places in the body of kept records whose subjects were never decided about.
    """

    accepted: int
    repeated: int
    faults: tuple[RequestFault, ...]
    not_scored: tuple[str, ...] = ()


class SubjectDecisions(Protocol):
    """What was decided about subjects: for which offices, and into which lanes."""

    def offices_of(self, subject_kind: str, subject_ids: Sequence[str]) -> dict[str, set[str]]:
        """The offices of each of these subjects, of those that belong to some."""
        ...

    def lanes_of(self, subject_kind: str, subject_ids: Sequence[str]) -> dict[str, set[str]]:
        """The lanes that each of these subjects came into, of those decided about."""
        ...


@dataclass(frozen=True)
class RecordIngestion:
    """Ingests records; what is accepted is durable and known to every later score."""

    store: RecordStore
    decisions: SubjectDecisions
    history: HistoryClient
    purpose: str

    def ingest(self, caller: Caller, body: bytes, at: datetime) -> IngestResult:
        """Check and store the records in a body.

        Raises BodyMalformed, BodyTooLarge, SubmissionRefused (nothing in it can be kept) or
        LogUnavailable.
        """
        faults: list[RequestFault] = []
        source = RecordSource(caller.key_id, at, self.purpose)
        received: dict[tuple[str, str], CheckedRecord] = {}
        given = list(_records_in(body, source, faults))
        for each in self._sent_there(list(self._allowed(caller, given, faults)), faults):
            known = received.setdefault(each.row.key, each)
            if known.row.body != each.row.body:
                faults.append(_differs(each))
        before = self.store.add_new([checked.row for checked in received.values()])
        new = [each for key, each in received.items() if key not in before]
        same = [each for key, each in received.items() if before.get(key) == each.row.body]
        faults += [
            _differs(each)
            for key, each in received.items()
            if before.get(key, each.row.body) != each.row.body
        ]
        if faults and not new and not same:
            raise SubmissionRefused("none of the records can be kept", tuple(faults))
        self.history.ingest_records([each.record for each in (*new, *same)], at.isoformat())
        return IngestResult(len(new), len(same), tuple(faults), self._not_scored([*new, *same]))

    def _not_scored(self, kept: Sequence[CheckedRecord]) -> tuple[str, ...]:
        """Where those stand in the body whose subjects were never decided about."""
        decided: dict[str, dict[str, set[str]]] = {
            kind: self.decisions.lanes_of(
                kind, [r.row.subject_id for r in kept if r.row.subject_kind == kind]
            )
            for kind in SUBJECT_KINDS
        }
        return tuple(
            each.pointer
            for each in kept
            if each.row.subject_id not in decided[each.row.subject_kind]
        )

    def _allowed(
        self, caller: Caller, received: list[CheckedRecord], faults: list[RequestFault]
    ) -> Iterator[CheckedRecord]:
        """Those about subjects that are not another office's alone."""
        if not caller.offices:
            yield from received
            return
        offices: dict[str, dict[str, set[str]]] = {
            kind: self.decisions.offices_of(
                kind, [r.row.subject_id for r in received if r.row.subject_kind == kind]
            )
            for kind in SUBJECT_KINDS
        }
        for each in received:
            own = offices[each.row.subject_kind].get(each.row.subject_id, caller.offices)
            if caller.offices & own:
                yield each
            else:
                faults.append(
                    RequestFault(
                        each.pointer, "foreign_office", "the subject belongs to another office"
                    )
                )

    def _sent_there(
        self, received: list[CheckedRecord], faults: list[RequestFault]
    ) -> Iterator[CheckedRecord]:
        """Those but outcomes of visits by the model where no decision sent anybody to look.

        Such a visit was an officer's discretion; as a draw of the model's it would stand for many.
        """
        lanes: dict[str, dict[str, set[str]]] = {
            kind: self.decisions.lanes_of(
                kind, [r.row.subject_id for r in received if _is_visit_of_the_model(r, kind)]
            )
            for kind in SUBJECT_KINDS
        }
        for each in received:
            kind = each.row.subject_kind
            own = lanes[kind].get(each.row.subject_id, VISITED)
            if _is_visit_of_the_model(each, kind) and not {*own} & {*VISITED}:
                why = "no decision sent anybody to look: want selected_by discretion"
                faults.append(RequestFault(f"{each.pointer}/selected_by", "not_selected", why))
            else:
                yield each


def _is_visit_of_the_model(each: CheckedRecord, kind: str) -> bool:
    return (
        isinstance(each.record, Outcome)
        and each.record.selected_by == "model"
        and each.record.result not in OF_DOCUMENTS
        and each.row.subject_kind == kind
    )


def _records_in(
    body: bytes, source: RecordSource, faults: list[RequestFault]
) -> Iterator[CheckedRecord]:
    given = read_json(body)
    if not isinstance(given, dict) or not set(given) <= set(RECORD_TYPES) or not given:
        raise SubmissionRefused(f"want an object with some of {', '.join(RECORD_TYPES)}")
    if not all(isinstance(records, list) for records in given.values()):
        raise SubmissionRefused("each kind of record is given as an array")
    if sum(map(len, given.values())) > MOST_RECORDS:
        raise BodyTooLarge(f"a body may hold {MOST_RECORDS} records")
    for kind, records in given.items():
        for index, each in enumerate(records):
            pointer = f"/{kind}/{index}"
            try:
                record = RECORD_FILES[kind].model_validate_json(json.dumps(each))
            except ValidationError as refusal:
                errors = refusal.errors(include_url=False)
                faults.extend(fault_of(error, pointer) for error in errors)
            else:
                yield CheckedRecord(pointer, record, _row(kind, record, source))


def _row(kind: str, record: Record, source: RecordSource) -> ReceivedRecord:
    subject_kind, subject_id, record_id = _identity(kind, record)
    return ReceivedRecord(
        kind=kind,
        record_id=record_id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        received_at=source.at.isoformat(),
        caller_id=source.caller_id,
        body=record.model_dump_json(exclude_none=True),
        purpose=source.purpose,
    )


def _identity(kind: str, record: Any) -> tuple[str, str, str]:
    """Kind and id of the subject, and what tells the record from all others of its type."""
    if isinstance(record, Outcome):
        name = " ".join(str(getattr(record, field)) for field in Outcome.unique_fields)
        return record.subject_kind, record.subject_id, name
    record_type = LINKED_RECORD_TYPES[kind]
    subject_kind = record.subject_kind if record_type.has_subject_kind else record_type.kinds[0]
    return subject_kind, getattr(record, record_type.subject_field), record_type.id_of(record)


def _differs(each: CheckedRecord) -> RequestFault:
    return RequestFault(each.pointer, "record_differs", "another record was kept under this id")
