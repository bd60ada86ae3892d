"""One subject with all records linked to it, as a border system submits it to be scored."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self, TypeVar, get_args

import numpy as np
from pydantic import FailFast, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from features.derived.drifting import SLOW_KN
from features.engine.columns import Records, columns_of_records
from features.engine.string_table import STRING_TABLE
from features.field_types import AttachedSubjectId, Instant, ShipmentId
from features.ingest.principal_item import hs_code_of, principal_item
from features.linked_records import LINKED_RECORD_TYPES, LinkedRecordType
from features.record_versions import standing
from features.records import (
    RECORD_FILES,
    Document,
    Event,
    GoodsItem,
    Journey,
    Leg,
    Position,
    Record,
    Shipment,
    SubjectKind,
    Transaction,
)
from features.rescoring_rules import JUST_AFTER
from features.subject_types import SUBJECT_TYPES, SubjectType


class AttachedDocument(Document):
    """A document inside a submission: the subject may be left out."""

    subject_kind: SubjectKind | None = Field(  # type: ignore[assignment]  # may be left out here
        None, description="Whether it was filed for a route or a shipment."
    )
    subject_id: AttachedSubjectId | None = Field(  # type: ignore[assignment]  # may be left out here
        None, description="The journey or shipment that it was filed for."
    )


class AttachedTransaction(Transaction):
    """A transaction inside a submission: the subject may be left out."""

    subject_kind: SubjectKind | None = Field(  # type: ignore[assignment]  # may be left out here
        None, description="Whether it was paid for a route or a shipment."
    )
    subject_id: AttachedSubjectId | None = Field(  # type: ignore[assignment]  # may be left out here
        None, description="The journey or shipment that was paid for."
    )


class AttachedEvent(Event):
    """An event inside a submission: the subject may be left out."""

    subject_kind: SubjectKind | None = Field(  # type: ignore[assignment]  # may be left out here
        None, description="Whether it happened to a route or a shipment."
    )
    subject_id: AttachedSubjectId | None = Field(  # type: ignore[assignment]  # may be left out here
        None, description="The journey or shipment that it happened to."
    )


class AttachedGoodsItem(GoodsItem):
    """A goods item inside a submitted shipment, whose id may be left out."""

    shipment_id: ShipmentId | None = Field(  # type: ignore[assignment]  # may be left out here
        None, description="The shipment that the item is part of."
    )


R = TypeVar("R", bound=Record)

# Only the first invalid record is reported: validating all of them would cost more than scoring.
Linked = Annotated[tuple[R, ...], FailFast()]


def _linked(name: str, description: str) -> Any:
    """Return a field for linked records of a type, with the maximum number of a submission."""
    most = LINKED_RECORD_TYPES[name].most_in_submission
    return Field((), max_length=most, description=description)


class SubmittedShipment(Shipment):
    """A shipment with its goods items, as it is submitted to be scored.

    Its `hs_code` may be left out where it has items that are part of the declaration: it is then
    that of the principal one, which has the most value in euro, then the most gross mass, then the
    lowest number. Where both are given, one of those items must have it; a later version of the
    shipment may have other goods than were declared.
    """

    items: Linked[AttachedGoodsItem] = _linked("goods_items", "The goods items of the shipment.")

    @property
    def goods_code(self) -> str:
        """Return the HS code, as declared or of the principal item."""
        assert self.hs_code is not None, "refused on entry"
        return self.hs_code

    @model_validator(mode="after")
    def _has_its_hs_code(self) -> Self:
        if any(item.shipment_id not in (None, self.shipment_id) for item in self.items):
            raise PydanticCustomError("foreign_attachment", "`items` holds one of another shipment")
        if _repeated((item.number, item.version) for item in self.items):
            raise PydanticCustomError(
                "repeated_item", "two of `items` have the same number and version"
            )
        if self.hs_code is None:
            principal = principal_item(self, self.items)
            if principal is None:
                raise PydanticCustomError(
                    "no_goods_code", "want `hs_code`, or `items` that are part of the declaration"
                )
            # The model is frozen, but a validator may complete a field before anyone sees it.
            object.__setattr__(self, "hs_code", hs_code_of(principal.commodity_code))
            return self
        declared = {hs_code_of(each.commodity_code) for each in self.items if each.known_at is None}
        if declared and self.hs_code not in declared and self.version == 1:
            raise PydanticCustomError(
                "other_goods_code",
                "`hs_code` is not the first six digits of the `commodity_code` of one of `items`",
            )
        return self


class Submission(Record):
    """A route (a journey with its legs) or a shipment (with its journey where known) to be scored.

    Linked documents, transactions and events may repeat the subject and must then agree with it;
    legs and positions belong to the submitted journey. A subject that is scored again later says
    so by `as_of`.
    """

    subject_kind: SubjectKind = Field(description="Whether to score the journey or the shipment.")
    shipment: SubmittedShipment | None = Field(
        None, description="The shipment to score; none for a route."
    )
    journey: Journey | None = Field(
        None, description="The journey to score, or the one that brings the shipment."
    )
    as_of: Instant | None = Field(
        None,
        description="The scoring instant, before which linked records were known; the declaration "
        "without.",
    )
    legs: Linked[Leg] = _linked("legs", "The legs of the journey.")
    positions: Linked[Position] = _linked(
        "positions", "Where the conveyance of the journey was heard."
    )
    documents: Linked[AttachedDocument] = _linked(
        "documents", "The documents filed for the subject."
    )
    transactions: Linked[AttachedTransaction] = _linked(
        "transactions", "The payments for the subject."
    )
    events: Linked[AttachedEvent] = _linked("events", "What happened to the subject.")

    @property
    def subject(self) -> Journey | SubmittedShipment:
        """Return the scored record."""
        subject: Journey | SubmittedShipment | None = getattr(
            self, self._subject_type.submission_field
        )
        assert subject is not None, "refused on entry"
        return subject

    @property
    def subject_id(self) -> str:
        """Return the id of the scored journey or shipment."""
        subject_id: str = getattr(self.subject, self._subject_type.id_field)
        return subject_id

    @property
    def declared_at(self) -> datetime:
        """Return the declaration instant, where windows over the history of others end."""
        return self.subject.declared_at

    @property
    def scoring_instant(self) -> datetime:
        """Return the instant before which linked records must be known to count."""
        return self.as_of or self.declared_at

    @property
    def first_instant(self) -> datetime:
        """Return the earliest possible scoring instant, when the declaration is known."""
        known_at = self.subject.known_at
        if self.subject.version == 1 or known_at is None:
            return self.declared_at
        return max(self.declared_at, known_at + JUST_AFTER)

    def linked(self, name: str) -> tuple[Any, ...]:
        """Return the linked records of one type in the submission."""
        *within, field = LINKED_RECORD_TYPES[name].path_in_submission
        holder: Any = getattr(self, within[0]) if within else self
        return () if holder is None else tuple(getattr(holder, field))

    def standing(self, name: str) -> tuple[Any, ...]:
        """Return the linked records of one type in force at the scoring instant.

        A version known at that instant or later does not count yet, and ends no other.
        """
        return standing(self.linked(name), LINKED_RECORD_TYPES[name].record, self.scoring_instant)

    def with_linked(self, linked: Mapping[str, tuple[Record, ...]]) -> Self:
        """Return a copy with these linked records in place of its own; they are not validated."""
        update: dict[str, Any] = {}
        for name, records in linked.items():
            *within, field = LINKED_RECORD_TYPES[name].path_in_submission
            if not within:
                update[field] = records
            elif (holder := getattr(self, within[0])) is not None:
                update[within[0]] = holder.model_copy(update={field: records})
        return self.model_copy(update=update)

    @property
    def _subject_type(self) -> SubjectType:
        return SUBJECT_TYPES[self.subject_kind]

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        given = {name for name in ("journey", "shipment") if getattr(self, name) is not None}
        own, *others = self._subject_type.submission_fields
        if not {own} <= given <= {own, *others}:
            raise PydanticCustomError("subject", self._subject_type.submission_rule)
        if self.as_of is not None and self.as_of < self.declared_at:
            raise PydanticCustomError(
                "before_declaration", "`as_of` is earlier than the declaration of the subject"
            )
        self._refuse_foreign_records()
        return self

    def _refuse_foreign_records(self) -> None:
        journey_id = self.journey.journey_id if self.journey else None
        if self.shipment and self.journey and self.shipment.journey_id not in (None, journey_id):
            raise PydanticCustomError(
                "foreign_attachment", "`journey` is not the one that `shipment` names"
            )
        own_kinds, own_ids = (None, self.subject_kind), (None, self.subject_id)
        for record_type in LINKED_RECORD_TYPES.values():
            if record_type.submission_path:  # validated by the record that holds them
                continue
            records, field = getattr(self, record_type.name), record_type.subject_field
            if record_type.has_subject_kind:  # optional inside a submission, as is the id
                whose = "subject"
                is_foreign = any(
                    each.subject_kind not in own_kinds or each.subject_id not in own_ids
                    for each in records
                )
            else:
                whose = "journey"
                is_foreign = any(getattr(each, field) != journey_id for each in records)
            if is_foreign:
                raise PydanticCustomError(
                    "foreign_attachment",
                    "`{field}` holds a record of another {whose}",
                    {"field": record_type.name, "whose": whose},
                )


def submitted_subject(kind: SubjectKind) -> type[Record]:
    """Return the type of a subject's own record inside a submission."""
    field = SUBJECT_TYPES[kind].submission_field
    record, *_ = get_args(Submission.model_fields[field].annotation)
    return record


def submitted_field(name: str) -> FieldInfo:
    """Return the field for linked records of a type, in a submission or a record inside it."""
    *within, field = LINKED_RECORD_TYPES[name].path_in_submission
    holder: Any = Submission
    for part in within:
        holder, *_ = get_args(holder.model_fields[part].annotation)
    found: FieldInfo = holder.model_fields[field]
    return found


def submitted_type(name: str) -> type[Record]:
    """Return the type of linked records inside a submission."""
    record, *_ = get_args(submitted_field(name).annotation)
    return record


def history_records(submissions: Iterable[Submission]) -> dict[str, list[Record]]:
    """Return the records of submissions that enter the history of others.

    These are subjects, payments (with the subject filled in if omitted), and positions at which a
    conveyance hardly moved.
    """
    names = ("journeys", "shipments", "transactions", "positions")
    records: dict[str, list[Record]] = {name: [] for name in names}
    for submission in submissions:
        records["journeys"] += [submission.journey] if submission.journey else []
        records["shipments"] += [submission.shipment] if submission.shipment else []
        records["transactions"] += [
            payment
            if payment.subject_kind is not None and payment.subject_id is not None
            else payment.model_copy(
                update={
                    "subject_kind": submission.subject_kind,
                    "subject_id": submission.subject_id,
                }
            )
            for payment in submission.transactions
        ]
        records["positions"] += [
            heard
            for heard in submission.positions
            if heard.speed_kn is not None and heard.speed_kn < SLOW_KN
        ]
    return records


def records_of(submission: Submission) -> Records:
    """Return the columns of each record type, as if the submission were a folder of files."""
    own: dict[str, Sequence[Record]] = {
        "journeys": [submission.journey] if submission.journey else [],
        "shipments": [submission.shipment] if submission.shipment else [],
        **{name: submission.linked(name) for name in LINKED_RECORD_TYPES},
    }
    records = {
        name: columns_of_records(own.get(name, ()), record) for name, record in RECORD_FILES.items()
    }
    for record_type in LINKED_RECORD_TYPES.values():
        for field, value in _left_out(submission, record_type):
            count = len(own[record_type.name])
            records[record_type.name][field] = np.full(count, STRING_TABLE.code(value), np.int32)
    return records


def _left_out(submission: Submission, record_type: LinkedRecordType) -> Iterable[tuple[str, str]]:
    """Yield the fields, with values, that a linked record may omit inside its subject."""
    if record_type.has_subject_kind:
        yield "subject_kind", submission.subject_kind
    if record_type.has_subject_kind or record_type.submission_path:
        yield record_type.subject_field, submission.subject_id


def _repeated(values: Iterable[Hashable]) -> bool:
    numbers = [*values]
    return len({*numbers}) < len(numbers)
