"""Brings a database to the tables of this release, in one transaction."""

import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

from serving.db.coverage import cover_changed, covered_digests
from serving.db.write_lock import writing

STEPS = Path(__file__).parent / "migrations"

_STEP = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_STEP_BEFORE = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)


def migrate(engine: Engine) -> None:
    """Take the steps that a database lacks: all of them, or none where this is interrupted.

    A database that lacks none is only read, so that a command beside a busy service needs no lock.
    The audit chain tells the rows that were there before it, and those that a step changes.
    """
    with engine.connect() as connection:
        found = _found(connection)
    if found != newest_step():
        with writing(engine) as connection:
            before = covered_digests(connection)
            _take(connection)
            cover_changed(connection, before)


def newest_step() -> str:
    """The step that none follows. The steps are read and not loaded: most starts take none."""
    sources = "".join(path.read_text() for path in (STEPS / "versions").glob("*.py"))
    (newest,) = set(_STEP.findall(sources)) - set(_STEP_BEFORE.findall(sources))
    return str(newest)


def _found(connection: Connection) -> str | None:
    """The last step that was taken."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def _take(connection: Connection) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(str(STEPS))

    def lacking(revision: Any, _: Any) -> Any:
        return steps._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), steps, fn=lacking) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
