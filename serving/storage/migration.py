"""Migrates a database to the tables of this release, and determines their present release."""

import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from features.errors import TidegateError
from serving.storage.row_audit.baseline import cover_changed, covered_digests

STEPS = Path(__file__).parent / "migrations"

# The steps are read as text: importing alembic would slow down every start.
_STEP = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_STEP_BEFORE = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)


def require_newest(step: str, place: str) -> None:
    """Raise TidegateError unless `step` is the last that this release knows."""
    if step == newest_step():
        return
    # Nothing is migrated unasked: a mere look by a newer release must not shut out the older one.
    if step in _known_steps():
        raise TidegateError(
            f"{place} has the tables of an older release (step {step}, want {newest_step()}), and "
            "nothing is migrated unasked: make a copy, see `tidegate upgrade --dry-run`, then run "
            "`tidegate upgrade`"
        )
    raise TidegateError(
        f"{place} has the tables of a newer release, or of one before 0.1.0 (step {step}, this "
        f"release knows {', '.join(sorted(_known_steps()))}): use the release that made it, or a "
        "copy from before its upgrade"
    )


def steps_lacking(connection: Connection) -> list[str]:
    """Return the steps that a database lacks, in the order of execution."""
    step = step_of(connection)
    if step is not None and step not in _known_steps():
        require_newest(step, "this database")
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(str(STEPS))
    lacking = steps.iterate_revisions("head", step or "base")
    return [each.revision for each in reversed(list(lacking)) if each.revision != step]


def newest_step() -> str:
    """Return the last step of this release.

    The files are searched and not imported, because most starts run no step and save the time.
    """
    sources = _sources()
    (newest,) = set(_STEP.findall(sources)) - set(_STEP_BEFORE.findall(sources))
    return str(newest)


def step_of(connection: Connection) -> str | None:
    """Return the last step that was run; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def _known_steps() -> set[str]:
    return set(_STEP.findall(_sources()))


def _sources() -> str:
    return "".join(path.read_text() for path in (STEPS / "versions").glob("*.py"))


def take_steps(connection: Connection) -> None:
    """Run the missing steps in a transaction that is already writing.

    The audit chain records the rows that existed before it, and those that a step changes.
    """
    # Taken before the steps, to record only the tables that a step has changed.
    before = covered_digests(connection)
    run_steps(connection)
    cover_changed(connection, before)


def run_steps(connection: Connection) -> None:
    """Run the missing steps without audit events, for tables whose chain is copied as well."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(str(STEPS))

    def lacking(revision: Any, _: Any) -> Any:
        return steps._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), steps, fn=lacking) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
