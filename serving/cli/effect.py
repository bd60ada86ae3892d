"""`tidegate effect`: what a year of scores and checks achieved, for those who are accountable."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.monitor import DAY
from serving.cli.opened_home import OpenedHome, on_existing_home
from serving.cli.output import messages


@on_existing_home
def effect(
    at: OpenedHome,
    since: Annotated[datetime, typer.Option("--from", formats=DAY, help="First day (UTC).")],
    until: Annotated[datetime, typer.Option("--to", formats=DAY, help="Last day.")],
    html: Annotated[
        Path, typer.Option(help="File to write, readable by itself; figures go to a CSV beside it.")
    ] = Path("effect.html"),
) -> None:
    """Report what was found, probably missed, and delayed in a period, with intervals.

    Only what was decided and known until now counts. Figures that too few results support are left
    out, with the reason.
    """
    from serving.effect.effect_page import effect_csv, effect_file
    from serving.effect.effect_report import effect_of
    from serving.monitor.rollups import catch_up
    from serving.triage.triage_plan import TriagePlan

    first, last = since.date(), until.date()
    if last < first:
        raise typer.BadParameter(f"{last} is before {first}", param_hint="--to")
    if first > at.now.date():
        raise typer.BadParameter(f"{first} is still to come", param_hint="--from")
    if not html.absolute().parent.is_dir():
        raise typer.BadParameter(f"{html.parent} is no folder", param_hint="--html")
    catch_up(at.stores.rollups, at.now)
    told = effect_of(at.stores, first, last, TriagePlan.read(at.settings.plan), at.now)
    at.record_reading("read", "effect")
    html.write_text(effect_file(told), encoding="utf-8")
    figures = html.with_suffix(".csv")
    figures.write_text(effect_csv(told), encoding="utf-8")
    messages.print(f"the report: {html}, its figures: {figures}")
