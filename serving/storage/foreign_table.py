"""A table in another organisation's database, read in blocks for import and never written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, create_engine, make_url, select, table, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.sql.expression import Executable, literal_column

from features.errors import TidegateError
from features.mapping.mapping import TableMapping
from features.mapping.source_tables import BLOCK_ROWS, Block, array_of

_ROWS_LOOKED_AT = 1_000


class ForeignTable:
    """The rows of a table or a query; raises TidegateError if the database refuses them."""

    def __init__(self, url: str, mapping: TableMapping):
        try:
            self._url = make_url(url)
        except ArgumentError:
            raise TidegateError("the URL of the database cannot be read") from None
        # Messages name the place, so the password must not be in it.
        self.place = self._url.render_as_string(hide_password=True)
        self._statement = self._stated(mapping)
        file = self._url.database
        # SQLite would create a missing file instead of reporting it.
        if self._url.get_backend_name() == "sqlite" and not (file and Path(file).is_file()):
            raise TidegateError(f"{self.place}: no such file")
        # A database cursor does not report Arrow types, so they are inferred from the first rows.
        with self._rows(_ROWS_LOOKED_AT) as (names, blocks):
            columns = zip(*next(blocks, []), strict=True)
            first = [array_of(column).type for column in columns] or [pa.null()] * len(names)
        self.schema = pa.schema(list(zip(names, first, strict=True)))

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """Yield the rows with these columns, in blocks."""
        before = 0
        with self._rows(BLOCK_ROWS) as (names, blocks):
            at = [names.index(column) for column in columns]
            for rows in blocks:
                values = [*zip(*rows, strict=True)]
                batch = pa.RecordBatch.from_arrays([array_of(values[each]) for each in at], columns)
                yield Block(batch, np.arange(before + 1, before + len(rows) + 1, dtype=np.int64))
                before += len(rows)

    def _stated(self, mapping: TableMapping) -> Executable:
        if mapping.query:
            return text(mapping.query)
        if not mapping.table:
            raise TidegateError(f"{self.place}: the mapping says neither table nor query of it")
        schema, _, name = mapping.table.rpartition(".")
        return select(literal_column("*")).select_from(table(name, schema=schema or None))

    @contextmanager
    def _rows(self, at_once: int) -> Iterator[tuple[list[str], Iterator[Sequence[Any]]]]:
        """Yield the column names and an iterator of row batches, as the database returns them."""
        url = self._url
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        try:
            engine = create_engine(url)
            try:
                with engine.connect() as connection:
                    _let_only_read(connection)
                    result = connection.execution_options(stream_results=True).execute(
                        self._statement
                    )
                    yield list(result.keys()), result.partitions(at_once)
            finally:
                engine.dispose()
        except SQLAlchemyError as error:
            raise TidegateError(f"{self.place}: {_said_by(error)}") from None


def _let_only_read(connection: Connection) -> None:
    """Make the transaction read-only, if the database supports it.

    The query is the deployer's text and might contain anything.
    """
    statements = {"postgresql": "SET TRANSACTION READ ONLY", "sqlite": "PRAGMA query_only = ON"}
    if statement := statements.get(connection.dialect.name):
        connection.execute(text(statement))


def _said_by(error: SQLAlchemyError) -> str:
    """Return the database's message in one line, without the statement or its values."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0]
