"""`tidegate incident`: freeze what a harm must be explained from, and look at it later."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.audit import write_reading
from serving.cli.database import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.settings import Settings

incident = typer.Typer(
    help="Incidents: freeze a stretch of the log with a report, list and verify them.",
    no_args_is_help=True,
)


class HarmName(StrEnum):
    """How grave it is."""

    SERIOUS = "serious"
    NEAR_MISS = "near_miss"


FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
Name = Annotated[str, typer.Argument(help="What the incident is called: letters, digits, dashes.")]


@incident.command("open")
def open_one(
    name: Name,
    *,
    what: Annotated[str, typer.Option(help="What happened, in a sentence or two.")],
    by: Annotated[str, typer.Option(help="The role that opens it.")],
    begins: Annotated[
        datetime, typer.Option("--from", formats=FORMATS, help="Decided from (UTC).")
    ],
    ends: Annotated[datetime, typer.Option("--until", formats=FORMATS, help="And before (UTC).")],
    harm: Annotated[HarmName, typer.Option(help="How grave it is.")] = HarmName.SERIOUS,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Copy the decisions of a stretch of time, signed, into HOME/incidents/NAME with a report."""
    from serving.audit.incidents import Opening, freeze
    from serving.integrity.checkpoints import LogSigner
    from serving.settings import settings_of
    from serving.storage.repositories.decision_repository import DecisionRepository

    settings = settings_of(home, database_url)
    folder = _folder(settings, name)
    write_reading("freeze", "incident", name, home=home, database_url=database_url)
    frozen = freeze(
        DecisionRepository(opened_database(settings)),
        LogSigner.from_folder(settings.keys),
        folder,
        Opening(
            what=what,
            harm=harm.value,
            opened_by=by,
            opened_at=datetime.now(UTC),
            begins=begins.replace(tzinfo=UTC),
            ends=ends.replace(tzinfo=UTC),
        ),
    )
    if as_json:
        print_json(frozen.model_dump(mode="json"))
    messages.print(
        f"records {frozen.first} to {frozen.last} are frozen; to fill in: {folder}/report.md"
    )


@incident.command("list")
def list_all(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Every incident that was opened here."""
    from serving.audit.incidents import incidents
    from serving.settings import settings_of

    write_reading("list", "incidents", home=home)
    found = list(incidents(settings_of(home).incidents))
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    for each in found:
        typer.echo(f"{each.name}  {each.harm}  records {each.first}-{each.last}  {each.what}")


@incident.command()
def verify(name: Name, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Check signature, digest and chain of what was frozen; exit 1 where anything was changed."""
    from serving.audit import incidents
    from serving.integrity.checkpoints import public_key_of
    from serving.settings import settings_of

    settings = settings_of(home)
    frozen = incidents.verify(_folder(settings, name), public_key_of(settings.keys))
    if as_json:
        print_json(frozen.model_dump(mode="json"))
    messages.print(f"{name}: as it was frozen, records {frozen.first} to {frozen.last}")


@incident.command()
def read(name: Name, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None) -> None:
    """Print what was frozen, decrypted, a decision a line; whoever gets it must keep it safe.

    Exit 1 where it is not as it was frozen, or was erased since.
    """
    import sys

    from serving.audit import incidents
    from serving.integrity.checkpoints import public_key_of
    from serving.settings import settings_of
    from serving.storage.repositories.decision_repository import DecisionRepository

    settings = settings_of(home, database_url)
    frozen = incidents.verify(_folder(settings, name), public_key_of(settings.keys))
    write_reading("read", "incident", name, home=home, database_url=database_url)
    engine = opened_database(settings)
    for record in incidents.read(DecisionRepository(engine), frozen):
        sys.stdout.write(record + "\n")


@incident.command()
def lift(
    name: Name,
    by: Annotated[str, typer.Option(help="Who says so.")],
    because: Annotated[str, typer.Option(help="Why it need not be kept any more.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Let the decisions of an incident end when their time is over; until then they stay."""
    from serving.audit import incidents
    from serving.settings import settings_of

    folder = _folder(settings_of(home), name)
    write_reading("lift", "incident", name, home=home)
    incidents.lift(folder, incidents.LiftedHold(by=by, because=because, at=datetime.now(UTC)))
    messages.print(f"{name} is lifted; its decisions end as all others do")


def _folder(settings: "Settings", name: str) -> Path:
    if not name.replace("-", "").isalnum():
        raise typer.BadParameter("want letters, digits and dashes", param_hint="name")
    return settings.incidents / name
