"""Brings a database to the tables of this release, in one transaction."""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

STEPS = Path(__file__).parent / "migrations"


def migrate(reading: Engine, writing: Engine) -> None:
    """Take the steps that a database lacks: all of them, or none where this is interrupted.

    A database that lacks none is only read, so that a command beside a busy service needs no lock.
    """
    steps = ScriptDirectory(str(STEPS))
    with reading.connect() as connection:
        if (
            MigrationContext.configure(connection).get_current_revision()
            == steps.get_current_head()
        ):
            return
    with writing.begin() as connection:
        wait_for_turn(connection)
        _take(steps, connection)


# Any two numbers, as long as all who append to one database agree on them.
_SEQUENCER = (0x7469, 0x6465)


def wait_for_turn(connection: Connection) -> None:
    """Wait until no other transaction is in its turn; the turn ends with this transaction.

    In SQLite a transaction that writes has its turn from its beginning.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", _SEQUENCER)


def _take(steps: ScriptDirectory, connection: Connection) -> None:
    def lacking(revision: Any, _: MigrationContext) -> Any:
        return steps._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), steps, fn=lacking) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
