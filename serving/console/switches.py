"""Page of the switches: models off and on, with person and reason."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.callers import Caller
from serving.console.browser_session import RequireRecentProof, TheSession
from serving.console.csrf import SignedForm
from serving.console.page_scopes import MaySeeSwitches, MaySwitch
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import Unprocessable
from serving.models.kill_switch import (
    MAX_REASON_LENGTH,
    MIN_REASON_LENGTH,
    SwitchScope,
    decline_switching_on,
    record_switch,
    switch_on_by_two,
    switch_states,
)
from serving.web.services import TheServices

router = APIRouter(prefix="/console/switches", include_in_schema=False, route_class=PageRoute)

SHOWN = 100


@router.get("")
def show_switches(
    services: TheServices, caller: MaySeeSwitches, session: TheSession
) -> HTMLResponse:
    """Show the state of each kind's models, with the history."""
    return page(
        "switches.html",
        reader=caller,
        session=session,
        switches=switch_states(services.switch_events.latest_by_kind()),
        proposals=services.switch_events.proposals(),
        history=services.switch_events.newest(SHOWN),
        shortest=MIN_REASON_LENGTH,
        longest=MAX_REASON_LENGTH,
        may_act=caller.may("switch"),
    )


@router.post("")
def switch_models(
    services: TheServices,
    caller: MaySwitch,
    require_recent_proof: RequireRecentProof,
    form: SignedForm,
) -> Response:
    """Switch models, effective in all workers within a second; live use needs two people for on."""
    if form.get("to") == "on":
        # Switching off is for emergencies, so it needs no proof.
        require_recent_proof()
    if form.get("to") not in ("on", "off", "declined"):
        raise Unprocessable("say whether to switch on or off")
    _switch(services, caller, form)
    # This process must not wait for its next poll.
    services.kill_switch.refresh()
    return RedirectResponse("/console/switches", 303)


def _switch(services: Services, caller: Caller, form: dict[str, str]) -> None:
    scope: SwitchScope = form.get("models", "")  # type: ignore[assignment]  # checked by the rules
    events, by, now = services.switch_events, caller.actor, services.clock()
    because = form.get("because", "")
    if form["to"] == "declined":
        decline_switching_on(events, scope, by, because, now)
    elif form["to"] == "on" and services.is_live_use:
        switch_on_by_two(events, scope, by, because, now)
    else:
        record_switch(events, scope, is_on=form["to"] == "on", by=by, because=because, at=now)
