"""`tidegate switch`: models off at once, and on again."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.person_names import names_somebody
from serving.cli.approved_acts import Approvals
from serving.cli.audit import write_reading
from serving.cli.database import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import print_json

if TYPE_CHECKING:
    from serving.models.kill_switch import SwitchEvent
    from serving.settings import Settings
    from serving.storage.repositories.kill_switch_repository import KillSwitchRepository

switch = typer.Typer(
    help="Switch models off, in every worker within a second, and on again.", no_args_is_help=True
)


class Models(StrEnum):
    """Whose models are meant."""

    ROUTE = "route"
    SHIPMENT = "shipment"
    ALL = "all"


Whose = Annotated[Models, typer.Option("--subject", help="Models of routes, shipments, or all.")]
By = Annotated[str, typer.Option(help="Who switches; the user of this machine is recorded too.")]
Because = Annotated[str, typer.Option(help="Why, in words; it stays on record.")]


@switch.command()
def off(
    by: By,
    because: Because,
    subject: Whose = Models.ALL,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Let no model be asked: danger to life, watch-lists, rules and random draws choose lanes."""
    register = _register(_settings(home, database_url))
    _switched(register, subject, by, because, is_on=False)
    _show(register, as_json=as_json)


@switch.command()
def on(
    because: Because,
    by: Annotated[
        str | None, typer.Option(help="Who switches. A name is enough in a trial.")
    ] = None,
    subject: Whose = Models.ALL,
    approval_file: Approvals = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Let models be used again; in live use two persons agree to it (`tidegate approvals`)."""
    settings = _settings(home, database_url)
    register = _register(settings)
    by = _two_for(register, settings, subject, by, approval_file or [])
    _switched(register, subject, by, because, is_on=True)
    _show(register, as_json=as_json)


@switch.command()
def show(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Say how models are switched, since when, by whom and why."""
    write_reading("read", "switches", home=home, database_url=database_url)
    _show(_register(_settings(home, database_url)), as_json=as_json)


def _settings(home: Path, database_url: str | None) -> "Settings":
    from serving.settings import settings_of

    return settings_of(home, database_url)


def latest_of(register: "KillSwitchRepository", scope: str) -> "dict[str, SwitchEvent]":
    """The last event of each kind of subject that is meant."""
    latest = register.latest_by_kind()
    return {kind: event for kind, event in latest.items() if scope in ("all", kind)}


def _two_for(
    register: "KillSwitchRepository",
    settings: "Settings",
    subject: Models,
    by: str | None,
    files: list[Path],
) -> str:
    """Who switches on: by name in a trial, by two persons' approvals in live use."""
    from serving.cli.approved_acts import act_of_switching_on, live_use
    from training.model.model_home import ModelHome

    live = live_use(settings, is_signed=bool(files))
    if live is None:
        if by is None:
            raise typer.BadParameter("want --by, who switches")
        return by
    latest = latest_of(register, subject.value)
    act = act_of_switching_on(subject.value, latest, ModelHome(settings.home).public_key)
    two = live.used_up(act, files, by)  # once they are on, the act is another
    return f"{two.proposer} and {two.approver}"


def _switched(
    register: "KillSwitchRepository", subject: Models, by: str, because: str, *, is_on: bool
) -> None:
    from serving.errors import Unprocessable
    from serving.models.kill_switch import record_switch

    if not names_somebody(by):
        raise Unprocessable("say who switches the models")
    now = datetime.now(UTC)
    record_switch(register, subject.value, is_on=is_on, by=by, because=because, at=now)


def _register(settings: "Settings") -> "KillSwitchRepository":
    from serving.storage.repositories.kill_switch_repository import KillSwitchRepository

    return KillSwitchRepository(opened_database(settings, may_create=False))


def _show(register: "KillSwitchRepository", *, as_json: bool) -> None:
    from dataclasses import asdict

    from serving.models.kill_switch import switch_states

    states = switch_states(register.latest_by_kind())
    if as_json:
        print_json({kind: last and asdict(last) for kind, last in states.items()})
        return
    for kind, last in states.items():
        word = "on" if last is None or last.is_on else "off"
        since = f" since {last.switched_at}, by {last.by.shown}: {last.because}" if last else ""
        typer.echo(f"models of {kind}s are {word}{since}")
