"""Tables of a new database, made by the statements that its steps ran the first time.

Every step is taken once for each engine; whoever needs an empty database after that gets the same
tables without their making, which takes ten times as long. SQLite tells what its tables came to,
so that none of them is made and changed again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, event

from serving.storage.migration import run_steps, step_of

_CHANGES = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")

Statement = tuple[str, Any]


class RecordedSteps:
    """`run_steps`, but that an empty database gets what an earlier one got."""

    def __init__(self) -> None:
        self._recorded: dict[str, list[Statement]] = {}

    def run(self, connection: Connection) -> None:
        """Make the tables of this release."""
        dialect = connection.dialect.name
        if step_of(connection) is not None:
            run_steps(connection)
        elif dialect in self._recorded:
            cursor = connection.connection.cursor()
            for statement, parameters in self._recorded[dialect]:
                cursor.execute(statement, parameters)
        else:
            with _recording(connection) as statements:
                run_steps(connection)
            is_dumped = dialect == "sqlite"
            self._recorded[dialect] = _dumped(connection) if is_dumped else _joined(statements)


def _dumped(connection: Connection) -> list[Statement]:
    """What makes the tables of SQLite as they are, within a transaction of whoever runs it."""
    database: Any = connection.connection.driver_connection
    _begin, *statements, _commit = database.iterdump()
    return [(statement, ()) for statement in statements]


def _joined(statements: list[Statement]) -> list[Statement]:
    """The same, those without parameters sent to PostgreSQL together, where percents are bare."""
    joined: list[Statement] = []
    for has_parameters, some in groupby(statements, lambda each: bool(each[1])):
        if has_parameters:
            joined += some
        else:
            joined.append((";\n".join(text.replace("%%", "%") for text, _ in some), None))
    return joined


@contextmanager
def _recording(connection: Connection) -> Iterator[list[Statement]]:
    statements: list[Statement] = []

    def record(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        words = statement.lstrip().upper()
        if words.startswith(_CHANGES):
            statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(connection, "before_cursor_execute", record)
