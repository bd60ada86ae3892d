"""The page of the switches: models off and on, with who did it and why."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.callers import Caller
from serving.console.browser_session import ReaderWith, TheSession
from serving.console.csrf import SignedForm
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import Unprocessable
from serving.models.kill_switch import LONGEST_REASON, SHORTEST_REASON, record_switch, switch_states
from serving.web.services import TheServices

router = APIRouter(prefix="/console/switches", include_in_schema=False, route_class=PageRoute)

MayLook = Annotated[Caller, Depends(ReaderWith("supervise", "administer"))]
MaySwitch = Annotated[Caller, Depends(ReaderWith("switch"))]
SHOWN = 100


@router.get("")
def show_switches(services: TheServices, caller: MayLook, session: TheSession) -> HTMLResponse:
    """How the models of each kind are switched, and everything that was switched before."""
    return page(
        "switches.html",
        reader=caller,
        session=session,
        switches=switch_states(services.switch_events.latest_by_kind()),
        history=services.switch_events.newest(SHOWN),
        shortest=SHORTEST_REASON,
        longest=LONGEST_REASON,
        may_act=caller.may("switch"),
    )


@router.post("")
def switch_models(services: TheServices, caller: MaySwitch, form: SignedForm) -> Response:
    """Switch, in every worker within a second."""
    if form.get("to") not in ("on", "off"):
        raise Unprocessable("say whether to switch on or off")
    _switch(services, caller, form)
    services.kill_switch.refresh()
    return RedirectResponse("/console/switches", 303)


def _switch(services: Services, caller: Caller, form: dict[str, str]) -> None:
    record_switch(
        services.switch_events,
        form.get("models", ""),  # type: ignore[arg-type]  # checked by record_switch
        is_on=form["to"] == "on",
        by=caller.name,
        because=form.get("because", ""),
        at=services.clock(),
    )
