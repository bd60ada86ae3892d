"""Command line: registration of all commands, and output of errors."""

import errno
import gc
import os
import sys
from itertools import pairwise

import typer

from features.errors import TidegateError
from serving.access.acting import begin_acting
from serving.access.actors import Actor
from serving.cli.accounts import accounts
from serving.cli.approvals import approvals
from serving.cli.audit import audit
from serving.cli.backtest import backtest
from serving.cli.backup import backup, restore
from serving.cli.build import build
from serving.cli.demo import demo
from serving.cli.doctor import doctor
from serving.cli.dossier import dossier
from serving.cli.evaluate import evaluate
from serving.cli.exports import export
from serving.cli.features import features
from serving.cli.fit_worker import fit_worker
from serving.cli.gates import gates
from serving.cli.import_records import import_records
from serving.cli.incident import incident
from serving.cli.init import init, upgrade
from serving.cli.keys import keys
from serving.cli.languages import languages
from serving.cli.monitor import monitor
from serving.cli.promote import promote
from serving.cli.retention import retention
from serving.cli.retrain import retrain
from serving.cli.rotate_key import rotate_key
from serving.cli.score import replay, score
from serving.cli.serve import serve
from serving.cli.state import state
from serving.cli.stream import stream
from serving.cli.switch import switch
from serving.cli.synth import synth
from serving.cli.teams import teams
from serving.cli.train import train
from serving.cli.verify_log import verify_log
from serving.cli.webhooks import webhooks
from serving.extras import extras_for, missing

# Errors of a disk or its permissions, reported in one line; any other OSError is a bug.
DISK_REFUSALS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
}

# Imports create many objects that stay. Scanning them every 700 allocations would take longer than
# the imports need.
COLLECT_AFTER_OBJECTS = 50_000

app = typer.Typer(
    name="tidegate",
    help="Scores routes and shipments for smuggling risk, and explains every score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def act_as_user() -> None:
    """Let everything that a command writes name the user who runs it."""
    begin_acting(Actor.from_command_line())


for command in (demo, synth, build, train, evaluate, promote, serve, score, replay, features):
    app.command()(command)
app.command("verify-log")(verify_log)
app.command()(audit)
app.command()(doctor)
app.command("import")(import_records)
app.command()(init)
app.command()(stream)
app.command("rotate-key")(rotate_key)
app.command()(upgrade)
app.command()(backup)
app.command()(restore)
app.command("fit-worker")(fit_worker)
app.command()(retrain)
app.command()(backtest)
app.command()(dossier)
app.command()(monitor)
app.command()(gates)
app.command()(languages)
app.command()(switch)
app.add_typer(export, name="export")
app.add_typer(keys, name="keys")
app.add_typer(teams, name="teams")
app.add_typer(webhooks, name="webhooks")
app.add_typer(incident, name="incident")
app.add_typer(state, name="state")
app.add_typer(retention, name="retention")
app.add_typer(accounts, name="accounts")
app.add_typer(approvals, name="approvals")


def main() -> None:
    """Run a command; exit with 1 and the reason on stderr if refused, with 2 on wrong usage."""
    gc.set_threshold(COLLECT_AFTER_OBJECTS)
    # Files of a home are for their owner alone, whichever command creates them.
    os.umask(0o077)
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
        extras = extras_for(sys.argv[1], error)
        if not extras:
            raise
        typer.echo(f"tidegate: {missing(sys.argv[1], *extras)}", err=True)
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


def _name_home(arguments: list[str]) -> None:
    """Set TIDEGATE_HOME from `--home`, because imports already look for its caches."""
    for option, value in pairwise([*arguments, ""]):
        name, _, attached = option.partition("=")
        if name == "--home" and (attached or value):
            os.environ["TIDEGATE_HOME"] = attached or value


if __name__ == "__main__":
    main()
