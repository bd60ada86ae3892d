"""`tidegate letter`: whom letters name, and the sealed account for a court or an authority."""

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.database import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home
from serving.cli.output import messages

letter = typer.Typer(
    help="Letters to those whose case ended: whom they name, and the fuller version for a court.",
    no_args_is_help=True,
)


class RecipientName(StrEnum):
    """Who can have the whole."""

    COURT = "court"
    DATA_PROTECTION_AUTHORITY = "data_protection_authority"


@letter.command()
def init(home: Home = DEFAULT_HOME) -> None:
    """Lay HOME/letters.toml down: controller, officers, authority, remedies and deadlines."""
    from serving.review.letters.remedies import write_remedies_template

    file = _file(home)
    write_remedies_template(file)
    messages.print(f"{file}: fill in every field, then run `tidegate letter check`")


@letter.command()
def check(home: Home = DEFAULT_HOME) -> None:
    """Say what is missing before a letter can be written; exit 1 while anything is."""
    from serving.review.letters.remedies import Remedies

    file = _file(home)
    Remedies.read(file)
    messages.print(f"{file}: whole; letters can be written")


@letter.command()
def seal(
    case_id: Annotated[str, typer.Argument(help="The case, by the id of its decision.")],
    *,
    sealed_for: Annotated[RecipientName, typer.Option("--for", help="Which kind of recipient.")],
    recipient: Annotated[str, typer.Option(help="The recipient by name, with its reference.")],
    by: Annotated[str, typer.Option(help="Who makes it.")],
    because: Annotated[str, typer.Option(help="Why: the order or the request, and its date.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; HOME/accounts/CASE without.")
    ] = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Write all that is on record about a case, signed; that it was handed out is recorded."""
    from serving.access.actors import Actor
    from serving.integrity.checkpoints import LogSigner
    from serving.review.letters.sealed_account import Sealing, seal_account
    from serving.settings import settings_of
    from serving.storage.repositories.case_repository import CaseRepository
    from serving.storage.repositories.decision_repository import DecisionRepository

    settings = settings_of(home, database_url)
    engine = opened_database(settings)
    folder = out or settings.accounts_of_cases / case_id
    user = Actor.from_command_line()
    who = replace(user, name=f"{by} ({user.name})")
    digest = seal_account(
        CaseRepository(engine),
        DecisionRepository(engine),
        LogSigner.from_folder(settings.keys),
        folder,
        Sealing(case_id, sealed_for.value, recipient, who, because, datetime.now(UTC)),
    )
    messages.print(f"{folder}: {digest}; hand it to nobody but {recipient}", markup=False)


@letter.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="The folder that was sealed.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Check that a sealed account is as it was made here; exit 1 where anything was changed."""
    from serving.integrity.checkpoints import public_key_of
    from serving.review.letters.sealed_account import verify_account
    from serving.settings import settings_of

    digest = verify_account(folder, public_key_of(settings_of(home).keys))
    messages.print(f"{folder}: as it was sealed, {digest}")


def _file(home: Path) -> Path:
    from serving.settings import Settings

    return Settings(home=home).letters
