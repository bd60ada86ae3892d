"""Fields of records that name somebody or something, and the names a submission has in them.

All of it derives from the kinds of the fields in `records`; a field that is added there is masked,
gets pseudonyms and is looked up in watch-lists at once.
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
    """The names of all fields that hold a party."""
    return _named(Party)


def identifying_fields() -> frozenset[str]:
    """The names of all fields that hold a party or an identifier."""
    return _named(Party, Identifier)


def identifying_fields_refusing(value: str) -> frozenset[str]:
    """Those of them that cannot hold a value, as an MMSI holds nothing but nine digits."""
    return frozenset(
        name
        for record in RECORD_FILES.values()
        for name in fields_of_kind(record, Party) + fields_of_kind(record, Identifier)
        if not _takes(record, name, value)
    )


def text_fields() -> frozenset[str]:
    """The names of all fields that hold free text."""
    return _named(Text)


def parties_of(records: Iterable[Record], *, only_linking: bool = False) -> set[str]:
    """The parties that records name; on request only those that link cases."""
    return {
        party
        for record in records
        for name in fields_of_kind(type(record), Party)
        if (party := getattr(record, name)) is not None
        if not only_linking or _links_cases(record, name)
    }


def roles_of_parties(records: Iterable[Record]) -> dict[str, set[str]]:
    """The parties that records name, each with the roles in which they do: payer, consignee …"""
    roles: dict[str, set[str]] = defaultdict(set)
    for record in records:
        fields = fields_of_kind(type(record), Party)
        for name in fields:
            if (party := getattr(record, name)) is not None:
                roles[party].add(name.removesuffix("_id"))
    return roles


def identifiers_of(records: Iterable[Record], identifies: IdentifierOf) -> set[str]:
    """Return what records name of one sort of thing, as every container."""
    return {
        identifier
        for record in records
        for name in _identifying(type(record), identifies)
        if (identifier := getattr(record, name)) is not None
    }


@cache
def _identifying(record: type[Record], identifies: IdentifierOf) -> tuple[str, ...]:
    """The fields of a type of record that name one sort of thing."""
    kinds = kinds_of_fields(record).items()
    return tuple(name for name, kind in kinds if kind == Identifier(identifies))


def declarations(submission: Submission) -> list[Record]:
    """The shipment and the journey of a submission, as far as it has them."""
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
    field = TypeAdapter(record.model_fields[name].rebuild_annotation())
    try:
        field.validate_python(value)
    except ValidationError:
        return False
    return True


def _links_cases(record: Record, name: str) -> bool:
    kind = kinds_of_fields(type(record))[name]
    return isinstance(kind, Party) and kind.links_cases
