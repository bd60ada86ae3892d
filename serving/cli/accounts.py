"""`tidegate accounts`: who may sign in to the console."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.audit import write_reading
from serving.cli.database import opened_database
from serving.cli.offices import tell_new_offices
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.access.accounts import Account
    from serving.storage.repositories.account_repository import AccountRepository

accounts = typer.Typer(
    help="Accounts of people: create, list, change, reset, disable, enable.", no_args_is_help=True
)


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
    for_trial: Annotated[
        bool,
        typer.Option(
            "--for-trial", help="Its password may stay as it is, as long as the service is a trial."
        ),
    ] = False,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make an account and show its first password once; only its argon2 hash is kept."""
    from serving.access.accounts import Account, with_first_password
    from serving.access.actors import Actor
    from serving.access.office_ids import require_offices
    from serving.access.oidc import NO_PASSWORD
    from serving.storage.repositories.account_repository import AccountRepository

    now = datetime.now(UTC)
    bare = Account(name, NO_PASSWORD, role.value, require_offices(office or ()), now)
    account, password = with_first_password(bare, now, is_for_trial=for_trial)
    engine = _engine(home, database_url)
    tell_new_offices(engine, home, account.offices)
    AccountRepository(engine).add_account(account, Actor.from_command_line())
    _show(account, password, as_json=as_json)


@accounts.command("list")
def list_accounts(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Show every account's name, role, offices and state."""
    write_reading("list", "accounts", home=home, database_url=database_url)
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
    from serving.access.actors import Actor

    actor = Actor.from_command_line()
    _register(home, database_url).disable(name, datetime.now(UTC), actor)
    messages.print(f"The account {name} is disabled.")


@accounts.command()
def enable(name: Name, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None) -> None:
    """Let a disabled account be used again, with the password and second factor it had."""
    from serving.access.actors import Actor

    actor = Actor.from_command_line()
    _register(home, database_url).enable(name, datetime.now(UTC), actor)
    messages.print(f"The account {name} is in use again.", markup=False)


@accounts.command()
def change(
    name: Name,
    role: Annotated[
        RoleName | None, typer.Option(help="What the holder may do and see; as it is without.")
    ] = None,
    office: Annotated[
        list[str] | None,
        typer.Option(help="Offices it is tied to, in place of all it had; repeat for more."),
    ] = None,
    all_offices: Annotated[
        bool, typer.Option("--all-offices", help="Tie it to no office: it sees all.")
    ] = False,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Give an account another role or other offices; its sessions end."""
    from serving.access.actors import Actor
    from serving.access.office_ids import require_offices
    from serving.errors import Unprocessable

    if all_offices and office:
        raise Unprocessable("want --office or --all-offices, not both")
    register = _register(home, database_url)
    found = _in_use(register, name)
    role_now = role.value if role else found.role
    kept = () if all_offices else found.offices
    offices = require_offices(office) if office else kept
    register.change(name, role_now, offices, datetime.now(UTC), Actor.from_command_line())
    where = ", ".join(offices) or "all offices"
    messages.print(f"The account {name} is {role_now} of {where}.", markup=False)


@accounts.command("reset-password")
def reset_password(
    name: Name, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Give an account a new first password, shown once; its sessions end."""
    from serving.access.accounts import with_first_password
    from serving.access.actors import Actor
    from serving.errors import Forbidden

    register, now = _register(home, database_url), datetime.now(UTC)
    found = _in_use(register, name)
    if found.subject is not None:
        raise Forbidden("the password of this account is kept elsewhere")
    account, password = with_first_password(found, now)
    register.set_password(account, now, Actor.from_command_line())
    _show(account, password, as_json=as_json)


@accounts.command("reset-second-factor")
def reset_second_factor(
    name: Name, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None
) -> None:
    """Let an account ask for no code any more; its sessions end."""
    from serving.access.actors import Actor
    from serving.storage.repositories.second_factor_repository import SecondFactorRepository
    from serving.storage.repositories.session_repository import SessionRepository

    engine, now, actor = _engine(home, database_url), datetime.now(UTC), Actor.from_command_line()
    SecondFactorRepository(engine).remove(name, now, actor)
    SessionRepository(engine).end_all(f"account:{name}", now, actor)
    messages.print(f"The account {name} signs in without a code.", markup=False)


@accounts.command("end-sessions")
def end_sessions(name: Name, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None) -> None:
    """End every session of an account."""
    from serving.access.actors import Actor
    from serving.storage.repositories.session_repository import SessionRepository

    sessions = SessionRepository(_engine(home, database_url))
    ended = sessions.end_all(f"account:{name}", datetime.now(UTC), Actor.from_command_line())
    messages.print(f"{ended} sessions of {name} were ended.", markup=False)


def _show(account: "Account", password: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": account.name, "role": account.role, "password": password})
        return
    typer.echo(password)
    messages.print("This is the only time the password is shown.")
    if account.credential_origin == "first":
        messages.print("It must be changed when it is used for the first time.")


def _in_use(register: "AccountRepository", name: str) -> "Account":
    from serving.errors import NotFound

    account = register.find(name)
    if account is None or account.disabled_at is not None:
        raise NotFound(f"no account named {name} is in use")
    return account


def _register(home: Path, database_url: str | None) -> "AccountRepository":
    from serving.storage.repositories.account_repository import AccountRepository

    return AccountRepository(_engine(home, database_url))


def _engine(home: Path, database_url: str | None) -> Any:
    from serving.settings import settings_of

    settings = settings_of(home, database_url)
    return opened_database(settings)
