"""Brings a database to the tables of this release, in one transaction."""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from serving.store.turns import writing

STEPS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Take the steps that a database lacks: all of them, or none where this is interrupted.

    A database that lacks none is only read, so that a command beside a busy service needs no lock.
    """
    steps = ScriptDirectory(str(STEPS))
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != steps.get_current_head():
        with writing(engine) as connection:
            _take(steps, connection)


def _take(steps: ScriptDirectory, connection: Connection) -> None:
    def lacking(revision: Any, _: MigrationContext) -> Any:
        return steps._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), steps, fn=lacking) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
