"""Command line: registration of all commands, and output of errors."""

import errno
import gc
import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from itertools import islice, pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from features.errors import TidegateError
from serving.access.acting import begin_acting
from serving.access.actors import Actor
from serving.extras import extras_for, missing

# Errors of a disk or its permissions, reported in one line; any other OSError is a bug.
DISK_REFUSALS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
}

# Imports create many objects that stay. Scanning them every 700 allocations would take longer than
# the imports need.
COLLECT_AFTER_OBJECTS = 50_000

# `features.plugins` reads it; importing that would take longer than showing a help text.
FEATURE_PATHS = "TIDEGATE_FEATURES"

# Every command, in the order of the help.
COMMANDS = (
    *("demo", "synth", "build", "train", "evaluate", "promote", "serve", "score", "replay"),
    *("features", "verify-log", "audit", "doctor", "import", "init", "stream", "rotate-key"),
    *("upgrade", "backup", "restore", "fit-worker", "retrain", "backtest", "dossier", "monitor"),
    *("gates", "compare", "languages", "switch", "effect"),
    *("export", "keys", "teams", "webhooks", "incident", "state", "retention"),
    *("accounts", "approvals", "exchange"),
)
# Module and name within it, where they are not both the name of the command.
DEFINED_AS = {
    "replay": ("score", "replay"),
    "import": ("import_records", "import_records"),
    "upgrade": ("init", "upgrade"),
    "restore": ("backup", "restore"),
    "export": ("exports", "export"),
}


class Commands(Mapping[str, Any]):
    """Commands and groups of them by name, each imported when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@cache
def _command(name: str) -> Any:
    same = name.replace("-", "_")
    module, attribute = DEFINED_AS.get(name, (same, same))
    command = getattr(import_module(f"serving.cli.{module}"), attribute)
    alone = typer.Typer()
    if isinstance(command, typer.Typer):
        alone.add_typer(command, name=name)
    else:
        alone.command(name)(command)
    return typer.main.get_group(alone).commands[name]


class CommandGroup(TyperGroup):
    """The group of all commands, of which a run imports the one that it needs."""

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.commands = Commands()  # type: ignore[assignment]  # nothing adds to it


app = typer.Typer(
    name="tidegate",
    cls=CommandGroup,
    help="Scores routes and shipments for smuggling risk, and explains every score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def begin(
    features: Annotated[
        list[Path] | None,
        typer.Option(
            help="A Python file of features outside the tree, or a folder of such files; may be "
            "repeated, and may follow the command."
        ),
    ] = None,
) -> None:
    """Let everything that a command writes name the user who runs it, and name its features."""
    if features:
        os.environ[FEATURE_PATHS] = os.pathsep.join(str(path.resolve()) for path in features)
    begin_acting(Actor.from_command_line())


def main() -> None:
    """Run a command; exit with 1 and the reason on stderr if refused, with 2 on wrong usage."""
    gc.set_threshold(COLLECT_AFTER_OBJECTS)
    # Files of a home are for their owner alone, whichever command creates them.
    os.umask(0o077)
    sys.argv[1:] = _features_first(sys.argv[1:])
    _name_home(sys.argv[1:])
    try:
        app()
    except TidegateError as error:
        typer.echo(f"tidegate: {error}{_cause_of(error)}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.errno not in DISK_REFUSALS:
            raise
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"tidegate: {where}{error.strerror}; the command did not finish", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        # A missing package usually means that an extra was not installed.
        extras = extras_for(_command_name(), error)
        if not extras:
            raise
        typer.echo(f"tidegate: {missing(_command_name(), *extras)}", err=True)
        sys.exit(1)
    except Exception as error:
        if not _is_of_database(error):
            raise
        says = f"the database failed{_cause_of(error)}; the command did not finish"
        typer.echo(f"tidegate: {says}", err=True)
        sys.exit(1)


def _is_of_database(error: Exception) -> bool:
    """Return whether a command lost the database, or the database refused a write."""
    errors = sys.modules.get("sqlalchemy.exc")
    return errors is not None and isinstance(error, errors.OperationalError)


def _cause_of(error: Exception) -> str:
    """Return the driver's message if a command failed in the database."""
    # Then no database was opened, and the import would only cost time.
    if "serving.storage.engine" not in sys.modules:
        return ""
    from serving.storage.engine import cause_of

    says = cause_of(error)
    return f": {says}" if says else ""


def _command_name() -> str:
    """Return the name of the command that runs."""
    return next(argument for argument in sys.argv[1:] if argument in COMMANDS)


def _features_first(arguments: list[str]) -> list[str]:
    """Return the arguments with each `--features PATH` before the command, as for every command."""
    first, rest, left = list[str](), list[str](), iter(arguments)
    for argument in left:
        if argument == "--":
            rest += [argument, *left]
        elif argument == "--features":
            first += [argument, *islice(left, 1)]
        else:
            (first if argument.startswith("--features=") else rest).append(argument)
    return first + rest


def _name_home(arguments: list[str]) -> None:
    """Set TIDEGATE_HOME from `--home`, because imports already look for its caches."""
    for option, value in pairwise([*arguments, ""]):
        name, _, attached = option.partition("=")
        if name == "--home" and (attached or value):
            os.environ["TIDEGATE_HOME"] = attached or value


if __name__ == "__main__":
    main()
