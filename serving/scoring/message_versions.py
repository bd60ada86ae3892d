"""Number the versions that a message amends or withdraws, from what is stored.

A message names a reference but no version; its version follows the newest that was decided or
received. An amendment of an unknown record counts as its declaration; a withdrawal of an unknown
record has no effect.
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

# Fields about the receipt of a version, which differ even if its contents are the same.
_OF_RECEIPT = (*sorted(VERSION_FIELDS), "received_at", "declared_at")
_NOT_COMPARED = {*_OF_RECEIPT, "items"}


@dataclass(frozen=True)
class KnownVersions:
    """Numbers versions by the stored decisions and records of a message's subjects."""

    decided: "DecisionRepository"
    records: "RecordRepository"

    def numbered(self, read: ReadMessage, at: datetime) -> ReadMessage:
        """Return the message, received at `at`, with the versions of its records numbered.

        Withdrawals of unknown records stay in `withdrawals`; a record that is known already keeps
        its version.
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
        # These are reported to the sender, since there is nothing to withdraw.
        unfounded = tuple(each for each, before in founded if not before)
        changed = replace(conversion, records=tuple(records), withdrawals=unfounded)
        return read.with_conversion(changed)

    def _decided(self, subject: Subject) -> Submission | None:
        earlier = self.decided.earlier(*subject)
        return None if earlier is None else earlier.newest.submission


@dataclass(frozen=True)
class _Known:
    """The newest decided submission and the received records, by subject."""

    decided: Mapping[Subject, Submission | None]
    received: Mapping[Subject, Sequence[ReceivedRecord]]

    def newest_of(self, withdrawal: Withdrawal) -> Any | None:
        """Return the newest version of the withdrawn record; None if unknown."""
        return self._newest(withdrawal.record_type, withdrawal.subject, withdrawal.named)

    def numbered(self, made: MadeRecord, read: ReadMessage, at: datetime) -> MadeRecord:
        """Return a record as the next version, or as the newest one if the contents are the same.

        A declaration of something amended before counts as an amendment, so no version is followed
        by an older one.
        """
        named = {name: made.fields.get(name) for name in RECORD_FILES[made.record_type].versions_of}
        before = self._newest(made.record_type, _subject(made), named)
        if before is None:
            return made
        if made.amended_at is None:
            # A repeated declaration stays one, unless the stored declaration was amended since.
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
    """Return True if a record may be a later version; declared goods share their shipment's."""
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
    """Return the withdrawing version; the existing one if it is withdrawn already."""
    fields = _whole(before, withdrawal.subject)
    if before.withdrawn:
        return MadeRecord(withdrawal.record_type, fields, withdrawal.places)
    return withdrawal.after(fields)


def _whole(record: Any, subject: Subject) -> dict[str, Any]:
    """Return the fields of a record, with the subject, which submissions leave implicit."""
    fields: dict[str, Any] = record.model_dump(exclude={"items"})
    if "subject_id" in fields:
        fields |= {"subject_kind": subject[0], "subject_id": subject[1]}
    return fields


def _says_the_same(made: MadeRecord, before: Any, read: ReadMessage) -> bool:
    """Return True if a record has the same contents as another, goods included.

    `hs_code` is ignored if the message gives none, since the goods then give it.
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
