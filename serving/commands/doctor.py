"""`tidegate doctor`: what is missing or unsafe on this machine."""

from dataclasses import asdict

import typer

from serving.commands.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.commands.printing import messages, print_json

MARKS = {
    "good": "[green]good[/]    ",
    "doubtful": "[yellow]doubtful[/]",
    "wrong": "[red]wrong[/]   ",
}


def doctor(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Look at everything a service needs from this machine; exit 1 where something is wrong."""
    from serving.examination import examine
    from serving.settings import settings_of

    findings = list(examine(settings_of(home, database_url)))
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        for each in findings:
            messages.print(f"{MARKS[each.grade]}  {each.what:<28} {each.says}")
    if any(each.grade == "wrong" for each in findings):
        raise typer.Exit(1)
