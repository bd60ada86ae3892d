"""`tidegate keys`: API keys of machines, and the encryption of the home's own keys."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from serving.access.api_keys import ApiKey
from serving.cli.admin_commands import command_of
from serving.cli.opened_home import CommandOutput, OpenedHome, on_existing_home

keys = typer.Typer(help="API keys: create, list, rotate, revoke; wrap.", no_args_is_help=True)

keys.command("create")(command_of("create_key"))
keys.command("rotate")(command_of("rotate_api_key"))
keys.command("revoke")(command_of("revoke_key"))


@keys.command("list")
@on_existing_home
def list_keys(at: OpenedHome) -> CommandOutput:
    """Show every key's name, id, scopes, offices and state; never a secret."""
    at.record_reading("list", "keys")
    register = at.stores.api_keys
    stored, uses = register.all(), register.last_uses()
    lines = []
    for key in stored:
        state = "live" if key.is_live(at.now) else "ended"
        scopes, offices = ",".join(key.scopes), ",".join(key.offices) or "all offices"
        used = uses[key.key_id].date().isoformat() if key.key_id in uses else "never used"
        lines.append(
            f"{key.key_id}  {state:<5}  {scopes:<28}  {offices:<20}  {used:<10}  "
            f"{key.name}{_end_in_words(key, at.now)}"
        )
    return CommandOutput([_face(key, at.now, uses.get(key.key_id)) for key in stored], lines)


@keys.command()
@on_existing_home
def wrap(
    at: OpenedHome,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(help="File whose first line is the passphrase; not in the home."),
    ] = None,
    command: Annotated[
        str | None,
        typer.Option(help="Command that wraps standard input to standard output (a KMS)."),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Store them unwrapped again, readable by the owner.")
    ] = False,
) -> CommandOutput:
    """Encrypt the secrets of the home, so that a thief of the home alone reads nothing.

    Stop the service, set TIDEGATE_KEYS_PASSPHRASE_FILE or TIDEGATE_KEYS_UNWRAP_COMMAND for it and
    for every command, and start it again: one that began before cannot open its keys, and refuses
    every decision (503) within a minute. Over a SQLite file it must be stopped.
    """
    from features.home_keys import unwrap_keys, wrap_keys
    from features.key_wrapping import PASSPHRASE_FILE, UNWRAP_COMMAND, HomeKey, passphrase_in

    if (passphrase_file is not None) + (command is not None) + undo != 1:
        raise typer.BadParameter("want one of --passphrase-file, --command and --undo")
    if undo:
        with _on_record("unwrap_keys", at) as folder:
            count = unwrap_keys(folder)
        return CommandOutput.note(f"{count} keys are unwrapped.", unwrapped=count)
    if passphrase_file is not None:
        if passphrase_file.resolve().is_relative_to(at.home.resolve()):
            raise typer.BadParameter("want a file elsewhere: a thief of the home would have it too")
        # This process must open the keys itself once they are wrapped.
        os.environ.setdefault(PASSPHRASE_FILE, str(passphrase_file))
        fresh = HomeKey.under_passphrase(passphrase_in(passphrase_file))
    else:
        fresh = HomeKey.under_command(command or "")
    with _without_service(at), _on_record("wrap_keys", at) as folder:
        count = wrap_keys(folder, fresh)
    return CommandOutput.note(
        f"{count} keys are wrapped. Copies of HOME/keys are not. Set {PASSPHRASE_FILE} or "
        f"{UNWRAP_COMMAND} for the service and every timer, and start services again: those that "
        "run cannot open their keys.",
        wrapped=count,
    )


@contextmanager
def _without_service(at: OpenedHome) -> Iterator[None]:
    """Ensure that no service runs over a SQLite file; PostgreSQL services cannot be detected.

    Raises TidegateError if one runs.
    """
    from serving.storage.write_lock import hold_for_service

    where = at.settings.database
    if not isinstance(where, Path) or not where.exists():
        yield
        return
    with hold_for_service(where):
        yield


@contextmanager
def _on_record(action: str, at: OpenedHome) -> Iterator[Path]:
    """Yield the folder of the keys, and record the change of keys afterwards.

    Raises KeyMissing if the folder does not exist.
    """
    from features.errors import KeyMissing
    from serving.integrity.audit_log import AuditEvent

    folder = at.settings.keys
    if not folder.is_dir():
        raise KeyMissing(f"{folder} is not there; `tidegate init` makes the keys of a home")
    if at.has_no_database:
        yield folder
        return
    # Open the log first, while its keys can still be read.
    audit_log = at.stores.audit_log
    yield folder
    audit_log.append(AuditEvent(at.now, at.by, action, "key", "home"))


def _end_in_words(key: ApiKey, now: datetime) -> str:
    """Return when a live key expires, if soon or if it was replaced; else an empty text."""
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
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "is_live": key.is_live(now),
        "holder_id": key.holder,
        "superseded_at": key.superseded_at,
        "last_used_at": last_used_at,
        "ends_soon": key.ends_soon(now),
    }
