"""`tidegate init`: a home's keys and database. `tidegate upgrade`: those of an older release."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.database import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json


def init(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Make the keys and the database of a home, and bind them to each other; once.

    The first `serve`, `demo` or `train` does so too. What was made is never made anew: a home that
    has keys and a database is checked and left as it is.
    """
    from serving.settings import settings_of
    from serving.storage.keys.data_keys import DataKeys
    from serving.storage.repositories.installation_repository import InstallationRepository

    settings = settings_of(home, database_url)
    engine = opened_database(settings)
    bound = InstallationRepository(engine)
    DataKeys(engine).first_wrapping()
    if as_json:
        keys = {each.name: each.fingerprint for each in bound.current_keys()}
        print_json({"database_id": bound.database_id, "keys": keys})
        return
    messages.print(f"database {bound.database_id}, keys in {settings.keys}:")
    for each in bound.current_keys():
        messages.print(f"  {each.name:<12} {each.fingerprint}")
    messages.print(
        "Copy the database and HOME/keys apart from each other; nothing makes keys anew."
    )


def upgrade(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Bring the database of an older release to this one, and bind home and database.

    No other command does so. There is no way back: make a copy first. Stop the service meanwhile.
    """
    from serving.settings import settings_of
    from serving.storage.engine import upgrade_database

    settings = settings_of(home, database_url)
    steps = upgrade_database(settings.database, settings.keys, is_dry_run=dry_run)
    if as_json:
        print_json({"steps": steps, "is_dry_run": dry_run})
        return
    if not steps:
        messages.print("The database is of this release; there is nothing to do.")
    elif dry_run:
        messages.print(f"To be taken: {', '.join(steps)}. Make a copy first.")
    else:
        messages.print(f"Taken: {', '.join(steps)}.")
        _tell_of_former_wrapping_keys(settings.keys)


def _tell_of_former_wrapping_keys(keys: Path) -> None:
    if any((keys / "data").glob("*.key")):
        messages.print(
            "Wrapping keys of the older release are still in HOME/keys/data; the next erasure or "
            "rotation destroys them. If another database was served from this home, upgrade it "
            "before, in a copy of the home without database.json."
        )
