"""`tidegate incident`: freeze the evidence of a harm, and inspect it later."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_home

incident = typer.Typer(
    help="Incidents: freeze a stretch of the log with a report, show and lift them.",
    no_args_is_help=True,
)


class HarmName(StrEnum):
    """Severity of a harm."""

    SERIOUS = "serious"
    NEAR_MISS = "near_miss"


FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
Name = Annotated[str, typer.Argument(help="What the incident is called: letters, digits, dashes.")]


@incident.command("open")
@on_home
def open_one(
    at: OpenedHome,
    name: Name,
    what: Annotated[str, typer.Option(help="What happened, in a sentence or two.")],
    by: Annotated[str, typer.Option(help="The role that opens it.")],
    begins: Annotated[
        datetime, typer.Option("--from", formats=FORMATS, help="Decided from (UTC).")
    ],
    ends: Annotated[datetime, typer.Option("--until", formats=FORMATS, help="And before (UTC).")],
    harm: Annotated[HarmName, typer.Option(help="How grave it is.")] = HarmName.SERIOUS,
) -> CommandOutput:
    """Copy the decisions of a stretch of time, signed, into HOME/incidents/NAME with a report."""
    from features.home_keys import LOG, private_key
    from serving.audit.incidents import Opening, freeze

    folder = _folder(at, name)
    at.record_reading("freeze", "incident", name)
    frozen = freeze(
        at.stores.decisions,
        private_key(at.settings.keys, LOG),
        folder,
        Opening(
            what=what,
            harm=harm.value,
            opened_by=by,
            opened_at=at.now,
            begins=begins.replace(tzinfo=UTC),
            ends=ends.replace(tzinfo=UTC),
        ),
    )
    says = f"records {frozen.first} to {frozen.last} are frozen; to fill in: {folder}/report.md"
    return CommandOutput(frozen.model_dump(mode="json"), (), (says,))


@incident.command()
@on_home
def show(
    at: OpenedHome,
    name: Annotated[
        str | None, typer.Argument(help="An incident to verify; lists all of them without.")
    ] = None,
    records: Annotated[
        bool,
        typer.Option(
            "--records", help="Print its decisions, decrypted, one a line: keep them safe."
        ),
    ] = False,
) -> CommandOutput:
    """List incidents, or check signature, digest and chain of one; exit 1 if it was changed."""
    from serving.audit import incidents
    from serving.integrity.checkpoints import public_key_of

    if name is None:
        at.record_reading("list", "incidents")
        found = list(incidents.incidents(at.settings.incidents))
        lines = [f"{e.name}  {e.harm}  records {e.first}-{e.last}  {e.what}" for e in found]
        return CommandOutput([each.model_dump(mode="json") for each in found], lines)
    frozen = incidents.verify_incident(_folder(at, name), public_key_of(at.settings.keys))
    says = f"{name}: as it was frozen, records {frozen.first} to {frozen.last}"
    if not records:
        return CommandOutput(frozen.model_dump(mode="json"), (), (says,))
    # Record before anything is shown, so that no disclosure goes unrecorded.
    at.record_reading("read", "incident", name)
    lines = list(incidents.read(at.stores.decisions, frozen))
    return CommandOutput({"records": lines}, lines, (says,))


@incident.command()
@on_home
def lift(
    at: OpenedHome,
    name: Name,
    by: Annotated[str, typer.Option(help="Who says so.")],
    because: Annotated[str, typer.Option(help="Why it need not be kept any more.")],
) -> CommandOutput:
    """Let the decisions of an incident end when their time is over; until then they stay."""
    from serving.audit import incidents

    folder = _folder(at, name)
    at.record_reading("lift", "incident", name)
    incidents.lift_incident_hold(folder, incidents.LiftedHold(by=by, because=because, at=at.now))
    return CommandOutput.note(f"{name} is lifted; its decisions end as all others do", lifted=name)


def _folder(at: OpenedHome, name: str) -> Path:
    # The name becomes a folder, so it must not contain path separators.
    if not name.replace("-", "").isalnum():
        raise typer.BadParameter("want letters, digits and dashes", param_hint="name")
    return at.settings.incidents / name
