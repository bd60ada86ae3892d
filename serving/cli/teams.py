"""`tidegate teams`: reviewers who share an inbox, and the cases that arrive in it."""

import typer

from serving.cli.admin_commands import command_of_choice
from serving.cli.opened_home import CommandOutput, OpenedHome, on_home

teams = typer.Typer(help="Teams of reviewers, each with an inbox: set, list.", no_args_is_help=True)

teams.command("set")(
    command_of_choice(
        "set",
        "Make a team, or change the one of that name: its office, members and rule are as stated. "
        "Without a rule its inbox has only what somebody puts there.",
        *("set_team", "disband_team"),
    )
)


@teams.command("list")
@on_home
def list_teams(at: OpenedHome) -> CommandOutput:
    """Show every team with its office, its members and the cases that arrive."""
    at.record_reading("list", "teams")
    found = at.stores.teams.all()
    lines = []
    for team in found:
        rule = "nothing"
        if team.arrivals:
            rule = " ".join((*team.arrivals.modes, *team.arrivals.chapters)) or "all"
        members = ",".join(team.members) or "nobody"
        lines.append(
            f"{team.name:<24}  {team.office_id or 'all offices':<12}  {rule:<16}  {members}"
        )
    document = [
        {
            "name": team.name,
            "office": team.office_id,
            "members": team.members,
            "arrivals": vars(team.arrivals) if team.arrivals else None,
        }
        for team in found
    ]
    return CommandOutput(document, lines)
