"""One subject with everything attached to it, as a border system submits it to be scored."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from features.engine.columns import Records, columns_of_records
from features.engine.string_table import VOCABULARY
from features.field_types import AttachedSubjectId
from features.records import (
    RECORD_FILES,
    Document,
    Journey,
    Leg,
    Position,
    Record,
    Shipment,
    SubjectKind,
    Transaction,
)


class AttachedDocument(Document):
    """A document inside a submission: the subject may be left out."""

    subject_kind: SubjectKind | None = Field(  # type: ignore[assignment]
        None, description="Whether it was filed for a route or a shipment."
    )
    subject_id: AttachedSubjectId | None = Field(  # type: ignore[assignment]
        None, description="The journey or shipment that it was filed for."
    )


class AttachedTransaction(Transaction):
    """A transaction inside a submission: the subject may be left out."""

    subject_kind: SubjectKind | None = Field(  # type: ignore[assignment]
        None, description="Whether it was paid for a route or a shipment."
    )
    subject_id: AttachedSubjectId | None = Field(  # type: ignore[assignment]
        None, description="The journey or shipment that was paid for."
    )


class Submission(Record):
    """A route (a journey with its legs) or a shipment (with its journey where known) to be scored.

    Attached documents and transactions may repeat the subject and must then agree with it;
    legs and positions belong to the submitted journey.
    """

    subject_kind: SubjectKind = Field(description="Whether to score the journey or the shipment.")
    shipment: Shipment | None = Field(None, description="The shipment to score; none for a route.")
    journey: Journey | None = Field(
        None, description="The journey to score, or the one that brings the shipment."
    )
    legs: tuple[Leg, ...] = Field((), max_length=500, description="The legs of the journey.")
    positions: tuple[Position, ...] = Field(
        (), max_length=5_000, description="Where the conveyance of the journey was heard."
    )
    documents: tuple[AttachedDocument, ...] = Field(
        (), max_length=500, description="The documents filed for the subject."
    )
    transactions: tuple[AttachedTransaction, ...] = Field(
        (), max_length=500, description="The payments for the subject."
    )

    @property
    def subject(self) -> Journey | Shipment:
        """The scored record itself."""
        subject = self.journey if self.subject_kind == "route" else self.shipment
        assert subject is not None, "refused on entry"
        return subject

    @property
    def subject_id(self) -> str:
        """The id of the scored journey or shipment."""
        subject = self.subject
        return subject.journey_id if isinstance(subject, Journey) else subject.shipment_id

    @property
    def declared_at(self) -> datetime:
        """The scoring instant."""
        return self.subject.declared_at

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.subject_kind == "route" and (self.journey is None or self.shipment is not None):
            raise PydanticCustomError(
                "subject", "a route is submitted with `journey` and without `shipment`"
            )
        if self.subject_kind == "shipment" and self.shipment is None:
            raise PydanticCustomError("subject", "a shipment is submitted with `shipment`")
        self._refuse_foreign_attachments()
        return self

    def _refuse_foreign_attachments(self) -> None:
        journey_id = self.journey.journey_id if self.journey else None
        if self.shipment and self.journey and self.shipment.journey_id not in (None, journey_id):
            raise PydanticCustomError(
                "foreign_attachment", "`journey` is not the one that `shipment` names"
            )
        for field in ("legs", "positions"):
            if any(record.journey_id != journey_id for record in getattr(self, field)):
                raise PydanticCustomError(
                    "foreign_attachment",
                    "`{field}` holds a record of another journey",
                    {"field": field},
                )
        for field in ("documents", "transactions"):
            for record in getattr(self, field):
                if (record.subject_kind or self.subject_kind) != self.subject_kind or (
                    record.subject_id or self.subject_id
                ) != self.subject_id:
                    raise PydanticCustomError(
                        "foreign_attachment",
                        "`{field}` holds a record of another subject",
                        {"field": field},
                    )


def told_by(submissions: Iterable[Submission]) -> dict[str, list[Record]]:
    """The records by which submissions tell of the past: journeys, shipments and payments."""
    told: dict[str, list[Record]] = {"journeys": [], "shipments": [], "transactions": []}
    for submission in submissions:
        told["journeys"] += [submission.journey] if submission.journey else []
        told["shipments"] += [submission.shipment] if submission.shipment else []
        told["transactions"] += submission.transactions
    return told


def records_of(submission: Submission) -> Records:
    """The columns of each record type, as if the submission were a folder of record files."""
    own = {
        "journeys": [submission.journey] if submission.journey else [],
        "legs": submission.legs,
        "positions": submission.positions,
        "shipments": [submission.shipment] if submission.shipment else [],
        "documents": submission.documents,
        "transactions": submission.transactions,
        "outcomes": (),
    }
    records = {name: columns_of_records(own[name], record) for name, record in RECORD_FILES.items()}
    for name in ("documents", "transactions"):
        size = len(own[name])
        for field in ("subject_kind", "subject_id"):
            code = VOCABULARY.code(getattr(submission, field))
            records[name][field] = np.full(size, code, np.int32)
    return records
