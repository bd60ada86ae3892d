"""`tidegate keys`: who may call the service."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.access.actors import Actor
from serving.access.api_keys import ApiKey, new_key
from serving.access.roles import Scope
from serving.cli.audit import write_reading
from serving.cli.database import has_no_database, opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.storage.repositories.api_key_repository import ApiKeyRepository

keys = typer.Typer(help="API keys: create, list, rotate, revoke.", no_args_is_help=True)


class ScopeName(StrEnum):
    """What a key may be allowed."""

    SCORE = "score"
    EXPLAIN = "explain"
    INGEST = "ingest"
    EVENTS = "events"
    REVIEW = "review"
    RESCUE = "rescue"
    SWITCH = "switch"
    MONITOR = "monitor"


LONGEST_DAYS = 36_500

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
        int | None,
        typer.Option(min=1, max=LONGEST_DAYS, help="Days until it expires; never without."),
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
    from serving.access.office_ids import require_offices

    now = datetime.now(UTC)
    expires_at = now + timedelta(days=days) if days else None
    offices = require_offices(office or ())
    scopes: tuple[Scope, ...] = tuple(granted.value for granted in dict.fromkeys(scope))
    purposes = _purposes(purpose, home, database_url)
    kept, shown = new_key(name, scopes, offices, now, expires_at, purposes)
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
    from serving.settings import settings_of
    from serving.storage.repositories.purpose_repository import PurposeRepository

    write_reading("read", "refused_uses", home=home, database_url=database_url)
    settings = settings_of(home, database_url)
    engine = opened_database(settings, may_create=False)
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
    register = _register(home, database_url, may_create=False)
    kept, uses = register.all(), register.last_uses()
    if as_json:
        print_json([_face(key, now, uses.get(key.key_id)) for key in kept])
        return
    for key in kept:
        state = "live" if key.is_live(now) else "ended"
        scopes, offices = ",".join(key.scopes), ",".join(key.offices) or "all offices"
        used = uses[key.key_id].date().isoformat() if key.key_id in uses else "never used"
        ends = _end_in_words(key, now)
        typer.echo(
            f"{key.key_id}  {state:<5}  {scopes:<28}  {offices:<20}  {used:<10}  {key.name}{ends}"
        )


@keys.command()
def rotate(
    name: Name,
    overlap_days: Annotated[
        int,
        typer.Option(
            min=0, max=LONGEST_DAYS, help="Days that the former key lives on beside the new one."
        ),
    ] = 7,
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=LONGEST_DAYS,
            help="Days until the new key expires; as many as before without.",
        ),
    ] = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Give the holder of a key another one, shown once; both live until the overlap is over.

    Name, scopes, offices and the identity in histories stay the same. A former key whose own end
    comes earlier keeps that.
    """
    from serving.access.actors import Actor

    now = datetime.now(UTC)
    register = _register(home, database_url, may_create=False)
    fresh, shown = register.rotate(
        name,
        now,
        Actor.from_command_line(),
        overlap=timedelta(days=overlap_days),
        lifetime=timedelta(days=days) if days else None,
    )
    if as_json:
        print_json({"name": name, "key": str(shown), "scopes": fresh.scopes})
        return
    typer.echo(str(shown))
    (former,) = (each for each in register.all() if each.name == name and each.superseded_at == now)
    ends = (
        "has ended"
        if not former.is_live(now)
        else f"lives until {former.expires_at:%Y-%m-%d %H:%M}"
    )
    messages.print(f"This is the only time the key is shown. The former one {ends} (UTC).")


@keys.command()
def revoke(name: Name, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None) -> None:
    """End the key of this name; the service refuses it within a second."""
    _register(home, database_url).revoke(name, datetime.now(UTC))
    messages.print(f"The key {name} is revoked.")


@keys.command()
def wrap(
    passphrase_file: Annotated[
        Path | None,
        typer.Option(help="File whose first line is the passphrase; not in the home."),
    ] = None,
    command: Annotated[
        str | None,
        typer.Option(help="Command that wraps standard input to standard output (a KMS)."),
    ] = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Encrypt the secrets of the home, so that a thief of the home alone reads nothing.

    Stop the service, set TIDEGATE_KEYS_PASSPHRASE_FILE or TIDEGATE_KEYS_UNWRAP_COMMAND for it and
    for every command, and start it again: one that began before cannot open its keys, and refuses
    every decision (503) within a minute. Over a SQLite file it must be stopped.
    """
    from features.home_keys import wrap_keys
    from features.key_wrapping import PASSPHRASE_FILE, UNWRAP_COMMAND, HomeKey, passphrase_in

    if (passphrase_file is None) == (command is None):
        raise typer.BadParameter("give --passphrase-file or --command")
    if passphrase_file is not None:
        if passphrase_file.resolve().is_relative_to(home.resolve()):
            raise typer.BadParameter("want a file elsewhere: a thief of the home would have it too")
        os.environ.setdefault(PASSPHRASE_FILE, str(passphrase_file))
        fresh = HomeKey.under_passphrase(passphrase_in(passphrase_file))
    else:
        fresh = HomeKey.under_command(command or "")
    with _without_service(home, database_url), _on_record("wrap_keys", home, database_url) as keys:
        count = wrap_keys(keys, fresh)
    messages.print(
        f"{count} keys are wrapped. Copies of HOME/keys are not. Set {PASSPHRASE_FILE} or "
        f"{UNWRAP_COMMAND} for the service and every timer, and start services again: those that "
        "run cannot open their keys."
    )


@keys.command()
def unwrap(home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None) -> None:
    """Lay the secrets of the home down as they are, readable by its owner."""
    from features.home_keys import unwrap_keys

    with _on_record("unwrap_keys", home, database_url) as folder:
        count = unwrap_keys(folder)
    messages.print(f"{count} keys are unwrapped.")


@contextmanager
def _without_service(home: Path, database_url: str | None) -> Iterator[None]:
    """Let no service over a SQLite file run; nothing tells of those over PostgreSQL.

    Raises DatabaseInUse where one runs.
    """
    from serving.settings import settings_of
    from serving.storage.write_lock import hold_for_service

    where = settings_of(home, database_url).database
    if not isinstance(where, Path) or not where.exists():
        yield
        return
    with hold_for_service(where):
        yield


@contextmanager
def _on_record(action: str, home: Path, database_url: str | None) -> Iterator[Path]:
    """The folder of the keys; what was done with them is written down, where there is a database.

    Raises KeyMissing where there are no keys.
    """
    from features.errors import KeyMissing
    from serving.integrity.audit_log import AuditEvent
    from serving.settings import settings_of
    from serving.storage.engine import open_database
    from serving.storage.repositories.audit_repository import AuditRepository

    settings = settings_of(home, database_url)
    where, keys = settings.database, settings.keys
    if not keys.is_dir():
        raise KeyMissing(f"{keys} is not there; `tidegate init` makes the keys of a home")
    if has_no_database(settings):
        yield keys
        return
    engine = open_database(where, is_service=False, keys=keys, may_create=False)
    try:
        yield keys
        event = AuditEvent(datetime.now(UTC), Actor.from_command_line(), action, "key", "home")
        AuditRepository(engine).append(event)
    finally:
        engine.dispose()


def _end_in_words(key: ApiKey, now: datetime) -> str:
    """When a live key ends, where that is soon or a newer one takes its place; else nothing."""
    if key.expires_at is None or not key.is_live(now):
        return ""
    days = (key.expires_at - now).days
    if key.superseded_at:
        return f"  (a newer key took its place; ends in {days} days)"
    return f"  (ends in {days} days: rotate it)" if key.ends_soon(now) else ""


def _face(key: ApiKey, now: datetime, last_used_at: datetime | None) -> dict[str, Any]:
    return {
        "name": key.name,
        "key_id": key.key_id,
        "scopes": key.scopes,
        "offices": key.offices,
        "purposes": key.purposes,
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "is_live": key.is_live(now),
        "holder_id": key.holder,
        "superseded_at": key.superseded_at.isoformat() if key.superseded_at else None,
        "last_used_at": last_used_at.isoformat() if last_used_at else None,
        "ends_soon": key.ends_soon(now),
    }


def _register(
    home: Path, database_url: str | None, *, may_create: bool = True
) -> "ApiKeyRepository":
    from serving.settings import settings_of
    from serving.storage.repositories.api_key_repository import ApiKeyRepository

    settings = settings_of(home, database_url)
    engine = opened_database(settings, may_create=may_create)
    return ApiKeyRepository(engine)
