"""One subject with all records linked to it, as a border system submits it to be scored."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Self, TypeVar, get_args

import numpy as np
from pydantic import FailFast, Field, model_validator
from pydantic_core import PydanticCustomError

from features.derived.drifting import SLOW_KN
from features.engine.columns import Records, columns_of_records
from features.engine.string_table import STRING_TABLE
from features.field_types import AttachedSubjectId, Instant
from features.linked_records import LINKED_RECORD_TYPES, LinkedRecordType
from features.records import (
    RECORD_FILES,
    Document,
    Event,
    Journey,
    Leg,
    Position,
    Record,
    Shipment,
    SubjectKind,
    Transaction,
)
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


R = TypeVar("R", bound=Record)

# Of many wrong records the first is told: to look at all of them costs more than to score.
Linked = Annotated[tuple[R, ...], FailFast()]


def _linked(name: str, description: str) -> Any:
    """A field for as many linked records of a type as a submission may bring."""
    most = LINKED_RECORD_TYPES[name].most_in_submission
    return Field((), max_length=most, description=description)


class Submission(Record):
    """A route (a journey with its legs) or a shipment (with its journey where known) to be scored.

    Linked documents, transactions and events may repeat the subject and must then agree with it;
    legs and positions belong to the submitted journey. A subject that is scored again later says
    so by `as_of`.
    """

    subject_kind: SubjectKind = Field(description="Whether to score the journey or the shipment.")
    shipment: Shipment | None = Field(None, description="The shipment to score; none for a route.")
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
    def subject(self) -> Journey | Shipment:
        """The scored record itself."""
        subject: Journey | Shipment | None = getattr(self, self._subject_type.submission_field)
        assert subject is not None, "refused on entry"
        return subject

    @property
    def subject_id(self) -> str:
        """The id of the scored journey or shipment."""
        subject_id: str = getattr(self.subject, self._subject_type.id_field)
        return subject_id

    @property
    def declared_at(self) -> datetime:
        """When the subject was declared: where windows over the history of others end."""
        return self.subject.declared_at

    @property
    def scoring_instant(self) -> datetime:
        """Before when records linked to the subject must be known to count."""
        return self.as_of or self.declared_at

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
                "before_declaration", "`as_of` lies before the declaration of the subject"
            )
        self._refuse_foreign_records()
        return self

    def _refuse_foreign_records(self) -> None:
        journey_id = self.journey.journey_id if self.journey else None
        if self.shipment and self.journey and self.shipment.journey_id not in (None, journey_id):
            raise PydanticCustomError(
                "foreign_attachment", "`journey` is not the one that `shipment` names"
            )
        for record_type in LINKED_RECORD_TYPES.values():
            whose = "subject" if record_type.has_subject_kind else "journey"
            for record in getattr(self, record_type.name):
                if not self._is_own(record, record_type, journey_id):
                    raise PydanticCustomError(
                        "foreign_attachment",
                        "`{field}` holds a record of another {whose}",
                        {"field": record_type.name, "whose": whose},
                    )

    def _is_own(self, record: Any, record_type: LinkedRecordType, journey_id: str | None) -> bool:
        """Whether a linked record belongs to this subject, or leaves its subject out."""
        if not record_type.has_subject_kind:
            return bool(getattr(record, record_type.subject_field) == journey_id)
        kind, id_ = record.subject_kind or self.subject_kind, record.subject_id or self.subject_id
        return bool(kind == self.subject_kind and id_ == self.subject_id)


def submitted_type(name: str) -> type[Record]:
    """The type that linked records of a type have inside a submission."""
    record, *_ = get_args(Submission.model_fields[name].annotation)
    return record


def history_records(submissions: Iterable[Submission]) -> dict[str, list[Record]]:
    """The records of submissions that become anyone's history: subjects, payments, and positions
    at which a conveyance hardly moved.
    """
    names = ("journeys", "shipments", "transactions", "positions")
    records: dict[str, list[Record]] = {name: [] for name in names}
    for submission in submissions:
        records["journeys"] += [submission.journey] if submission.journey else []
        records["shipments"] += [submission.shipment] if submission.shipment else []
        records["transactions"] += submission.transactions
        records["positions"] += [
            heard
            for heard in submission.positions
            if heard.speed_kn is not None and heard.speed_kn < SLOW_KN
        ]
    return records


def records_of(submission: Submission) -> Records:
    """The columns of each record type, as if the submission were a folder of record files."""
    own: dict[str, Sequence[Record]] = {
        "journeys": [submission.journey] if submission.journey else [],
        "shipments": [submission.shipment] if submission.shipment else [],
        **{name: getattr(submission, name) for name in LINKED_RECORD_TYPES},
    }
    records = {
        name: columns_of_records(own.get(name, ()), record) for name, record in RECORD_FILES.items()
    }
    for record_type in LINKED_RECORD_TYPES.values():
        if record_type.has_subject_kind:
            for field in ("subject_kind", "subject_id"):
                code = STRING_TABLE.code(getattr(submission, field))
                count = len(own[record_type.name])
                records[record_type.name][field] = np.full(count, code, np.int32)
    return records
