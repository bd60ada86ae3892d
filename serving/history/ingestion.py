"""Ingest records sent without a submission: check each, store it, add it to the history.

A record is identified by its id. Sending it again is no error; a different one under the same id
is, because decisions that rested on the first must stay explicable. Nobody can block an id, though:
an id used by another sender keeps no record out. One bad record does not affect the others, and bad
fields in a distress call do not affect the call.

A journey or shipment sent this way is history, without a decision. It may be submitted for scoring
later; a declaration that was already decided must be sent unchanged.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError

from features.linked_records import LINKED_RECORD_TYPES
from features.outcome_contradictions import TOO_EARLY
from features.record_versions import amends
from features.records import (
    OF_DOCUMENTS,
    RECORD_FILES,
    SUBJECT_KINDS,
    Journey,
    Outcome,
    Record,
    Shipment,
)
from features.subject_types import SUBJECT_TYPES
from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.selections import selection_of
from serving.errors import BodyTooLarge, RequestFault, SubmissionRefused
from serving.future_declarations import (
    DoubtsClock,
    clock_doubted,
    future_instant_fault,
    never_doubts,
)
from serving.history.client import HistoryClient
from serving.history.received_records import (
    RECEIVED_TYPES,
    SUBJECT_KIND_OF,
    ReceivedRecord,
    StoredRecord,
)
from serving.request_parsing import MAX_FAULTS, faults_of, read_json, unknown_field

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.record_repository import RecordRepository

MAX_RECORDS = 5_000
# Versions of one document received in messages; more suggest a sender in a loop.
MAX_VERSIONS = 50

# Lanes that send somebody to inspect goods. A rescue does not, and people who report results must
# not learn of one.
INSPECTED = frozenset(("inspect", "control"))

_OF_RECEIPT = ("version", "received_at", "known_at")

Key = tuple[str, str]


@dataclass(frozen=True)
class RecordSource:
    """The sender of records, the time of receipt and the purpose."""

    caller_id: str
    at: datetime
    purpose: str


@dataclass(frozen=True)
class CheckedRecord:
    """A valid record: its JSON pointer in the body, and its database row."""

    pointer: str
    record: Record
    row: ReceivedRecord


@dataclass(frozen=True)
class IngestResult:
    """Counts of new and known records, and the faults of the others.

    `faults` holds the first 50. `not_scored` are the pointers of stored records whose subjects have
    no decision, declarations of subjects excepted.
    """

    accepted: int
    repeated: int
    faults: tuple[RequestFault, ...]
    not_scored: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordIngestion:
    """An ingester; accepted records are durable, and every later score uses them."""

    store: "RecordRepository"
    decisions: "DecisionRepository"
    history: HistoryClient
    purpose: str
    doubts_clock: DoubtsClock = never_doubts

    def ingest(self, caller: Caller, body: bytes, at: datetime) -> IngestResult:
        """Check and store the records in a body.

        Raises BodyMalformed, BodyTooLarge, SubmissionRefused (nothing can be stored), ClockDoubted
        (a record lies ahead of a clock that may be wrong) or LogUnavailable.
        """
        faults: list[RequestFault] = []
        received = self._received(caller, body, at, faults)
        given_ids, before = self._add_new(received)
        new = [each for key, each in given_ids.items() if key not in before]
        known = [(each, before[key].body) for key, each in given_ids.items() if key in before]
        same = [each for each, body in known if _says(each, body)]
        faults += [_differs(each) for each, body in known if not _says(each, body)]
        first_faults = tuple(faults[:MAX_FAULTS])
        if faults and not new and not same:
            self._refuse(faults, at, "none of the records can be stored")
        # Known records too: a crash may have come between storing and applying them.
        self.history.ingest_records([each.record for each in (*new, *same)], at.isoformat())
        if self._is_clock_doubted(faults, at):  # when it is sent again, the others are known
            raise clock_doubted(at)
        return IngestResult(len(new), len(same), first_faults, self._not_scored([*new, *same]))

    def keep_calls(self, caller: Caller, refused: bytes, at: datetime) -> bool:
        """Store the distress calls of a refused submission; return whether any was stored.

        Raises LogUnavailable.
        """
        given = read_json(refused)
        positions = given.get("positions") if isinstance(given, dict) else None
        heard = positions if isinstance(positions, list) else []
        calls = [each for each in heard if _is_call(each)]
        body = json.dumps({"positions": calls[:MAX_RECORDS]}).encode()
        try:
            return bool(calls) and bool(self.ingest(caller, body, at))
        except SubmissionRefused:  # such as a call without a position, or another office's journey
            return False

    def checked(self, caller: Caller, body: bytes, at: datetime) -> list[CheckedRecord]:
        """Return the records in a body as they would be stored; store nothing.

        A record that differs from the stored one only in its reception is returned as stored. One
        with other content becomes a later version if its type has versions. Raises as `ingest`
        does, and SubmissionRefused if any record could not be stored.
        """
        faults: list[RequestFault] = []
        waiting = [*self._received(caller, body, at, faults).values()]
        settled: list[CheckedRecord] = []
        # A record that gets a new id or version is looked up again under that.
        while waiting:
            before = self.store.stored_under_ids([each.row for each in waiting])
            again: list[CheckedRecord] = []
            for each in waiting:
                kept = before.get(each.row.key)
                if kept is None or _says(each, kept.body):
                    settled.append(each)
                elif _is_anothers(each.row, kept):
                    again.append(_under_own_id(each))
                elif each.row.kind == "positions" or _content(kept.body) == _content(each.row.body):
                    settled.append(_as_kept(each, kept))
                elif getattr(each.record, "version", MAX_VERSIONS) < MAX_VERSIONS:
                    again.append(_next_version(each, at))
                else:
                    faults.append(_differs(each))
            waiting = again
        if faults:
            self._refuse(faults, at, "a record cannot be kept")
        return settled

    def _refuse(self, faults: Sequence[RequestFault], at: datetime, why: str) -> NoReturn:
        """Raise SubmissionRefused, or ClockDoubted if a wrong clock may be the cause."""
        if self._is_clock_doubted(faults, at):
            raise clock_doubted(at)
        raise SubmissionRefused(why, tuple(faults[:MAX_FAULTS]))

    def _is_clock_doubted(self, faults: Sequence[RequestFault], at: datetime) -> bool:
        return any(fault.code == "declared_ahead" for fault in faults) and self.doubts_clock(at)

    def _received(
        self, caller: Caller, body: bytes, at: datetime, faults: list[RequestFault]
    ) -> dict[Key, CheckedRecord]:
        """Return the records in a body that may be stored, by key."""
        source = RecordSource(caller.key_id, at, self.purpose)
        received: dict[Key, CheckedRecord] = {}
        # Cheap checks first; those below query the decisions.
        given = list(_not_ahead(_records_in(body, source, faults), at, faults))
        allowed = self._as_decided(self._allowed(caller, given, faults), faults)
        allowed = self._as_drawn(allowed, faults)
        for each in self._sent_there(list(allowed), faults):
            # A body may repeat a record, but not contradict itself.
            first = received.setdefault(each.row.key, each)
            if not _says(each, first.row.body):
                faults.append(_differs(each))
        return received

    def _add_new(
        self, received: dict[Key, CheckedRecord]
    ) -> tuple[dict[Key, CheckedRecord], dict[Key, StoredRecord]]:
        """Store new records; return all records and the rows stored before, each by current key.

        An id that another sender already uses for other content gets the sender as a prefix, so
        that nobody can block a document by taking its id.
        """
        before = self.store.add_new([each.row for each in received.values()])
        taken = {
            key: _under_own_id(each)
            for key, each in received.items()
            if key in before and _is_anothers(each.row, before[key])
        }
        if not taken:
            return received, before
        before |= self.store.add_new([each.row for each in taken.values()])
        renamed = [taken.get(key, each) for key, each in received.items()]
        return {each.row.key: each for each in renamed}, before

    def _not_scored(self, kept: Sequence[CheckedRecord]) -> tuple[str, ...]:
        """Return the pointers of records about subjects without a decision."""
        linked = [each for each in kept if each.row.kind not in SUBJECT_KIND_OF]
        decided = self._decided(linked)
        return tuple(each.pointer for each in linked if _subject_of(each) not in decided)

    def _decided(self, received: Sequence[CheckedRecord]) -> set[tuple[str, str]]:
        """Return the subjects of records, by kind and id, that have a decision."""
        return {
            (kind, id_)
            for kind in SUBJECT_KINDS
            for id_ in self.decisions.lanes_of(
                kind, [each.row.subject_id for each in received if each.row.subject_kind == kind]
            )
        }

    def _as_decided(
        self, received: Iterable[CheckedRecord], faults: list[RequestFault]
    ) -> Iterator[CheckedRecord]:
        """Yield the records, except declarations that differ from the decided one."""
        given = list(received)
        decided = self._decided([each for each in given if each.row.kind in SUBJECT_KIND_OF])
        for each in given:
            is_declaration = each.row.kind in SUBJECT_KIND_OF and not amends(each.record)
            if is_declaration and _subject_of(each) in decided and not self._was_decided(each):
                faults.append(_differs(each))
            else:
                yield each

    def _was_decided(self, declaration: CheckedRecord) -> bool:
        """Return whether a decision was about this declaration, or no decision can be read."""
        records = self.decisions.about(*_subject_of(declaration))
        subjects = (Decision.model_validate_json(record).submission.subject for record in records)
        said = [_as_declared(subject) for subject in subjects]
        return not said or _as_declared(declaration.record) in said

    def _allowed(
        self, caller: Caller, received: list[CheckedRecord], faults: list[RequestFault]
    ) -> Iterator[CheckedRecord]:
        """Yield the records, except those about subjects of other offices only."""
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
            # A subject without a decision belongs to no office yet, so any caller may write to it.
            own = offices[each.row.subject_kind].get(each.row.subject_id, caller.offices)
            named = getattr(each.record, "office_id", None)
            if caller.offices & own and named in (None, *caller.offices):
                yield each
            else:
                faults.append(
                    RequestFault(
                        each.pointer, "foreign_office", "the subject belongs to another office"
                    )
                )

    def _as_drawn(
        self, received: Iterable[CheckedRecord], faults: list[RequestFault]
    ) -> Iterator[CheckedRecord]:
        """Yield the records, except outcomes that claim a draw or probability we did not make.

        A sender could otherwise decide how much weight a subject has in training.
        """
        for each in received:
            if not isinstance(each.record, Outcome) or not _claims_a_draw(each.record):
                yield each
                continue
            if (wrong := self._false_claim(each.record)) is None:
                yield each
            else:
                why = "only the service draws, and no decision of its own says this of the subject"
                faults.append(RequestFault(f"{each.pointer}/{wrong}", "not_drawn", why))

    def _false_claim(self, outcome: Outcome) -> str | None:
        """Return the field of an outcome that no decision supports; None if there is none."""
        records = self.decisions.about(outcome.subject_kind, outcome.subject_id)
        selections = {
            selection_of(Decision.model_validate_json(record), outcome.result, outcome.inspected_at)
            for record in records
        }
        if (outcome.selected_by, outcome.selection_probability) in selections:
            return None
        is_so_selected = any(way == outcome.selected_by for way, _ in selections)
        is_drawn = outcome.selected_by == "random"
        return "selected_by" if is_drawn and not is_so_selected else "selection_probability"

    def _sent_there(
        self, received: list[CheckedRecord], faults: list[RequestFault]
    ) -> Iterator[CheckedRecord]:
        """Yield the records, except outcomes of model visits that no decision ordered.

        Such a visit was at an officer's discretion; as a visit by the model it would get weight in
        training.
        """
        lanes: dict[str, dict[str, set[str]]] = {
            kind: self.decisions.lanes_of(
                kind, [r.row.subject_id for r in received if _is_visit_of_the_model(r, kind)]
            )
            for kind in SUBJECT_KINDS
        }
        for each in received:
            kind = each.row.subject_kind
            own = lanes[kind].get(each.row.subject_id, INSPECTED)
            if _is_visit_of_the_model(each, kind) and INSPECTED.isdisjoint(own):
                why = "no decision sent anybody to look: want selected_by discretion"
                faults.append(RequestFault(f"{each.pointer}/selected_by", "not_selected", why))
            else:
                yield each


def _claims_a_draw(outcome: Outcome) -> bool:
    return outcome.selected_by == "random" or outcome.selection_probability is not None


def _is_visit_of_the_model(each: CheckedRecord, kind: str) -> bool:
    return (
        isinstance(each.record, Outcome)
        and each.record.selected_by == "model"
        and each.record.result not in OF_DOCUMENTS
        and each.row.subject_kind == kind
    )


def _subject_of(each: CheckedRecord) -> tuple[str, str]:
    return each.row.subject_kind, each.row.subject_id


def _as_declared(subject: Record) -> dict[str, Any]:
    """Return a declaration in one form, without the shipment id in its goods items."""
    return subject.model_dump(exclude={"items": {"__all__": {"shipment_id"}}})


def _records_in(
    body: bytes, source: RecordSource, faults: list[RequestFault]
) -> Iterator[CheckedRecord]:
    given = read_json(body)
    if not isinstance(given, dict) or not given:
        raise SubmissionRefused(f"want an object with some of {', '.join(RECORD_FILES)}")
    arrays = _arrays_in(given, faults)
    # Counted over all kinds before any record is parsed, which is the expensive part.
    if sum(map(len, arrays.values())) > MAX_RECORDS:
        raise BodyTooLarge(f"a body may hold {MAX_RECORDS} records")
    for kind, records in arrays.items():
        for index, each in enumerate(records):
            pointer = f"/{kind}/{index}"
            record = _checked(kind, each, pointer, faults)
            if record is not None:
                yield CheckedRecord(pointer, record, _row(kind, record, source))


def _arrays_in(given: dict[str, Any], faults: list[RequestFault]) -> dict[str, list[Any]]:
    """Return the records of a body by kind; null counts as no records."""
    arrays: dict[str, list[Any]] = {}
    for kind, records in given.items():
        if kind in RECORD_FILES and isinstance(records, list):
            arrays[kind] = records
        elif records is not None:
            faults.append(_no_array(kind))
    return arrays


def _not_ahead(
    records: Iterable[CheckedRecord], at: datetime, faults: list[RequestFault]
) -> Iterator[CheckedRecord]:
    """Yield the records, except declarations after the current time, which are faults."""
    for each in records:
        record = each.record
        fault = (
            future_instant_fault(f"{each.pointer}/declared_at", record.declared_at, at)
            if isinstance(record, Journey | Shipment)
            else None
        )
        if fault is None:
            yield each
        else:
            faults.append(fault)


def _no_array(kind: str) -> RequestFault:
    """Return the fault of a part of a body that is no array of records; other parts are stored."""
    if kind in RECORD_FILES:
        return RequestFault(f"/{kind}", "list_type", "each kind of record is given as an array")
    unknown = unknown_field(f"/{kind}", kind)
    return replace(unknown, detail=f"{unknown.detail}: want some of {', '.join(RECORD_FILES)}")


def _checked(kind: str, given: Any, pointer: str, faults: list[RequestFault]) -> Record | None:
    """Return a record of a body; None if it has faults, which are added to `faults`."""
    try:
        # From JSON, not the dict: in strict mode only JSON input may hold instants as strings.
        record = RECEIVED_TYPES[kind].model_validate_json(json.dumps(given))
    except ValidationError as refusal:
        faults.extend(faults_of(refusal, pointer))
        return _call_for_help(kind, given, refusal)
    if record.is_part_of_declaration and getattr(record, record.known_from) is None:
        faults.append(_has_no_instant(f"{pointer}/{record.known_from}"))
        return None
    if isinstance(record, Outcome) and record.known_at < record.inspected_at:
        faults.append(RequestFault(f"{pointer}/known_at", "contradiction", TOO_EARLY))
        return None
    return record


def _call_for_help(kind: str, given: Any, refusal: ValidationError) -> Record | None:
    """Return a distress call without invalid fields; None if it is no call or incomplete.

    An impossible course must not keep out the caller and their position.
    """
    if kind != "positions" or not _is_call(given):
        return None
    wrong = {each["loc"][0] for each in refusal.errors() if each["loc"]}
    left = {name: said for name, said in given.items() if name not in wrong}
    try:
        return RECEIVED_TYPES[kind].model_validate_json(json.dumps(left))
    except ValidationError:
        return None


def _is_call(given: Any) -> bool:
    return isinstance(given, dict) and given.get("is_distress") is True


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
    """Return kind and id of the subject, and an id unique among records of this type."""
    if isinstance(record, Outcome):
        name = " ".join(str(getattr(record, field)) for field in Outcome.unique_fields)
        return record.subject_kind, record.subject_id, name
    if kind in SUBJECT_KIND_OF:
        subject_id = getattr(record, SUBJECT_TYPES[SUBJECT_KIND_OF[kind]].id_field)
        is_first = record.version == 1
        own = subject_id if is_first else f"{subject_id} version {record.version}"
        return SUBJECT_KIND_OF[kind], subject_id, own
    record_type = LINKED_RECORD_TYPES[kind]
    subject_kind = record.subject_kind if record_type.has_subject_kind else record_type.kinds[0]
    return subject_kind, getattr(record, record_type.subject_field), record_type.id_of(record)


def _is_anothers(row: ReceivedRecord, kept: StoredRecord) -> bool:
    """Return whether another sender used this id first; never for an id that names its subject."""
    record_type = LINKED_RECORD_TYPES.get(row.kind)
    names_subject = record_type is None or record_type.subject_field in record_type.id_fields
    is_other = kept.caller_id != row.caller_id and kept.body not in ("", row.body)
    return is_other and not names_subject


def _says(each: CheckedRecord, body: str) -> bool:
    """Return whether a stored body equals a record, apart from omitted defaults."""
    # Most repeats are byte for byte the same; parsing is slow, and an erased body is empty.
    if not body or body == each.row.body:
        return bool(body)
    return type(each.record).model_validate_json(body) == each.record


def _under_own_id(each: CheckedRecord) -> CheckedRecord:
    own = f"{each.row.caller_id} {each.row.record_id}"
    return replace(each, row=replace(each.row, record_id=own))


def _content(body: str) -> dict[str, Any]:
    """Return the content of a record without its reception: a message may come twice."""
    fields: dict[str, Any] = json.loads(body) if body else {}
    told = {"withdrawn": False} | fields
    return {name: each for name, each in told.items() if name not in _OF_RECEIPT}


def _as_kept(each: CheckedRecord, kept: StoredRecord) -> CheckedRecord:
    record = type(each.record).model_validate_json(kept.body)
    return replace(each, record=record, row=replace(each.row, body=kept.body))


def _next_version(each: CheckedRecord, at: datetime) -> CheckedRecord:
    """Return the version after a stored one, known from its time of receipt."""
    record: Any = each.record
    changed = {"version": record.version + 1}
    if "known_at" in type(record).model_fields:
        changed["known_at"] = record.known_at or at
    later = record.model_copy(update=changed)
    row = each.row
    source = RecordSource(row.caller_id, datetime.fromisoformat(row.received_at), row.purpose or "")
    own = _row(row.kind, later, source)
    return replace(each, record=later, row=replace(own, purpose=row.purpose))


def _has_no_instant(pointer: str) -> RequestFault:
    """Return the fault of a record without an instant, which would be part of a declaration."""
    why = "a goods item that comes by itself says since when it is known"
    return RequestFault(pointer, "missing", f"{why}; what was declared stands in its shipment")


def _differs(each: CheckedRecord) -> RequestFault:
    return RequestFault(each.pointer, "record_differs", "another record is stored under this id")
