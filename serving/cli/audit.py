"""`tidegate audit`: who read, decided, signed in or changed what."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.database import has_no_database, opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.storage.repositories.audit_repository import AuditRepository

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def audit(
    *,
    actor: Annotated[
        str | None, typer.Option(help="Who: account:NAME, key:ID, cli:UID@HOST …, or a name.")
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="What was done: read, sign_in, claim …")
    ] = None,
    object_: Annotated[
        str | None, typer.Option("--object", help="To what: a kind (case), or kind:id (case:…).")
    ] = None,
    begins: Annotated[
        datetime | None, typer.Option("--from", formats=FORMATS, help="From (UTC).")
    ] = None,
    ends: Annotated[
        datetime | None, typer.Option("--until", formats=FORMATS, help="And before (UTC).")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the newest.")] = 100,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """List audit events, newest first; that they were read is an event too."""
    from serving.integrity.audit_log import EventFilter

    kind, _, object_id = (object_ or "").partition(":")
    wanted = EventFilter(
        actor=actor,
        action=action,
        object_kind=kind or None,
        object_id=object_id or None,
        begins=begins and begins.replace(tzinfo=UTC),
        ends=ends and ends.replace(tzinfo=UTC),
    )
    write_reading("read", "audit_log", home=home, database_url=database_url)
    events = _events(home, database_url).newest(wanted, limit)
    if as_json:
        print_json([{**asdict(event), "at": event.at.isoformat()} for event in events])
        return
    for event in events:
        typer.echo(
            f"{event.seq:>8}  {event.at:%Y-%m-%d %H:%M:%S}  {event.actor:<28}  {event.action:<18}  "
            f"{event.object_kind} {event.object_id}"
        )


def write_reading(
    action: str,
    object_kind: str,
    object_id: str = "",
    *,
    home: Path,
    database_url: str | None = None,
) -> None:
    """Write down what whoever runs a command reads by it, before it is shown.

    A home that has no database yet has nothing to tell. Of a write-protected copy it is said that
    nothing could be written down. Raises LogUnavailable.
    """
    from serving.access.acting import whoever_acts
    from serving.integrity.audit_log import AuditEvent
    from serving.settings import settings_of
    from serving.storage.engine import is_write_protected

    settings = settings_of(home, database_url)
    if has_no_database(settings):
        return
    where = settings.database
    if isinstance(where, Path) and is_write_protected(where):
        messages.print("write-protected: that it is read here could not be recorded")
        return
    event = AuditEvent(datetime.now(UTC), whoever_acts(), action, object_kind, object_id)
    _events(home, database_url).append(event)


def _events(home: Path, database_url: str | None) -> "AuditRepository":
    from serving.settings import settings_of
    from serving.storage.repositories.audit_repository import AuditRepository

    settings = settings_of(home, database_url)
    engine = opened_database(settings, may_create=False)
    return AuditRepository(engine)
