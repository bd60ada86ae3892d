"""Raw SQL through the driver itself, for the statements of every request and every group.

To hand one over takes SQLAlchemy several times as long as the database to answer it. Connections
are of its pool, and whatever fails is raised as it would raise it.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Self

from sqlalchemy import Engine, Table
from sqlalchemy.exc import DBAPIError


class DriverConnection:
    """A connection for as long as `with` lasts; what was not committed by its end is undone.

    In a statement `?` stands for a value, whatever the database.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._error = engine.dialect.loaded_dbapi.Error
        self._uses_question_marks = engine.dialect.paramstyle == "qmark"

    def __enter__(self) -> Self:
        try:
            self._connection = self._engine.raw_connection()
        except self._error as failure:
            raise self._sqlalchemy_error(failure) from failure
        self._cursor = self._connection.cursor()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()  # back to the pool, which rolls back

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a statement answers."""
        self.run(statement, values)
        rows: list[tuple[Any, ...]] = self._call(self._cursor.fetchall)
        return rows

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run a statement."""
        self._call(self._cursor.execute, self._text(statement), values)

    def run_each(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement with the values of every row."""
        self._call(self._cursor.executemany, self._text(statement), rows)

    def commit(self) -> None:
        """Make durable what was written."""
        self._call(self._connection.commit)

    def _text(self, statement: str) -> str:
        return statement if self._uses_question_marks else statement.replace("?", "%s")

    def _call(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except self._error as failure:
            if self._is_broken_by(failure):
                self._connection.invalidate(failure)  # nobody is given it again
            raise self._sqlalchemy_error(failure) from failure

    def _is_broken_by(self, failure: Exception) -> bool:
        beneath: Any = self._connection.dbapi_connection
        return self._engine.dialect.is_disconnect(failure, beneath, self._cursor)  # type: ignore[arg-type]  # a DBAPI cursor

    def _sqlalchemy_error(self, failure: Exception) -> BaseException:
        return DBAPIError.instance(None, None, failure, self._error, dialect=self._engine.dialect)


class InsertStatement:
    """Inserts rows into one table; each has a value for every column."""

    def __init__(self, table: Table):
        names = [column.name for column in table.columns]
        marks = ", ".join("?" * len(names))
        self._statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names of our own
        self._values = itemgetter(*names)

    def execute(self, rows: Sequence[Mapping[str, Any]], connection: DriverConnection) -> None:
        """Insert these rows."""
        connection.run_each(self._statement, [self._values(row) for row in rows])
