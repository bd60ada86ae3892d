"""`tidegate audit`: who read, decided, signed in or changed what."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_existing_home

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


@on_existing_home
def audit(
    at: OpenedHome,
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
    refused_uses: Annotated[
        bool,
        typer.Option(
            "--refused-uses",
            help="List the calls instead that were refused since they acted for another purpose "
            "than data came for.",
        ),
    ] = False,
) -> CommandOutput:
    """List audit events, newest first; that they were read is an event too."""
    from serving.integrity.audit_log import EventFilter

    if refused_uses:
        at.record_reading("read", "refused_uses")
        refused = at.stores.purposes.refused()
        lines = [
            f"{e.at.isoformat()[:19]}  {e.caller_id:<14}  {e.purpose:<20}  {e.use}" for e in refused
        ]
        return CommandOutput([vars(each) for each in refused], lines)
    kind, _, object_id = (object_ or "").partition(":")
    wanted = EventFilter(
        actor=actor,
        action=action,
        object_kind=kind or None,
        object_ids=(object_id,) if object_id else (),
        begins=begins and begins.replace(tzinfo=UTC),
        ends=ends and ends.replace(tzinfo=UTC),
    )
    # Record first: this read is then part of the list that it shows.
    at.record_reading("read", "audit_log")
    events = at.stores.audit_log.newest(wanted, limit)
    lines = [
        f"{event.seq:>8}  {event.at:%Y-%m-%d %H:%M:%S}  {event.actor:<28}  {event.action:<18}  "
        f"{event.object_kind} {event.object_id}"
        for event in events
    ]
    return CommandOutput([asdict(event) for event in events], lines)
