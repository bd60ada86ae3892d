"""Rows by pairs of values, for what every request asks.

The statement is written here, once for each number of pairs: to SQLAlchemy a number of parameters
that varies costs more at every request than the database takes to answer.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Engine, Row

Pair = tuple[str, str]


class Lookup:
    """Rows of one table, found by two columns of text."""

    def __init__(self, first: Column[str], second: Column[str]):
        columns = ", ".join(column.name for column in first.table.columns)
        asking = f"SELECT {columns} FROM {first.table.name}"  # noqa: S608 - names of our own
        self._asking = f"{asking} WHERE ({first.name}, {second.name}) IN (VALUES "
        self._text = cache(self._text_for)

    def rows(self, engine: Engine, pairs: Sequence[Pair]) -> Sequence[Row[Any]]:
        """The rows that have one of these pairs, in any order."""
        mark = "?" if engine.dialect.paramstyle == "qmark" else "%s"
        values = tuple([value for pair in pairs for value in pair])
        with engine.connect() as connection:
            alone = connection.execution_options(is_one_statement=True)
            return alone.exec_driver_sql(self._text(mark, len(pairs)), values).all()

    def _text_for(self, mark: str, size: int) -> str:
        return f"{self._asking}{', '.join([f'({mark}, {mark})'] * size)})"
