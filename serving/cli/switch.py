"""`tidegate switch`: models off at once, and on again."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.audit import write_reading
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.db.repositories.kill_switch_repository import KillSwitchRepository

switch = typer.Typer(
    help="Switch models off, in every worker within a second, and on again.", no_args_is_help=True
)


class Models(StrEnum):
    """Whose models are meant."""

    ROUTE = "route"
    SHIPMENT = "shipment"
    ALL = "all"


Whose = Annotated[Models, typer.Option("--subject", help="Models of routes, shipments, or all.")]
By = Annotated[str, typer.Option(help="Who switches.")]
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
    register = _register(home, database_url)
    _switched(register, subject, by, because, is_on=False)
    _show(register, as_json=as_json)


@switch.command()
def on(
    by: By,
    because: Because,
    subject: Whose = Models.ALL,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Let models be used again."""
    register = _register(home, database_url)
    _switched(register, subject, by, because, is_on=True)
    _show(register, as_json=as_json)


@switch.command()
def show(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Say how models are switched, since when, by whom and why."""
    write_reading("read", "switches", home=home, database_url=database_url)
    _show(_register(home, database_url), as_json=as_json)


def _switched(
    register: "KillSwitchRepository", subject: Models, by: str, because: str, *, is_on: bool
) -> None:
    from serving.models.kill_switch import record_switch

    now = datetime.now(UTC)
    record_switch(register, subject.value, is_on=is_on, by=by, because=because, at=now)


def _register(home: Home, database_url: str | None) -> "KillSwitchRepository":
    from serving.db.engine import open_database
    from serving.db.repositories.kill_switch_repository import KillSwitchRepository
    from serving.errors import NotFound
    from serving.settings import settings_of

    settings = settings_of(home, database_url)
    where = settings.database
    if isinstance(where, Path) and not where.exists():
        raise NotFound(f"{where} is missing: no service was ever started there")
    return KillSwitchRepository(open_database(where, is_service=False, keys=settings.keys))


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
        messages.print(f"models of {kind}s are {word}{since}", markup=False)
