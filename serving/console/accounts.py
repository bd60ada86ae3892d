"""Page of accounts, teams and keys, and form targets for all acts of administration.

The targets follow from the declarations in `serving/administration.py`. This module defines how
form fields become the input of an act, and which page shows a refusal. A password or key is
shown once, in the answer to the form that created it, and is not stored in readable form.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import structlog
from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.callers import Caller
from serving.access.errors import ChangedMeanwhile, NameTaken
from serving.access.office_ids import require_offices
from serving.access.roles import Role
from serving.access.sessions import Session
from serving.administration import ACTS, AdminAct, Administration, KeyScope
from serving.console.account_page import offices_in, refused_change
from serving.console.browser_session import ReaderWith, RecentlyAuthenticated, TheSession
from serving.console.csrf import SignedForm
from serving.console.forms import read_form
from serving.console.page_scopes import MayAdminister, MaySeeAccounts
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import NotFound, ServingError, Unprocessable
from serving.review.cases.teams import MODES, Team
from serving.web.services import TheServices

if TYPE_CHECKING:
    from serving.storage.stores import Stores

router = APIRouter(prefix="/console/accounts", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)

# Entries of the list of offices that are not offices; no id has these values.
ALL_OFFICES, WRITTEN_OFFICES = "*", "+"


@router.get("")
def show_accounts(
    services: TheServices, caller: MaySeeAccounts, session: TheSession
) -> HTMLResponse:
    """Show all accounts, teams and keys, with permissions and status."""
    return accounts_page(services, caller, session)


@router.get("/keys/revoke")
def show_what_revoking_does(
    services: TheServices, caller: MayAdminister, session: TheSession, name: str = ""
) -> HTMLResponse:
    """Show the effect of revoking a key, with the button that revokes it."""
    now = services.clock()
    keys = (each for each in services.api_keys.all() if each.name == name and each.is_live(now))
    if (key := next(keys, None)) is None:
        raise NotFound("no key with this name is in use")
    return page("key_revocation.html", reader=caller, session=session, key=key)


def _add_form_target(act: AdminAct[Any]) -> None:
    path = f"/{act.path}" if act.path else ""

    def carry_out(
        services: TheServices,
        caller: Annotated[Caller, Depends(ReaderWith(act.scope))],
        session: RecentlyAuthenticated,
        form: SignedForm,
    ) -> Response:
        administration = Administration(
            # The container has the stores under the same names.
            cast("Stores", services),
            caller.actor,
            services.clock(),
            services.cases.known_offices,
            services.settings.purpose,
            services.password_gate.run,
        )
        try:
            asked = read_form(act.inputs, FIELDS_OF.get(act.name, dict)(form))
            done = act.run(administration, asked)
        except (NameTaken, ChangedMeanwhile, Unprocessable) as refusal:
            # Only forms that a person filled in at length are shown again.
            if act.name not in REFUSED:
                raise
            return REFUSED[act.name](services, caller, session, form, refusal)
        log.info(act.name, by=caller.name, name=asked.name)
        # A secret cannot be shown after a redirect, because it is not stored anywhere.
        if done.secret:
            return accounts_page(services, caller, session, made=done.says, secret=done.secret)
        # Return to the part of the page that the act changed.
        place = "#teams" if path.startswith("/teams") else ""
        return RedirectResponse(f"/console/accounts{place}", 303)

    router.add_api_route(path, carry_out, methods=["POST"], name=act.name)


def _account_fields(form: dict[str, str]) -> dict[str, Any]:
    # Only these fields: a form must not create an account whose first password never has to change.
    return _chosen(form, "name", "role") | {"offices": _chosen_offices(form)}


def _change_fields(form: dict[str, str]) -> dict[str, Any]:
    offices = offices_in(form.get("offices", ""))
    rest = {"offices": offices, "all_offices": not offices}
    return _chosen(form, "name", "role") | rest | {"revision_read": form.get("shown", "")}


def _key_fields(form: dict[str, str]) -> dict[str, Any]:
    scopes = [scope for scope in get_args(KeyScope) if f"may_{scope}" in form]
    if not scopes:
        raise Unprocessable("say what the key may do")
    given = _chosen(form, "name", "days")
    return given | {"scopes": scopes, "offices": _chosen_offices(form)}


def _team_fields(form: dict[str, str]) -> dict[str, Any]:
    """Return the fields of a team: members separated by commas, modes from boxes."""
    return _chosen(form, "name", "takes_cases") | {
        "office": next(iter(offices_in(form.get("team_office", ""))), None),
        "members": [name for each in form.get("members", "").split(",") if (name := each.strip())],
        "modes": [mode for mode in MODES if f"mode_{mode}" in form],
        "chapters": offices_in(form.get("chapters", "")),
        "revision_read": form.get("shown", ""),
    }


def _chosen(form: dict[str, str], *names: str) -> dict[str, Any]:
    return {name: form[name] for name in names if form.get(name)}


def _chosen_offices(form: dict[str, str]) -> tuple[str, ...]:
    """Return the offices of a form, empty for all; raises Unprocessable if contradictory."""
    picked, written = form.get("office", ""), offices_in(form.get("offices", ""))
    if picked == ALL_OFFICES and written:
        raise Unprocessable("choose all offices, or name some; not both")
    if picked == WRITTEN_OFFICES and not written:
        raise Unprocessable("write the id of one office or more")
    is_one = picked not in ("", ALL_OFFICES, WRITTEN_OFFICES)
    return require_offices((*((picked,) if is_one else ()), *written))


def _refused_on_list(
    form_name: Callable[[dict[str, str]], str],
) -> "ShowRefusal":
    """Return a function that shows the page again, with the named form as it was filled in."""

    def show(
        services: Services,
        caller: Caller,
        session: Session,
        form: dict[str, str],
        refusal: ServingError,
    ) -> HTMLResponse:
        status = refusal.status if isinstance(refusal, ChangedMeanwhile) else 422
        filled_in = {form_name(form): form}
        says = str(refusal)
        return accounts_page(
            services, caller, session, refusal=says, status=status, filled_in=filled_in
        )

    return show


ShowRefusal = Callable[[Services, Caller, Session, dict[str, str], ServingError], HTMLResponse]
# Conversions of form fields for acts whose input model has other fields.
FIELDS_OF: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
    "create_account": _account_fields,
    "change_account": _change_fields,
    "create_key": _key_fields,
    "create_team": _team_fields,
    "change_team": _team_fields,
}

# Pages that show a refused form again. Any other refusal gets an error page.
REFUSED: dict[str, ShowRefusal] = {
    "create_account": _refused_on_list(lambda _: "account"),
    "create_key": _refused_on_list(lambda _: "key"),
    "create_team": _refused_on_list(lambda _: "team"),
    "change_team": _refused_on_list(lambda form: f"team {form.get('name', '')}"),
    "change_account": refused_change,
}

for _act in ACTS.values():
    if _act.path is not None:
        # Acts without a path are available on the command line only.
        _add_form_target(_act)


def accounts_page(
    services: Services,
    caller: Caller,
    session: Session,
    *,
    refusal: str | None = None,
    status: int = 422,
    made: str = "",
    secret: str = "",
    filled_in: Mapping[str, dict[str, str]] = MappingProxyType({}),
) -> HTMLResponse:
    """Return the page, with a refusal or a one-time secret, and forms as filled in.

    The keys of `filled_in` are the kind of thing created, or the team that is changed.
    """
    teams = services.teams.all()
    return page(
        "accounts.html",
        status=200 if refusal is None else status,
        reader=caller,
        session=session,
        refusal=refusal,
        made=made,
        secret=secret,
        account=filled_in.get("account", {}),
        key=filled_in.get("key", {}),
        team=filled_in.get("team", {}),
        teams=teams,
        team_forms={
            each.name: filled_in.get(f"team {each.name}", _form_of(each)) for each in teams
        },
        refused_forms={*filled_in},
        team_modes=MODES,
        offices=sorted(services.cases.known_offices()),
        accounts=services.accounts.all(),
        keys=services.api_keys.all(),
        now=services.clock(),
        roles=get_args(Role),
        scopes=get_args(KeyScope),
        may_act=caller.may("administer"),
        with_second_factor=services.second_factors.accounts(),
    )


def _form_of(team: Team) -> dict[str, str]:
    """Return the form fields that describe a team as it is."""
    fields = {"team_office": team.office_id or "", "members": ", ".join(team.members)}
    if team.arrivals is None:
        return fields
    boxes = ("takes_cases", *(f"mode_{mode}" for mode in team.arrivals.modes))
    chapters = {"chapters": ", ".join(team.arrivals.chapters)}
    return fields | chapters | dict.fromkeys(boxes, "true")
