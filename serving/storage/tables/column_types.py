"""Column types whose Python values differ from what is on disk: instants, lists, JSON and flags.

Digests of rows are taken of what is on disk, so that code without these types can verify them.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Insert,
    Integer,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

Value = TypeVar("Value")


class Converted(TypeDecorator[Value]):
    """A type whose values pass through a pair of functions; None is null."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = Text
    cache_ok = True

    def __init__(
        self,
        dump: Callable[[Any], str | int],
        load: Callable[[Any], Value],
        impl: TypeEngine[Any] | None = None,
    ):
        super().__init__()
        self.dump, self.load = dump, load
        self.impl = impl or Text()

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | int | None:
        """Return what is stored for a value."""
        del dialect
        return None if value is None else self.dump(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Value | None:
        """Return the value of what is stored."""
        del dialect
        return None if value is None else self.load(value)


def _tuple_of(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


# A point in time with its offset from UTC, as ISO text, which sorts by time.
INSTANT = Converted(datetime.isoformat, datetime.fromisoformat)

# A JSON array, read as a tuple.
TEXTS = Converted(json.dumps, _tuple_of)

JSON = Converted(json.dumps, json.loads)

# 0 or 1: a strict table of SQLite has no other type for it.
FLAG = Converted(int, bool, Integer())


@cache
def stored_columns(table: Table) -> tuple[ColumnElement[Any], ...]:
    """Return the columns of a table, which yield what is on disk."""
    return tuple(
        type_coerce(each, stored_type(each.type)) if isinstance(each.type, Converted) else each
        for each in table.columns
    )


@cache
def stored_insert(table: Table) -> Insert:
    """Return an insert of rows as they are on disk."""
    return table.insert().values(
        {each.name: bindparam(each.name, type_=stored_type(each.type)) for each in table.columns}
    )


def stored_type(of: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type of what is on disk."""
    return of.impl_instance if isinstance(of, Converted) else of
