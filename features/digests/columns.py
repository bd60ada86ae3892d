"""What computes a column of subjects, of linked records or of earlier events, as a digest."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from features.derived.document import attached_documents, document_program
from features.derived.leg import attached_legs, leg_program
from features.derived.linked_record import of_subject, run_beside
from features.derived.position import attached_positions, position_program
from features.derived.shipment import join_journeys
from features.derived.subject import derived_columns
from features.derived.transaction import (
    attached_transactions,
    implied_by_payment,
    transaction_program,
)
from features.digests.code import code_digest, combined, source_digest
from features.digests.program import output_digests
from features.engine.columns import Places, kinds_of
from features.engine.expressions.program import Key, Program, traced_columns
from features.engine.expressions.tracing import Mapped
from features.engine.string_table import VOCABULARY
from features.errors import DefinitionError
from features.linked_records import latest_by_subject
from features.records import RECORD_FILES, SubjectKind, Transaction
from features.reference.geography.places import content_digest, country, latitude, longitude, places
from features.subject_types import SUBJECT_TYPES

_SUBJECTS = {each.record_file: kind for kind, each in SUBJECT_TYPES.items()}
_OUTCOMES = {each.outcome_source: kind for kind, each in SUBJECT_TYPES.items()}
_OF_THE_OUTCOME = ("record_id", "known_at", "is_confirmed")

_OF_PLACES = {country: "country", latitude: "latitude", longitude: "longitude"}
"""Functions of a place's code, and the column of the table of places that they look up."""


@dataclass(frozen=True)
class _Linked:
    """Records linked to subjects: which of them count and in what order, and what they show."""

    record: str
    chosen: Callable[..., object]
    program: Callable[[SubjectKind], Program]


_LINKED = {
    "attached_documents": _Linked("documents", attached_documents, document_program),
    "attached_transactions": _Linked("transactions", attached_transactions, transaction_program),
    "legs": _Linked("legs", attached_legs, lambda kind: leg_program()),
    "positions": _Linked("positions", attached_positions, lambda kind: position_program()),
}
_BY_NAME = (
    VOCABULARY,
    Places,
    run_beside,
    document_program,
    transaction_program,
    leg_program,
    position_program,
)
"""What only finds rows, or makes or runs a program, which is digested by its steps."""


@cache
def subject_column(kind: SubjectKind, name: str) -> str:
    """The digest of a column of subjects of one kind.

    Raises DefinitionError, here as below, where there is no such column.
    """
    if name in (digests := _implied_digests(kind)):
        return digests[name]
    if name in ("latest_payer_id", "latest_payee_id"):
        payments = event_column(kind, "attached_transactions", name.removeprefix("latest_"))
        return combined(code_digest(latest_by_subject, _BY_NAME), payments)
    subject_type = SUBJECT_TYPES[kind]
    if subject_type.has_journey and name.startswith("journey_") and name != "journey_id":
        field = _field("journeys", name.removeprefix("journey_"))
        return combined(code_digest(join_journeys, _BY_NAME), field)
    return _field(subject_type.record_file, name)


@cache
def event_column(kind: SubjectKind, source: str, name: str) -> str:
    """The digest of a column of a source's events, as subjects of one kind see it."""
    if source not in _LINKED:
        return history_column(source, name)
    columns = _linked_digests(kind, source)
    if name not in columns:
        raise DefinitionError(f"{source} have no column {name!r} that a digest could name")
    return combined(code_digest(_LINKED[source].chosen, _BY_NAME), columns[name])


@cache
def history_column(source: str, name: str) -> str:
    """The digest of a column of anyone's earlier events, which the online state keeps."""
    if source in _SUBJECTS:
        return subject_column(_SUBJECTS[source], "subject_id" if name == "record_id" else name)
    if source in _OUTCOMES:
        is_own = name in _OF_THE_OUTCOME
        column = name if is_own else subject_column(_OUTCOMES[source], name)
        return combined(source_digest("engine/batch/subject_columns.py", "outcome_events"), column)
    if source == "payments":
        return _payment_digests().get(name) or _field("transactions", name)
    sources = ", ".join([*_SUBJECTS, *_OUTCOMES, "payments", *_LINKED])
    raise DefinitionError(f"a window reads {source!r}, which is no source of events: {sources}")


@cache
def _implied_digests(kind: SubjectKind) -> dict[Key, str]:
    record = SUBJECT_TYPES[kind].record_file
    return output_digests(derived_columns(kind), partial(input_digest, partial(_field, record)))


@cache
def _payment_digests() -> dict[Key, str]:
    program = traced_columns(implied_by_payment, kinds_of(Transaction))
    return output_digests(program, partial(input_digest, partial(_field, "transactions")))


@cache
def _linked_digests(kind: SubjectKind, source: str) -> dict[Key, str]:
    linked = _LINKED[source]

    def of_input(key: Key) -> str:
        if (own := of_subject(key)) is not None:
            return input_digest(partial(subject_column, kind), own)
        return input_digest(partial(_field, linked.record), key)

    return output_digests(linked.program(kind), of_input)


def input_digest(column: Callable[[str], str], key: Key) -> str:
    """The digest of a column that a program reads, or of what is made of each of its texts."""
    if not isinstance(key, Mapped):
        return column(key)
    return combined(key.kind.name, column(str(key.key)), _function_digest(key.function))


def _function_digest(function: Callable[[str], object]) -> str:
    if function not in _OF_PLACES:
        return code_digest(function)
    return combined(code_digest(function, (places,)), content_digest(_OF_PLACES[function]))


def _field(record: str, name: str) -> str:
    """The digest of a field, which names it; `previous_` is that of the record before."""
    if name.removeprefix("previous_") not in RECORD_FILES[record].model_fields:
        raise DefinitionError(f"{record} have no column {name!r} that a digest could name")
    return combined("field", record, name)
