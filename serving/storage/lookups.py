"""Lookups of rows by pairs of values, for queries that every request makes.

The statement is built once for each number of pairs: building it with SQLAlchemy takes several
times as long as the database needs to answer.
"""

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Generic, TypeVar

from sqlalchemy import Column, Engine

Pair = tuple[str, str]
Found = TypeVar("Found")


class PairLookup(Generic[Found]):
    """Finds rows of one table by two text columns, as dataclasses of its columns."""

    def __init__(self, found: type[Found], first: Column[str], second: Column[str]):
        self._found = found
        columns = ", ".join(field.name for field in fields(found))  # type: ignore[arg-type]  # a dataclass, as callers say
        asking = f"SELECT {columns} FROM {first.table.name}"  # noqa: S608 - names of our own
        self._asking = f"{asking} WHERE ({first.name}, {second.name}) IN (VALUES "
        self._text = cache(self._text_for)

    def rows(self, engine: Engine, pairs: Sequence[Pair]) -> list[Found]:
        """Return the rows with one of these pairs, in any order."""
        values = tuple(value for pair in pairs for value in pair)
        statement = self._text(len(pairs), engine.dialect.paramstyle)
        with engine.connect() as connection:
            return [self._found(*row) for row in connection.exec_driver_sql(statement, values)]

    def _text_for(self, size: int, paramstyle: str) -> str:
        pair = "(?, ?)" if paramstyle == "qmark" else "(%s, %s)"
        return f"{self._asking}{', '.join([pair] * size)})"
