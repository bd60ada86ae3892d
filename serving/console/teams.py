"""Forms on the page of accounts that make, change and disband teams."""

from typing import Annotated

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from serving.access.errors import ChangedMeanwhile, NameRefused, NameTaken
from serving.access.names import LONGEST_NAME
from serving.console.accounts import accounts_page, offices_in
from serving.console.browser_session import RecentlyAuthenticated
from serving.console.csrf import SignedForm
from serving.console.forms import read_form
from serving.console.pages import PageRoute
from serving.console.readers import MayAdminister
from serving.container import Services
from serving.errors import Unprocessable
from serving.review.cases.teams import MODES, StatedTeam, Team
from serving.web.services import TheServices

router = APIRouter(prefix="/console/accounts/teams", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)


class TeamForm(BaseModel):
    """A team as a form states it: members and chapters with commas between, modes as boxes."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    team_office: Annotated[str, Field(max_length=64)] = ""
    members: Annotated[str, Field(max_length=20_000)] = ""
    chapters: Annotated[str, Field(max_length=400)] = ""
    takes_cases: bool = False


@router.post("")
def make_team(
    services: TheServices, caller: MayAdminister, session: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """Make a team."""
    try:
        team = _read_team(services, form)
        services.teams.add_team(team, services.clock(), caller.actor)
    except (NameTaken, NameRefused, Unprocessable) as refusal:
        return accounts_page(
            services, caller, session, refusal=str(refusal), filled_in={"team": form}
        )
    log.info("team_made", by=caller.name, name=team.name)
    return _back()


@router.post("/change")
def change_team(
    services: TheServices, caller: MayAdminister, session: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """Give a team another office, other members or another rule."""
    try:
        team = _read_team(services, form)
        read = form.get("shown", "")
        services.teams.change_team(team, services.clock(), caller.actor, revision_read=read)
    except (ChangedMeanwhile, Unprocessable) as refusal:
        filled_in = {f"team {form['name']}": form}
        says, status = str(refusal), refusal.status
        return accounts_page(
            services, caller, session, refusal=says, status=status, filled_in=filled_in
        )
    log.info("team_changed", by=caller.name, name=team.name)
    return _back()


@router.post("/disband")
def disband_team(
    services: TheServices, caller: MayAdminister, _: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """End a team; what is in its inbox is in that of its office."""
    name = form.get("name", "")
    services.teams.disband(name, services.clock(), caller.actor)
    log.info("team_disbanded", by=caller.name, name=name)
    return _back()


def _back() -> RedirectResponse:
    return RedirectResponse("/console/accounts#teams", 303)


def _read_team(services: Services, form: dict[str, str]) -> Team:
    """The team that a form states; raises Unprocessable."""
    stated = read_form(TeamForm, form)
    office_id = next(iter(offices_in(stated.team_office)), None)
    members = [name for each in stated.members.split(",") if (name := each.strip())]
    modes = [mode for mode in MODES if f"mode_{mode}" in form]
    chapters = offices_in(stated.chapters)
    team = StatedTeam(stated.name, office_id, members, stated.takes_cases, modes, chapters)
    return team.team(services.accounts.all(), services.cases.known_offices())
