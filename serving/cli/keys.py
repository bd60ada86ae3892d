"""`tidegate keys`: who may call the service."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.access.api_keys import ApiKey, new_key
from serving.access.roles import Scope
from serving.cli.audit import write_reading
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.db.repositories.api_key_repository import ApiKeyRepository

keys = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)


class ScopeName(StrEnum):
    """What a key may be allowed."""

    SCORE = "score"
    INFER = "infer"
    EXPLAIN = "explain"
    INGEST = "ingest"
    REVIEW = "review"
    RESCUE = "rescue"
    SWITCH = "switch"
    MONITOR = "monitor"


Name = Annotated[str, typer.Argument(help="Which system or desk holds the key.")]


@keys.command()
def create(
    name: Name,
    scope: Annotated[list[ScopeName], typer.Option(help="What it may do; repeat for more.")],
    office: Annotated[
        list[str] | None,
        typer.Option(help="Offices it is tied to; repeat for more, all without."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days until it expires; never without.")
    ] = None,
    purpose: Annotated[
        list[str] | None,
        typer.Option(
            help="What its holder may act for; repeat for more. What the installation is for, "
            "without (TIDEGATE_PURPOSE)."
        ),
    ] = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it once; only its hash is kept."""
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=days) if days else None
    scopes: tuple[Scope, ...] = tuple(granted.value for granted in dict.fromkeys(scope))
    purposes = _purposes(purpose, home, database_url)
    kept, shown = new_key(name, scopes, tuple(office or ()), now, expires_at, purposes)
    _register(home, database_url).add_key(kept)
    if as_json:
        print_json({"name": name, "key": str(shown), "scopes": scopes, "offices": kept.offices})
        return
    typer.echo(str(shown))
    messages.print("This is the only time the key is shown.")


@keys.command()
def refusals(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Every call that was refused since it acted for another purpose than data came for."""
    from serving.db.engine import open_database
    from serving.db.repositories.purpose_repository import PurposeRepository
    from serving.settings import settings_of

    write_reading("read", "refused_uses", home=home, database_url=database_url)
    settings = settings_of(home, database_url)
    engine = open_database(
        settings.database, is_service=False, keys=settings.keys, may_create=False
    )
    refused = PurposeRepository(engine).refused()
    if as_json:
        print_json([vars(each) for each in refused])
        return
    for each in refused:
        typer.echo(f"{each.at[:19]}  {each.caller_id:<14}  {each.purpose:<20}  {each.use}")


def _purposes(given: list[str] | None, home: Path, database_url: str | None) -> tuple[str, ...]:
    """The purposes of a key; raises BadParameter for one that could be none."""
    from pydantic import TypeAdapter, ValidationError

    from serving.settings import Purpose, settings_of

    try:
        named = given or [settings_of(home, database_url).purpose]
        return tuple(dict.fromkeys(map(TypeAdapter(Purpose).validate_python, named)))
    except ValidationError:
        raise typer.BadParameter(
            "want small letters, digits and _", param_hint="--purpose"
        ) from None


@keys.command("list")
def list_keys(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Show every key's name, id, scopes, offices and state; never a secret."""
    now = datetime.now(UTC)
    write_reading("list", "keys", home=home, database_url=database_url)
    kept = _register(home, database_url, may_create=False).all()
    if as_json:
        print_json([_face(key, now) for key in kept])
        return
    for key in kept:
        state = "live" if key.is_live(now) else "ended"
        scopes, offices = ",".join(key.scopes), ",".join(key.offices) or "all offices"
        typer.echo(f"{key.key_id}  {state:<5}  {scopes:<28}  {offices:<20}  {key.name}")


@keys.command()
def revoke(name: Name, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None) -> None:
    """End the key of this name; the service refuses it within a second."""
    _register(home, database_url).revoke(name, datetime.now(UTC))
    messages.print(f"The key {name} is revoked.")


def _face(key: ApiKey, now: datetime) -> dict[str, Any]:
    return {
        "name": key.name,
        "key_id": key.key_id,
        "scopes": key.scopes,
        "offices": key.offices,
        "purposes": key.purposes,
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "is_live": key.is_live(now),
    }


def _register(
    home: Path, database_url: str | None, *, may_create: bool = True
) -> "ApiKeyRepository":
    from serving.db.engine import open_database
    from serving.db.repositories.api_key_repository import ApiKeyRepository
    from serving.settings import settings_of

    settings = settings_of(home, database_url)
    engine = open_database(
        settings.database, is_service=False, keys=settings.keys, may_create=may_create
    )
    return ApiKeyRepository(engine)
