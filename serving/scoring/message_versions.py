"""Which version of a record a message amends or withdraws, by what is on record of its subjects.

A message names a reference and no version: it is the one after the newest that was decided about or
received. What nobody declared is amended as if it were declared, and withdrawn by nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from features.linked_records import LINKED_RECORD_TYPES
from features.messages.concerned_parts import Subject
from features.messages.conversion import MadeRecord, Withdrawal
from features.records import RECORD_FILES, VERSION_FIELDS
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission
from serving.history.received_records import SUBJECT_KIND_OF, ReceivedRecord
from serving.scoring.message_plan import ReadMessage, is_declared, record_of

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.record_repository import RecordRepository

_OF_RECEIPT = (*sorted(VERSION_FIELDS), "received_at", "declared_at")
_NOT_COMPARED = {*_OF_RECEIPT, "items"}


@dataclass(frozen=True)
class KnownVersions:
    """The versions that are on record of the subjects of messages."""

    decided: "DecisionRepository"
    records: "RecordRepository"

    def numbered(self, read: ReadMessage, at: datetime) -> ReadMessage:
        """A message that was received at an instant with the versions of its records numbered.

        Withdrawals of what is not known stay such; one that is known already stays as it is.
        """
        conversion = read.conversion
        amended = [each for each in conversion.records if _may_amend(each)]
        withdrawals = conversion.withdrawals
        subjects = {*map(_subject, amended), *(each.subject for each in withdrawals)}
        if not subjects:
            return read
        decided = {each: self._decided(each) for each in subjects}
        known = _Known(decided, self.records.about([*subjects]))
        records = [
            known.numbered(each, read, at) if _may_amend(each) else each
            for each in conversion.records
        ]
        founded = [(each, known.newest_of(each)) for each in withdrawals]
        records += [_withdrawn(each, before) for each, before in founded if before]
        unfounded = tuple(each for each, before in founded if not before)
        changed = replace(conversion, records=tuple(records), withdrawals=unfounded)
        return read.with_conversion(changed)

    def _decided(self, subject: Subject) -> Submission | None:
        earlier = self.decided.earlier(*subject)
        return None if earlier is None else earlier.newest.submission


@dataclass(frozen=True)
class _Known:
    """What was decided about last, and what was received, by subject."""

    decided: Mapping[Subject, Submission | None]
    received: Mapping[Subject, Sequence[ReceivedRecord]]

    def newest_of(self, withdrawal: Withdrawal) -> Any | None:
        """The newest version of what is withdrawn."""
        return self._newest(withdrawal.record_type, withdrawal.subject, withdrawal.named)

    def numbered(self, made: MadeRecord, read: ReadMessage, at: datetime) -> MadeRecord:
        """Return what a message amends, as the next version; as the newest where it says the same.

        What it declares amends what was amended before: no version is followed by an older one.
        """
        named = {name: made.fields.get(name) for name in RECORD_FILES[made.record_type].versions_of}
        before = self._newest(made.record_type, _subject(made), named)
        if before is None:
            return made
        if made.amended_at is None:
            if before.version == 1 or before.withdrawn:
                return made
            made = replace(made, amended_at=at)
        if before.withdrawn or not _says_the_same(made, before, read):
            return made.after(before.model_dump())
        told = {name: getattr(before, name) for name in _OF_RECEIPT if hasattr(before, name)}
        return replace(made, fields=made.fields | told)

    def _newest(self, record_type: str, subject: Subject, named: Mapping[str, Any]) -> Any | None:
        rows = self.received.get(subject, ())
        found: list[Any] = [row.record for row in rows if row.kind == record_type]
        submission = self.decided.get(subject)
        if submission is not None and record_type in SUBJECT_KIND_OF:
            found.append(submission.subject)
        elif submission is not None and not RECORD_FILES[record_type].is_part_of_declaration:
            found += submission.linked(record_type)
        versions = [each for each in found if _is_named(each, named)]
        return max(versions, key=lambda each: each.version, default=None)


def _is_named(record: Any, named: Mapping[str, Any]) -> bool:
    return all(getattr(record, name) == value for name, value in named.items())


def _may_amend(made: MadeRecord) -> bool:
    """Return whether it may be a later version; declared goods are part of their shipment's."""
    is_amended = made.amended_at is not None and not is_declared(made)
    return is_amended or made.record_type in SUBJECT_KIND_OF


def _subject(made: MadeRecord) -> Subject:
    kind = SUBJECT_KIND_OF.get(made.record_type)
    if kind is not None:
        return kind, str(made.fields[SUBJECT_TYPES[kind].id_field])
    linked = LINKED_RECORD_TYPES[made.record_type]
    own = made.fields["subject_kind"] if linked.has_subject_kind else linked.kinds[0]
    return own, str(made.fields[linked.subject_field])


def _withdrawn(withdrawal: Withdrawal, before: Any) -> MadeRecord:
    """The version that withdraws; the one that did where it is withdrawn already."""
    fields = _whole(before, withdrawal.subject)
    if before.withdrawn:
        return MadeRecord(withdrawal.record_type, fields, withdrawal.places)
    return withdrawal.after(fields)


def _whole(record: Any, subject: Subject) -> dict[str, Any]:
    """The fields of a record, with the subject that it leaves out inside a submission."""
    fields: dict[str, Any] = record.model_dump(exclude={"items"})
    if "subject_id" in fields:
        fields |= {"subject_kind": subject[0], "subject_id": subject[1]}
    return fields


def _says_the_same(made: MadeRecord, before: Any, read: ReadMessage) -> bool:
    """Whether a record says what another does; a declaration with its goods, which give a code
    where it gives none.
    """
    stated = record_of(made).model_dump(exclude=_NOT_COMPARED)
    whole = _whole(before, _subject(made))
    known = {name: each for name, each in whole.items() if name not in _NOT_COMPARED}
    if stated.get("hs_code", "") is None:
        known["hs_code"] = None
    is_shipment = made.record_type == "shipments"
    items = read.declared_items.get(_subject(made)[1], ()) if is_shipment else ()
    return stated == known and _goods(items) == _goods(getattr(before, "items", ()))


def _goods(items: Iterable[Any]) -> list[dict[str, Any]]:
    return [each.model_dump(exclude={"shipment_id"}) for each in items]
