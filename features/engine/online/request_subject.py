"""The submitted subject itself: one row of registers, which everything else reads."""

from collections.abc import Collection, Sequence
from typing import Any

from features.derived.subject import derived_columns, subject_kinds
from features.engine.expressions.encode_rows import Row
from features.engine.expressions.program import Key, Program, traced_columns
from features.engine.expressions.tracing import Mapped
from features.records import Journey, SubjectKind
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission

_OF_THE_JOURNEY = {f"journey_{name}": name for name in Journey.model_fields if name != "journey_id"}
_NO_JOURNEY: Row = dict.fromkeys(_OF_THE_JOURNEY)


def subject_program(kind: SubjectKind, wanted: Collection[Key]) -> Program:
    """The wanted columns of a subject: of its record and its journey, and what these imply.

    A key that is `Mapped` is what the vocabulary makes of the texts of such a column.
    """
    derived = derived_columns(kind).outputs
    given = {name: held for name, held in subject_kinds(kind).items() if name not in derived}

    def subject(columns: dict[Key, Any]) -> dict[Key, Any]:
        texts = {
            key: columns[key.key].mapped(key.function, key.kind.value)
            for key in wanted
            if isinstance(key, Mapped)
        }
        return {**columns, **SUBJECT_TYPES[kind].derive(columns), **texts}

    return traced_columns(subject, given, wanted)


def subject_row(submission: Submission, payments: Sequence[Row]) -> Row:
    """The fields of the subject and of its journey, where that was declared before it.

    `payments` are those known before the subject, in the order of knowledge.
    """
    latest = payments[-1] if payments else {"payer_id": None, "payee_id": None}
    return {
        **submission.subject.__dict__,
        **(_journey(submission) if SUBJECT_TYPES[submission.subject_kind].has_journey else {}),
        "latest_payer_id": latest["payer_id"],
        "latest_payee_id": latest["payee_id"],
    }


def _journey(submission: Submission) -> Row:
    shipment, journey = submission.shipment, submission.journey
    if shipment is None or journey is None or shipment.journey_id != journey.journey_id:
        return _NO_JOURNEY
    if journey.declared_at >= shipment.declared_at:
        return _NO_JOURNEY
    told = journey.__dict__
    return {name: told[field] for name, field in _OF_THE_JOURNEY.items()}
