"""The base of all stores: reads and writes of one database, with one kind of failure."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar, TypeVarTuple

from sqlalchemy import Connection, Engine, Row, Select

from serving.storage.encrypted_cases import EncryptedCases
from serving.storage.encrypted_decisions import EncryptedDecisions
from serving.storage.engine import database_errors_as_503
from serving.storage.keys.data_keys import DataKeys
from serving.storage.write_lock import write_transaction

Columns = TypeVarTuple("Columns")
Value = TypeVar("Value")


class Repository:
    """The rows of one database.

    Every method of a subclass raises LogUnavailable if the database fails.
    """

    def __init__(self, engine: Engine):
        self._engine = engine

    @cached_property
    def _keys(self) -> DataKeys:
        """The keys under which content is encrypted and ids become tokens."""
        return DataKeys(self._engine)

    @cached_property
    def _cases(self) -> EncryptedCases:
        return EncryptedCases(self._keys)

    @cached_property
    def _decisions(self) -> EncryptedDecisions:
        return EncryptedDecisions(self._keys)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Open a transaction for several queries."""
        with database_errors_as_503(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(
        self, but: type[Exception] | tuple[type[Exception], ...] = ()
    ) -> Iterator[Connection]:
        """Begin a writing transaction under the write lock; errors in `but` pass unchanged."""
        with database_errors_as_503(but), write_transaction(self._engine) as connection:
            yield connection

    def _rows(self, query: Select[*Columns]) -> Sequence[Row[*Columns]]:
        with self._reading() as connection:
            return connection.execute(query).all()

    def _first(self, query: Select[*Columns]) -> Row[*Columns] | None:
        with self._reading() as connection:
            return connection.execute(query).first()

    def _scalar(self, query: Select[Value]) -> Value | None:
        with self._reading() as connection:
            return connection.scalar(query)

    def _scalars(self, query: Select[Value]) -> Sequence[Value]:
        with self._reading() as connection:
            return connection.scalars(query).all()
