"""`tidegate teams`: who shares an inbox, and which cases arrive in it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.audit import write_reading
from serving.cli.database import opened_database
from serving.cli.offices import offices_of
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.review.cases.teams import Team

teams = typer.Typer(
    help="Teams of reviewers, each with an inbox: create, list, change, disband.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="The name of the team.")]
Office = Annotated[str | None, typer.Option(help="The office of the team; all without.")]
Members = Annotated[
    list[str] | None, typer.Option("--member", help="An account that reviews; repeat for more.")
]
TakesCases = Annotated[
    bool, typer.Option("--takes-cases", help="New cases of its office arrive in its inbox.")
]
Modes = Annotated[
    list[str] | None, typer.Option("--mode", help="Only cases by this mode arrive, as sea.")
]
Chapters = Annotated[
    list[str] | None, typer.Option("--chapter", help="Only goods of this chapter arrive, as 24.")
]


@teams.command()
def create(
    name: Name,
    office: Office = None,
    member: Members = None,
    takes_cases: TakesCases = False,
    mode: Modes = None,
    chapter: Chapters = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a team; without a rule its inbox has only what somebody puts there."""
    from serving.access.actors import Actor
    from serving.storage.repositories.team_repository import TeamRepository

    engine = _engine(home, database_url)
    stated = name, office, member, takes_cases, (mode, chapter)
    team = _stated(engine, offices_of(engine, home), *stated)
    TeamRepository(engine).add_team(team, datetime.now(UTC), Actor.from_command_line())
    messages.print(f"The team {name} is made.", markup=False)


@teams.command()
def change(
    name: Name,
    office: Office = None,
    member: Members = None,
    takes_cases: TakesCases = False,
    mode: Modes = None,
    chapter: Chapters = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Give a team another office, other members and another rule: all of it as stated here."""
    from serving.access.actors import Actor
    from serving.storage.repositories.team_repository import TeamRepository

    engine = _engine(home, database_url)
    stated = name, office, member, takes_cases, (mode, chapter)
    team = _stated(engine, offices_of(engine, home), *stated)
    TeamRepository(engine).change_team(team, datetime.now(UTC), Actor.from_command_line())
    messages.print(f"The team {name} is changed.", markup=False)


@teams.command("list")
def list_teams(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Show every team with its office, its members and which cases arrive."""
    from serving.storage.repositories.team_repository import TeamRepository

    write_reading("list", "teams", home=home, database_url=database_url)
    found = TeamRepository(_engine(home, database_url)).all()
    if as_json:
        print_json(
            [
                {
                    "name": team.name,
                    "office": team.office_id,
                    "members": team.members,
                    "arrivals": vars(team.arrivals) if team.arrivals else None,
                }
                for team in found
            ]
        )
        return
    for team in found:
        rule = "nothing"
        if team.arrivals:
            rule = " ".join((*team.arrivals.modes, *team.arrivals.chapters)) or "all"
        members = ",".join(team.members) or "nobody"
        typer.echo(f"{team.name:<24}  {team.office_id or 'all offices':<12}  {rule:<16}  {members}")


@teams.command()
def disband(name: Name, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None) -> None:
    """End a team; what is in its inbox is in that of its office."""
    from serving.access.actors import Actor
    from serving.storage.repositories.team_repository import TeamRepository

    actor = Actor.from_command_line()
    TeamRepository(_engine(home, database_url)).disband(name, datetime.now(UTC), actor)
    messages.print(f"The team {name} is disbanded.", markup=False)


def _stated(
    engine: Any,
    known_offices: set[str],
    name: str,
    office: str | None,
    members: list[str] | None,
    takes_cases: bool,
    rule: tuple[list[str] | None, list[str] | None],
) -> "Team":
    """The team that the options state; raises Unprocessable."""
    from serving.review.cases.teams import StatedTeam
    from serving.storage.repositories.account_repository import AccountRepository

    modes, chapters = (tuple(each or ()) for each in rule)
    stated = StatedTeam(name, office, members or (), takes_cases, modes, chapters)
    return stated.team(AccountRepository(engine).all(), known_offices)


def _engine(home: Path, database_url: str | None) -> Any:
    from serving.settings import settings_of

    settings = settings_of(home, database_url)
    return opened_database(settings)
