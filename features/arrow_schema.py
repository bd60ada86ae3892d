"""Derive the Arrow schema of a record type, and the limits of its fields, from the record."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AwareDatetime
from pydantic_core import PydanticUndefined

from features.reference.country_and_currency_codes import CODES

if TYPE_CHECKING:
    from features.records import Record

INSTANT = pa.timestamp("us", tz="UTC")
_ARROW_OF = {
    str: pa.string(),
    float: pa.float64(),
    int: pa.int64(),
    bool: pa.bool_(),
    AwareDatetime: INSTANT,
}


@dataclass(frozen=True)
class Limits:
    """The limits of a column's values; None where a field has no such limit.

    `codes` is the name of a code list with its codes.
    """

    required: bool
    choices: tuple[str, ...] | None
    pattern: str | None
    at_least: float | None
    at_most: float | None
    longest: int | None
    codes: tuple[str, frozenset[str]] | None = None


@cache
def arrow_schema(record: "type[Record]") -> pa.Schema:
    """Return the columns of a record file in the order of the fields.

    Required ones not nullable.
    """
    return pa.schema(
        pa.field(name, _arrow_type(field.annotation), nullable=not field.is_required())
        for name, field in record.model_fields.items()
    )


def default_column(record: "type[Record]", field: pa.Field, rows: int) -> pa.Array:
    """Return a column of `rows` default values of a field."""
    return pa.repeat(pa.scalar(record.model_fields[field.name].default, field.type), rows)


def with_defaults(table: pa.Table, record: "type[Record]") -> pa.Table:
    """Return columns of records with missing values replaced by defaults, unless these are None."""
    for name, default in _defaults(record).items():
        if name in table.column_names and table[name].null_count:
            at = table.column_names.index(name)
            table = table.set_column(at, name, pc.fill_null(table[name], default))
    return table


@cache
def _defaults(record: "type[Record]") -> dict[str, Any]:
    defaults = {name: field.default for name, field in record.model_fields.items()}
    return {n: d for n, d in defaults.items() if d not in (None, PydanticUndefined)}


def record_table(columns: Mapping[str, Any], record: "type[Record]") -> pa.Table:
    """Return a table of records from columns; columns that are not given have their defaults."""
    size = len(next(iter(columns.values())))
    whole = {
        field.name: columns[field.name]
        if field.name in columns
        else default_column(record, field, size)
        for field in arrow_schema(record)
    }
    return pa.table(whole, schema=arrow_schema(record))


@cache
def limits(record: "type[Record]") -> dict[str, Limits]:
    """Return the limits of every field, from the schema that also validates requests."""
    described = record.model_json_schema()["properties"]
    return {
        name: _limits(described[name], required=field.is_required())
        for name, field in record.model_fields.items()
    }


def _limits(described: dict[str, Any], *, required: bool) -> Limits:
    # An optional field is described as `anyOf` its type and null.
    options = [o for o in described.get("anyOf", [described]) if o.get("type") != "null"]
    value = options[0]
    choices = value.get("enum") or ([value["const"]] if "const" in value else None)
    return Limits(
        required=required,
        choices=tuple(choices) if choices else None,
        pattern=as_arrow_reads(value["pattern"]) if "pattern" in value else None,
        at_least=value.get("minimum"),
        at_most=value.get("maximum"),
        longest=value.get("maxLength"),
        codes=(named, CODES[named]) if (named := value.get("x-code-list")) else None,
    )


def as_arrow_reads(pattern: str) -> str:
    """Convert a pattern for pydantic and JavaScript to escapes that Arrow (RE2) supports."""
    return re.sub(r"\\u([0-9a-f]{4})", r"\\x{\1}", pattern)


def _arrow_type(annotation: Any) -> pa.DataType:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return _arrow_type(next(a for a in get_args(annotation) if a is not NoneType))
    if origin is Annotated:
        return _arrow_type(get_args(annotation)[0])
    if origin is Literal:
        return pa.string()
    return _ARROW_OF[annotation]
