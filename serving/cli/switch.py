"""`tidegate switch`: switch models off and on again."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.person_names import names_somebody
from serving.cli.approved_acts import Approvals
from serving.cli.opened_home import CommandOutput, OpenedHome, on_existing_home

if TYPE_CHECKING:
    from serving.models.kill_switch import SwitchEvent


class Models(StrEnum):
    """Models to switch."""

    ROUTE = "route"
    SHIPMENT = "shipment"
    ALL = "all"


class SwitchTo(StrEnum):
    """State to switch models to; `show` changes nothing."""

    OFF = "off"
    ON = "on"
    SHOW = "show"


@on_existing_home
def switch(
    at: OpenedHome,
    to: Annotated[
        SwitchTo, typer.Argument(help="Switch them off or on, or show how they are switched.")
    ] = SwitchTo.SHOW,
    by: Annotated[
        str | None,
        typer.Option(help="Who switches; the user of this machine is recorded too."),
    ] = None,
    because: Annotated[str | None, typer.Option(help="Why, in words; it stays on record.")] = None,
    subject: Annotated[
        Models, typer.Option("--subject", help="Models of routes, shipments, or all.")
    ] = Models.ALL,
    approval_file: Approvals = None,
) -> CommandOutput:
    """Switch models off, in every worker within a second, or on again; show how they are switched.

    While they are off, danger to life, watch-lists, rules and random draws choose lanes. In live
    use two persons agree to switch on (`tidegate approvals`).
    """
    from serving.errors import Unprocessable
    from serving.models.kill_switch import record_switch

    if to is SwitchTo.SHOW:
        at.record_reading("read", "switches")
        return _state(at)
    if because is None:
        raise typer.BadParameter("want --because, why")
    # Only switching on needs two people: off is for emergencies.
    if to is SwitchTo.ON:
        by = _two_for(at, subject, by, approval_file or [])
    elif by is None:
        raise typer.BadParameter("want --by, who switches")
    if not names_somebody(by):
        raise Unprocessable("say who switches the models")
    is_on, events = to is SwitchTo.ON, at.stores.switch_events
    record_switch(events, subject.value, is_on=is_on, by=by, because=because, at=at.now)
    return _state(at)


def latest_of(at: OpenedHome, scope: str) -> "dict[str, SwitchEvent]":
    """Return the last event of each chosen kind of subject."""
    latest = at.stores.switch_events.latest_by_kind()
    return {kind: event for kind, event in latest.items() if scope in ("all", kind)}


def _two_for(at: OpenedHome, subject: Models, by: str | None, files: list[Path]) -> str:
    """Return who switches on: by name in a trial, by two people's approvals in live use."""
    from serving.cli.approved_acts import act_of_switching_on, live_use
    from training.model.model_home import ModelHome

    live = live_use(at.settings, is_signed=bool(files))
    if live is None:
        if by is None:
            raise typer.BadParameter("want --by, who switches")
        return by
    latest = latest_of(at, subject.value)
    act = act_of_switching_on(subject.value, latest, ModelHome(at.home).public_key)
    # The act contains the current state, so it cannot be repeated once models are on.
    two = live.used_up(act, files, by)
    return f"{two.proposer} and {two.approver}"


def _state(at: OpenedHome) -> CommandOutput:
    from dataclasses import asdict

    from serving.models.kill_switch import switch_states

    states = switch_states(at.stores.switch_events.latest_by_kind())
    lines = []
    for kind, last in states.items():
        word = "on" if last is None or last.is_on else "off"
        since = (
            f" since {last.switched_at.isoformat()}, by {last.by.shown}: {last.because}"
            if last
            else ""
        )
        lines.append(f"models of {kind}s are {word}{since}")
    return CommandOutput({kind: last and asdict(last) for kind, last in states.items()}, lines)
