"""`tidegate state`: what was known before, kept for scoring."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.database import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json, progress_bar

state = typer.Typer(help="The online feature store: rebuild.", no_args_is_help=True)


@state.callback()
def _state() -> None:
    """What was known before, kept for scoring."""


@state.command()
def rebuild(
    records: Annotated[
        Path | None, typer.Option(help="Folder of record files; HOME/records without.")
    ] = None,
    allow_fewer: Annotated[
        bool,
        typer.Option(help="Let the new store know far fewer records than the former one did."),
    ] = False,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make the online feature store anew of record files, decision log and received records.

    The former store stays until the new one is whole. A service over a SQLite file takes it up when
    it starts again; over PostgreSQL all do at once.
    Refused where it would know fewer than half of the records that the former store knew, or that a
    champion was trained on.
    """
    from serving.history.client import known_records, rebuild_history
    from serving.models.model_pool import records_trained_on
    from serving.settings import settings_of
    from serving.storage.postgres_state import shared_state
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.record_repository import RecordRepository

    settings = settings_of(home, database_url)
    engine = opened_database(settings)
    log, shared = DecisionRepository(engine), shared_state(engine)
    files = records or settings.records
    known = known_records(settings, shared)
    trained_on = records_trained_on(settings.models, settings.keys / "signing.pub")
    expected = {
        name: max(known.get(name, 0), trained_on.get(name, 0)) for name in {*known, *trained_on}
    }
    with progress_bar("records") as progress:
        rebuild_history(
            settings,
            log,
            RecordRepository(engine),
            shared,
            files=files,
            progress=progress,
            expected={} if allow_fewer else expected,
        )
    if as_json:
        print_json({"records": str(files), "decisions": log.size()})
    else:
        messages.print(f"The online feature store was made of {files} and the log")
