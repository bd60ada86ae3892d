"""`tidegate accounts`: who may sign in to the console."""

import secrets
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.db.repositories.account_repository import AccountRepository

accounts = typer.Typer(help="Accounts of people: create, list, disable.", no_args_is_help=True)


class RoleName(StrEnum):
    """What the holder of an account does."""

    REVIEWER = "reviewer"
    SUPERVISOR = "supervisor"
    RESCUE = "rescue"
    DATA_SCIENTIST = "data_scientist"
    AUDITOR = "auditor"
    ADMIN = "admin"


Name = Annotated[str, typer.Argument(help="The name to sign in with.")]


@accounts.command()
def create(
    name: Name,
    role: Annotated[RoleName, typer.Option(help="What the holder may do and see.")],
    office: Annotated[
        list[str] | None,
        typer.Option(help="Offices it is tied to; repeat for more, all without."),
    ] = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make an account and show its password once; only its argon2 hash is kept."""
    from serving.access.accounts import new_account

    password = secrets.token_urlsafe(15)
    account = new_account(name, password, role.value, tuple(office or ()), datetime.now(UTC))
    _register(home, database_url).add_account(account)
    if as_json:
        print_json({"name": name, "role": role.value, "password": password})
        return
    typer.echo(password)
    messages.print("This is the only time the password is shown.")


@accounts.command("list")
def list_accounts(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Show every account's name, role, offices and state."""
    kept = _register(home, database_url).all()
    if as_json:
        print_json(
            [
                {
                    "name": account.name,
                    "role": account.role,
                    "offices": account.offices,
                    "is_live": account.disabled_at is None,
                }
                for account in kept
            ]
        )
        return
    for account in kept:
        state = "live" if account.disabled_at is None else "ended"
        offices = ",".join(account.offices) or "all offices"
        typer.echo(f"{state:<5}  {account.role:<14}  {offices:<20}  {account.name}")


@accounts.command()
def disable(name: Name, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None) -> None:
    """End an account; its sessions end with it."""
    _register(home, database_url).disable(name, datetime.now(UTC))
    messages.print(f"The account {name} is disabled.")


def _register(home: Path, database_url: str | None) -> "AccountRepository":
    from serving.db.engine import open_database
    from serving.db.repositories.account_repository import AccountRepository
    from serving.settings import settings_of

    settings = settings_of(home, database_url)
    return AccountRepository(open_database(settings.database, is_service=False))
