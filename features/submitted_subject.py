"""A submission as rows of fields: the subject with its journey, and the records linked to it."""

from collections.abc import Collection
from functools import cache
from typing import Any

from features.derived.document import document_program
from features.derived.leg import OF_THE_LEG_BEFORE, leg_program
from features.derived.linked_record import of_subject
from features.derived.position import OF_THE_POSITION_BEFORE, position_program
from features.derived.subject import derived_columns, subject_kinds
from features.derived.transaction import transaction_program
from features.engine.columns import instant_us
from features.engine.expressions.encode_rows import Row
from features.engine.expressions.program import Key, Program, traced_columns
from features.engine.expressions.tracing import Mapped
from features.engine.online.request_records import LinkedRows, RequestRows
from features.records import RECORD_FILES, Journey, SubjectKind
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission

_JOURNEY_FIELDS = {f"journey_{name}": name for name in Journey.model_fields if name != "journey_id"}
_NO_JOURNEY: Row = dict.fromkeys(_JOURNEY_FIELDS)
_NO_PAYMENT: Row = {"payer_id": None, "payee_id": None}


def subject_program(kind: SubjectKind, columns: Collection[Key]) -> Program:
    """The program that derives some columns of a subject from its record and its journey.

    A key that is `Mapped` is what the string table makes of the texts of such a column.
    """
    derived = derived_columns(kind).outputs
    fields = {name: held for name, held in subject_kinds(kind).items() if name not in derived}

    def derive(subject: dict[Key, Any]) -> dict[Key, Any]:
        mapped = {
            key: subject[key.key].mapped(key.function, key.kind.value)
            for key in columns
            if isinstance(key, Mapped)
        }
        return {**subject, **SUBJECT_TYPES[kind].derive(subject), **mapped}

    return traced_columns(derive, fields, columns)


@cache
def linked_sources(kind: SubjectKind) -> dict[str, LinkedRows]:
    """The records that a submission of one kind links to its subject, by its fields."""
    sources = {
        "documents": _linked(
            "attached_documents", "documents", "document_id", document_program(kind)
        ),
        "transactions": _linked(
            "attached_transactions", "transactions", "transaction_id", transaction_program(kind)
        ),
    }
    if kind == "route":
        sources["legs"] = _linked("legs", "legs", "sequence", leg_program(), OF_THE_LEG_BEFORE)
        sources["positions"] = _linked(
            "positions", "positions", "observed_at", position_program(), OF_THE_POSITION_BEFORE
        )
    return sources


def _linked(
    source: str,
    record_type: str,
    order_field: str,
    program: Program,
    previous: Collection[str] = (),
) -> LinkedRows:
    keys = {key: of_subject(key) for key in program.inputs}
    return LinkedRows(
        source=source,
        known_from=RECORD_FILES[record_type].known_from,
        order_field=order_field,
        program=program,
        subject_columns={key: column for key, column in keys.items() if column is not None},
        previous=tuple(previous),
    )


def request_rows(submission: Submission) -> RequestRows:
    """A submission as of its subject's declaration: records known before that, in that order."""
    at = submission.declared_at
    linked = {
        source.source: source.known_before(getattr(submission, field), at)
        for field, source in linked_sources(submission.subject_kind).items()
    }
    payments = linked["attached_transactions"]
    return RequestRows(
        instant_us(at), _subject_row(submission, payments[-1] if payments else _NO_PAYMENT), linked
    )


def _subject_row(submission: Submission, latest_payment: Row) -> Row:
    has_journey = SUBJECT_TYPES[submission.subject_kind].has_journey
    return {
        **submission.subject.__dict__,
        **(_journey_row(submission) if has_journey else {}),
        "latest_payer_id": latest_payment["payer_id"],
        "latest_payee_id": latest_payment["payee_id"],
    }


def _journey_row(submission: Submission) -> Row:
    """The fields of a shipment's journey; missing unless it was declared before the shipment."""
    shipment, journey = submission.shipment, submission.journey
    if shipment is None or journey is None or shipment.journey_id != journey.journey_id:
        return _NO_JOURNEY
    if journey.declared_at >= shipment.declared_at:
        return _NO_JOURNEY
    fields = journey.__dict__
    return {name: fields[field] for name, field in _JOURNEY_FIELDS.items()}
