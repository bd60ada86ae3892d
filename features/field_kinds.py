"""The kinds of record fields: a party, an identifier, a place, money, a quantity with its unit.

Every field of `records` has one of these kinds in its annotation. Masking, pseudonyms, watch-lists,
links between cases, third-party payers and the API description derive from them, so that a new
field is declared only once.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

IdentifierOf = Literal[
    "journey",
    "shipment",
    "subject",
    "document",
    "document_number",
    "transaction",
    "event",
    "conveyance",
    "imo_number",
    "mmsi",
    "call_sign",
    "plate",
    "container",
    "seal",
]


@dataclass(frozen=True)
class FieldKind:
    """The kind of a field, shown as `x-kind` in the API schema."""

    def in_schema(self) -> dict[str, str]:
        """Return the entries of the kind in the API schema."""
        return {"x-kind": type(self).__name__.lower()}

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | self.in_schema()


@dataclass(frozen=True)
class Party(FieldKind):
    """The pseudonym of a company or person that takes part.

    `links_cases` is False if one party occurs in otherwise unrelated cases, as a forwarder does.
    """

    links_cases: bool = True


@dataclass(frozen=True)
class Identifier(FieldKind):
    """The id of one thing that is not a party itself but leads to its parties."""

    identifies: IdentifierOf


@dataclass(frozen=True)
class Place(FieldKind):
    """The code of a location or an office."""


@dataclass(frozen=True)
class Country(FieldKind):
    """A country by its ISO 3166-1 code."""


@dataclass(frozen=True)
class Money(FieldKind):
    """An amount in the currency that another field of the record holds."""

    currency_field: str

    def in_schema(self) -> dict[str, str]:
        """Return the entries of the kind in the API schema."""
        return super().in_schema() | {"x-currency-field": self.currency_field}


@dataclass(frozen=True)
class Instant(FieldKind):
    """A point in time."""


@dataclass(frozen=True)
class Quantity(FieldKind):
    """A measure or a count in its unit."""

    unit: str

    def in_schema(self) -> dict[str, str]:
        """Return the entries of the kind in the API schema."""
        return super().in_schema() | {"x-unit": self.unit}


@dataclass(frozen=True)
class Ordinal(FieldKind):
    """A position in an order, from 1."""


@dataclass(frozen=True)
class Text(FieldKind):
    """Free text, which may contain personal data."""


@dataclass(frozen=True)
class Code(FieldKind):
    """A code from a list."""


@dataclass(frozen=True)
class Flag(FieldKind):
    """A yes or no."""


def field_kind(field: FieldInfo) -> FieldKind | None:
    """Return the kind of a field; None if its annotation has none.

    A closed list of words is a code without an explicit kind.
    """
    kinds = [kind for kind in field.metadata if isinstance(kind, FieldKind)]
    return kinds[0] if kinds else _kind_in(field.annotation)


@cache
def kinds_of_fields(record: type[BaseModel]) -> dict[str, FieldKind]:
    """Return the kind of every field of a record type that has one."""
    kinds = {name: field_kind(field) for name, field in record.model_fields.items()}
    return {name: kind for name, kind in kinds.items() if kind}


@cache
def fields_of_kind(record: type[BaseModel], kind: type[FieldKind]) -> tuple[str, ...]:
    """Return the fields of one kind, in the order of the record."""
    return tuple(name for name, own in kinds_of_fields(record).items() if isinstance(own, kind))


def _kind_in(annotation: Any) -> FieldKind | None:
    """Return the kind inside an annotation: for `Annotated[str, Party()] | None`, the party."""
    if get_origin(annotation) is Literal:
        return Code()
    if isinstance(annotation, FieldKind):
        return annotation
    kinds = (_kind_in(argument) for argument in get_args(annotation))
    return next((kind for kind in kinds if kind), None)
