"""The fields of records that identify somebody or something, and their values in a submission.

All of it derives from the kinds of the fields in `records`: a new field there is masked,
pseudonymised and matched against watch-lists without further work.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from pydantic import TypeAdapter, ValidationError

from features.field_kinds import (
    FieldKind,
    Identifier,
    IdentifierOf,
    Party,
    Text,
    fields_of_kind,
    kinds_of_fields,
)
from features.records import RECORD_FILES, Record
from features.submission import Submission


def party_fields() -> frozenset[str]:
    """Return the names of all fields that hold a party."""
    return _named(Party)


def identifying_fields() -> frozenset[str]:
    """Return the names of all fields that hold a party or an identifier."""
    return _named(Party, Identifier)


def identifying_fields_refusing(value: str) -> frozenset[str]:
    """Return the identifying fields that cannot hold a value; an MMSI accepts only digits."""
    return frozenset(
        name
        for record in RECORD_FILES.values()
        for name in fields_of_kind(record, Party) + fields_of_kind(record, Identifier)
        if not _takes(record, name, value)
    )


def text_fields() -> frozenset[str]:
    """Return the names of all fields that hold free text."""
    return _named(Text)


def parties_of(records: Iterable[Record], *, only_linking: bool = False) -> set[str]:
    """Return the parties that records name; optionally only those that link cases."""
    return {
        party
        for record in records
        for name in fields_of_kind(type(record), Party)
        if (party := getattr(record, name)) is not None
        if not only_linking or _links_cases(record, name)
    }


def roles_of_parties(records: Iterable[Record]) -> dict[str, set[str]]:
    """Return the parties that records name, each with its roles: payer, consignee and so on."""
    roles: dict[str, set[str]] = defaultdict(set)
    for record in records:
        fields = fields_of_kind(type(record), Party)
        for name in fields:
            if (party := getattr(record, name)) is not None:
                roles[party].add(name.removesuffix("_id"))
    return roles


def identifiers_of(records: Iterable[Record], identifies: IdentifierOf) -> set[str]:
    """Return the identifiers of one sort of thing in records, such as all containers."""
    return {
        identifier
        for record in records
        for name in _identifying(type(record), identifies)
        if (identifier := getattr(record, name)) is not None
    }


@cache
def _identifying(record: type[Record], identifies: IdentifierOf) -> tuple[str, ...]:
    """Return the fields of a record type that identify one sort of thing."""
    kinds = kinds_of_fields(record).items()
    return tuple(name for name, kind in kinds if kind == Identifier(identifies))


def declarations(submission: Submission) -> list[Record]:
    """Return the shipment and the journey of a submission, without missing ones."""
    return [record for record in (submission.shipment, submission.journey) if record]


def _named(*kinds: type[FieldKind]) -> frozenset[str]:
    return frozenset(
        name
        for record in RECORD_FILES.values()
        for name, kind in kinds_of_fields(record).items()
        if isinstance(kind, kinds)
    )


@cache
def _takes(record: type[Record], name: str, value: str) -> bool:
    # With all constraints of the field, as the record validates it.
    field = TypeAdapter(record.model_fields[name].rebuild_annotation())
    try:
        field.validate_python(value)
    except ValidationError:
        return False
    return True


def _links_cases(record: Record, name: str) -> bool:
    kind = kinds_of_fields(type(record))[name]
    return isinstance(kind, Party) and kind.links_cases
