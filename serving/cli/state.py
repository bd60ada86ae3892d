"""`tidegate state`: the online feature store."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_home
from serving.cli.output import progress_bar

state = typer.Typer(help="The online feature store: rebuild.", no_args_is_help=True)


@state.callback()
def _state() -> None:
    """Group the commands over what was known before, stored for scoring."""


@state.command()
@on_home
def rebuild(
    at: OpenedHome,
    records: Annotated[
        Path | None, typer.Option(help="Folder of record files; HOME/records without.")
    ] = None,
    allow_fewer: Annotated[
        bool,
        typer.Option(help="Let the new store know far fewer records than the former one did."),
    ] = False,
) -> CommandOutput:
    """Make the online feature store anew of record files, decision log and received records.

    The former store stays until the new one is whole. A service over a SQLite file takes it up when
    it starts again; over PostgreSQL all do at once.
    Refused where it would know fewer than half of the records that the former store knew, or that a
    champion was trained on.
    """
    from serving.history.client import known_records, rebuild_history
    from serving.models.model_pool import records_trained_on

    settings, log, shared = at.settings, at.stores.decisions, at.stores.online_store
    files = records or settings.records
    known = known_records(settings, shared)
    trained_on = records_trained_on(settings.models, settings.keys / "signing.pub")
    # Compare with both, so that missing record files are noticed even without a former store.
    expected = {
        name: max(known.get(name, 0), trained_on.get(name, 0)) for name in {*known, *trained_on}
    }
    with progress_bar("records") as progress:
        rebuild_history(
            settings,
            log,
            at.stores.records,
            shared,
            files=files,
            progress=progress,
            expected={} if allow_fewer else expected,
        )
    says = f"The online feature store was made of {files} and the log"
    return CommandOutput({"records": str(files), "decisions": log.size()}, (), (says,))
