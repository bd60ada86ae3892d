"""`tidegate impact`: the questions that are answered before scores are used in earnest."""

from datetime import UTC, datetime
from pathlib import Path

import typer

from serving.audit.impact_assessment import missing_from, write_template
from serving.cli.options import DEFAULT_HOME, Home, Json
from serving.cli.output import messages, print_json

impact = typer.Typer(
    help="The assessment of the impact on fundamental rights: write the questions, look at the "
    "answers. `tidegate serve --live` does not start without them.",
    no_args_is_help=True,
)


@impact.command()
def init(home: Home = DEFAULT_HOME) -> None:
    """Lay the questions down in HOME/impact.toml, for the deployer to answer."""
    file = _file(home)
    write_template(file)
    messages.print(f"{file}: answer every question in it, then run `tidegate impact check`")


@impact.command()
def check(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Say what is still missing; exit 1 while anything is."""
    file = _file(home)
    lacks = missing_from(file, datetime.now(UTC).date())
    if as_json:
        missing = [{"field": lack.field, "reason": lack.reason} for lack in lacks]
        print_json({"file": str(file), "is_whole": not lacks, "missing": missing})
    for lack in lacks:
        messages.print(f"{lack.field}: {lack.reason}", markup=False)
    if lacks:
        raise typer.Exit(1)
    messages.print(f"{file}: every question has an answer; live use may begin")


def _file(home: Path) -> Path:
    from serving.settings import Settings

    return Settings(home=home).impact
