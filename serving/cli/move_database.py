"""`tidegate move-database`: from the SQLite file of a home to PostgreSQL, with the whole log."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from serving.cli.options import DEFAULT_HOME, Home
from serving.cli.output import messages, progress_bar


def move_database(
    to: Annotated[
        str,
        typer.Option(
            envvar="TIDEGATE_DATABASE_URL",
            help="postgresql://… of an empty database. Give a password by the environment.",
        ),
    ],
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Take back a move that was not finished.")
    ] = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """Carry the database of a home over, with log, keys and checkpoints; stop the service first.

    Every row is compared and the log verified. The file is refused afterwards. If this is killed,
    run it again.
    """
    from serving.access.actors import Actor
    from serving.settings import Settings
    from serving.storage.backup.database_move import DatabaseMove

    settings = Settings(home=home)
    move = DatabaseMove(settings.home / "tidegate.db", to, settings.keys)
    if abandon:
        move.abandon()
        messages.print("No move is under way any more; the file is served as before.")
        return
    with progress_bar("rows") as progress:
        rows = move.run(Actor.from_command_line(), datetime.now(UTC), progress)
    messages.print(
        f"{rows:,} rows are at {move.place}, the log is whole. Set TIDEGATE_DATABASE_URL for the "
        "service and for every timer; the first start makes the online feature store."
    )
