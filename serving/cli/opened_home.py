"""Support for commands on one home: `@on_home` adds shared options, opens the home and prints."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from serving.access.actors import Actor
    from serving.settings import Settings
    from serving.storage.stores import Stores


@dataclass(frozen=True)
class CommandOutput:
    """Output of a command: JSON document or lines on stdout, notes on stderr."""

    document: Any = None
    lines: Sequence[str] = ()
    notes: Sequence[str] = ()
    exit_code: int = 0

    @classmethod
    def note(cls, text: str, **document: Any) -> "CommandOutput":
        """Return the output of one sentence; `document` holds its facts by name."""
        return cls(document, (), (text,))


@dataclass
class OpenedHome:
    """A home as one command sees it; `may_create` allows creating a missing database.

    Everything is opened on first use: `tidegate audit --help` must not open a database.
    """

    home: Path
    database_url: str | None = None
    may_create: bool = True
    as_json: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def by(self) -> "Actor":
        """User of the operating system who runs the command."""
        from serving.access.actors import Actor

        return Actor.from_command_line()

    @cached_property
    def settings(self) -> "Settings":
        """Settings from the environment, for this home and database."""
        from serving.settings import settings_of

        return settings_of(self.home, self.database_url)

    @property
    def has_no_database(self) -> bool:
        """Return whether the home has no database yet; raises TidegateError for a foreign one."""
        return has_no_database(self.settings)

    @cached_property
    def engine(self) -> "Engine":
        """Open database; a service may use it at the same time."""
        return opened_database(self.settings, may_create=self.may_create)

    @cached_property
    def stores(self) -> "Stores":
        """Stores of the database by name, like those of the service."""
        from serving.storage.stores import Stores

        return Stores(self.engine)

    def known_offices(self) -> set[str]:
        """Return the offices named by accounts, keys, cases or the plan of the lanes."""
        from serving.storage.known_offices import known_offices
        from serving.triage.triage_plan import TriagePlan

        stores, plan = self.stores, TriagePlan.read(self.settings.plan)
        return known_offices(stores.accounts, stores.api_keys, stores.cases, plan)

    def record_reading(self, action: str, object_kind: str, object_id: str = "") -> None:
        """Append an audit event for what the command is about to show.

        A home without a database has nothing to show. A write-protected copy, as given to auditors,
        cannot record anything; a message says so. Raises LogUnavailable.
        """
        from serving.integrity.audit_log import AuditEvent
        from serving.storage.engine import is_write_protected

        if self.has_no_database:
            return
        where = self.settings.database
        if isinstance(where, Path) and is_write_protected(where):
            messages.print("write-protected: that it is read here could not be recorded")
            return
        event = AuditEvent(self.now, self.by, action, object_kind, object_id)
        self.stores.audit_log.append(event)

    def close(self) -> None:
        """Close the database if the command opened it."""
        if "engine" in self.__dict__:
            self.engine.dispose()


def has_no_database(settings: "Settings") -> bool:
    """Return whether a home has no database yet; raises TidegateError for a foreign one."""
    from serving.storage.binding import is_database_missing

    return is_database_missing(settings.database, settings.keys)


def opened_database(settings: "Settings", *, may_create: bool = True) -> "Engine":
    """Open the database of a home for a command; raises what `open_database` raises."""
    from serving.storage.engine import open_database

    return open_database(
        settings.database, is_service=False, keys=settings.keys, may_create=may_create
    )


def on_home(
    command: Callable[..., CommandOutput | None], *, may_create: bool = True
) -> Callable[..., None]:
    """Return a typer command for a function whose first parameter is the opened home.

    The command gets `--home`, `--database-url` and `--json` after its own options, and prints the
    returned output as text or as one JSON document. `may_create` allows creating a missing
    database.
    """

    def run(
        *, home: Path, database_url: str | None = None, as_json: bool = False, **given: Any
    ) -> None:
        at = OpenedHome(home, database_url, may_create, as_json)
        try:
            answer = command(at, **given)
        finally:
            at.close()
        if answer is not None:
            print_answer(answer, as_json=as_json)

    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [*inspect.signature(command).parameters.values()][1:]
    shared = (
        inspect.Parameter("home", keyword, default=DEFAULT_HOME, annotation=Home),
        inspect.Parameter("database_url", keyword, default=None, annotation=DatabaseUrl),
        inspect.Parameter("as_json", keyword, default=False, annotation=Json),
    )
    parameters = [*(each.replace(kind=keyword) for each in own), *shared]
    # Typer reads options from the signature, so that of `run` must list all of them.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__module__ = command.__module__
    return run


# Variant for commands that refuse a home without a database.
on_existing_home = partial(on_home, may_create=False)


def print_answer(answer: CommandOutput, *, as_json: bool) -> None:
    """Print an output; raises Exit if its exit code is not 0."""
    if as_json:
        print_json(answer.document)
    else:
        for line in answer.lines:
            typer.echo(line)
    for note in answer.notes:
        messages.print(note, markup=False, soft_wrap=True)
    if answer.exit_code:
        raise typer.Exit(answer.exit_code)
