"""`tidegate init` and `tidegate upgrade`: keys, database and files of a home."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_home
from serving.cli.output import progress_bar


class HomeFile(StrEnum):
    """File of the home that the deployer fills in."""

    IMPACT = "impact"
    LETTERS = "letters"
    RETENTION = "retention"


@on_home
def init(
    at: OpenedHome,
    file: Annotated[
        HomeFile | None,
        typer.Argument(help="Write HOME/FILE.toml instead, with every question to answer."),
    ] = None,
) -> CommandOutput:
    """Make the keys and the database of a home, and bind them to each other; once.

    The first `serve`, `demo` or `train` does so too. What was made is never made anew: a home that
    has keys and a database is checked and left as it is. `impact` holds the assessment of the
    impact on fundamental rights without which live use does not begin, `letters` whom a letter
    names, `retention` the periods after which data end.
    """
    if file is not None:
        return _template(at, file)
    from serving.storage.keys.data_keys import DataKeys
    from serving.storage.repositories.database_identity import InstallationRepository

    bound = InstallationRepository(at.engine)
    DataKeys(at.engine).first_wrapping()
    keys = {each.name: each.fingerprint for each in bound.current_keys()}
    notes = [f"database {bound.database_id}, keys in {at.settings.keys}:"]
    notes += [f"  {name:<12} {fingerprint}" for name, fingerprint in keys.items()]
    notes.append("Copy the database and HOME/keys apart from each other; nothing makes keys anew.")
    return CommandOutput({"database_id": bound.database_id, "keys": keys}, (), notes)


def _template(at: OpenedHome, file: HomeFile) -> CommandOutput:
    path = path_of(at, file)
    if file is HomeFile.IMPACT:
        from serving.audit.impact_assessment import write_template

        write_template(path)
    elif file is HomeFile.LETTERS:
        from serving.review.letters.remedies import write_remedies_template

        write_remedies_template(path)
    else:
        from serving.audit.retention_periods import write_periods_template

        write_periods_template(path)
    says = f"{path}: fill in every field, then run `tidegate doctor {file}`"
    return CommandOutput.note(says, file=str(path))


def path_of(at: OpenedHome, file: HomeFile) -> Path:
    """Return the path of a file of the home."""
    return {
        HomeFile.IMPACT: at.settings.impact,
        HomeFile.LETTERS: at.settings.letters,
        HomeFile.RETENTION: at.settings.retention,
    }[file]


@on_home
def upgrade(
    at: OpenedHome,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
    move: Annotated[
        bool,
        typer.Option(
            "--move",
            help="Carry the SQLite file of the home over to the empty PostgreSQL database of "
            "--database-url, with log, keys and checkpoints.",
        ),
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Take back a --move that was not finished.")
    ] = False,
) -> CommandOutput:
    """Bring the database of an older release to this one, and bind home and database.

    No other command does so. There is no way back: make a copy first. Stop the service meanwhile.
    With --move every row is compared and the log verified, and the file is refused afterwards. If
    that is killed, run it again.
    """
    if move or abandon:
        return _move(at, abandon=abandon)
    from serving.storage.engine import upgrade_database

    steps = upgrade_database(at.settings.database, at.settings.keys, is_dry_run=dry_run)
    if not steps:
        says = "The database is of this release; there is nothing to do."
    elif dry_run:
        says = f"To be taken: {', '.join(steps)}. Make a copy first."
    else:
        says = f"Taken: {', '.join(steps)}."
    return CommandOutput({"steps": steps, "is_dry_run": dry_run}, (), (says,))


def _move(at: OpenedHome, *, abandon: bool) -> CommandOutput:
    from serving.storage.backup.database_move import DatabaseMove

    to = at.settings.database
    # A move goes to PostgreSQL; a file could simply be copied.
    if isinstance(to, Path):
        raise typer.BadParameter("want --database-url, where the database moves to")
    move = DatabaseMove(at.home / "tidegate.db", to, at.settings.keys)
    if abandon:
        move.abandon()
        says = "No move is under way any more; the file is served as before."
        return CommandOutput.note(says, rows=0)
    with progress_bar("rows") as progress:
        rows = move.run(at.by, at.now, progress)
    return CommandOutput.note(
        f"{rows:,} rows are at {move.place}, the log is whole. Set TIDEGATE_DATABASE_URL for the "
        "service and for every timer; the first start makes the online feature store.",
        rows=rows,
    )
