"""The page of accounts and keys: who may do what, made and ended by an admin, seen by an auditor.

A password or key is shown once, in the answer to the form that made it, and kept nowhere.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, get_args

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.accounts import Account, with_first_password
from serving.access.api_keys import new_key
from serving.access.callers import Caller
from serving.access.errors import NameRefused, NameTaken
from serving.access.names import LONGEST_NAME
from serving.access.office_ids import require_offices
from serving.access.oidc import NO_PASSWORD
from serving.access.roles import Role, Scope
from serving.access.sessions import Session
from serving.console.browser_session import RecentlyAuthenticated, TheSession
from serving.console.csrf import SignedForm
from serving.console.pages import PageRoute, page
from serving.console.readers import MayAdminister, MaySeeAccounts
from serving.container import Services
from serving.errors import Forbidden, NotFound, Unprocessable
from serving.review.cases.teams import MODES, Team
from serving.web.services import TheServices

router = APIRouter(prefix="/console/accounts", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)


# What a key of a machine may be allowed; what people do takes an account.
KEY_SCOPES: tuple[Scope, ...] = (
    *("score", "explain", "ingest", "events", "review", "rescue", "switch", "monitor"),
)

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
OfficesInWords = Annotated[str, Field(max_length=4_000)]
"""Ids of offices with commas or blanks between; no id has either."""

ALL_OFFICES, WRITTEN_OFFICES = "*", "+"
"""What the pick list of offices says besides one of them; no id is either."""


class NewAccount(BaseModel):
    """What is asked for an account; no offices means all."""

    name: Name
    role: Role
    office: Name | None = None
    offices: OfficesInWords = ""


class NewKey(BaseModel):
    """What is asked for a key; no days means until it is revoked."""

    name: Name
    office: Name | None = None
    offices: OfficesInWords = ""
    days: Annotated[int, Field(ge=1, le=3_650)] | None = None


@router.get("")
def show_accounts(
    services: TheServices, caller: MaySeeAccounts, session: TheSession
) -> HTMLResponse:
    """Every account and key, with what it may do and whether it is in use."""
    return accounts_page(services, caller, session)


@router.post("")
def make_account(
    services: TheServices, caller: MayAdminister, session: RecentlyAuthenticated, form: SignedForm
) -> HTMLResponse:
    """Make an account and show its first password, this once."""
    try:
        entry, now = NewAccount.model_validate(form), services.clock()
        bare = Account(entry.name, NO_PASSWORD, entry.role, _chosen_offices(entry), now)
        account, password = _with_first_password(services, bare)
        services.accounts.add_account(account, caller.actor)
    except (ValidationError, NameTaken, NameRefused, Unprocessable) as refusal:
        return accounts_page(
            services, caller, session, refusal=_first_fault(refusal), filled_in={"account": form}
        )
    log.info("account_made", by=caller.name, name=entry.name, role=entry.role)
    made = f"The first password of {entry.name}, to be changed when it is used"
    return accounts_page(services, caller, session, made=made, secret=password)


@router.post("/password")
def reset_password(
    services: TheServices, caller: MayAdminister, session: RecentlyAuthenticated, form: SignedForm
) -> HTMLResponse:
    """Give an account a new first password and show it, this once; its sessions end."""
    account, password = _with_first_password(services, _another(services, caller, form))
    services.accounts.set_password(account, services.clock(), caller.actor)
    log.info("password_reset", by=caller.name, name=account.name)
    made = f"The new first password of {account.name}, to be changed when it is used"
    return accounts_page(services, caller, session, made=made, secret=password)


@router.post("/second-factor")
def reset_second_factor(
    services: TheServices, caller: MayAdminister, _: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """Let an account ask for no code any more, whose holder lost what makes them."""
    account, now = _another(services, caller, form), services.clock()
    services.second_factors.remove(account.name, now, caller.actor)
    services.sessions.end_all(account.identity, now, caller.actor)
    log.info("second_factor_reset", by=caller.name, name=account.name)
    return RedirectResponse("/console/accounts", 303)


@router.post("/confirm-holder")
def confirm_holder(
    services: TheServices, caller: MayAdminister, _: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """Confirm that an account that another admin made or reset is used by its holder."""
    account = _another(services, caller, form)
    services.accounts.confirm_holder(account.name, services.clock(), caller.actor)
    log.info("holder_confirmed", by=caller.name, name=account.name)
    return RedirectResponse("/console/accounts", 303)


@router.post("/sessions")
def end_sessions_of_another(
    services: TheServices, caller: MayAdminister, _: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """End every session of an account."""
    account = _another(services, caller, form)
    services.sessions.end_all(account.identity, services.clock(), caller.actor)
    log.info("sessions_ended", by=caller.name, name=account.name)
    return RedirectResponse("/console/accounts", 303)


@router.post("/disable")
def disable_account(
    services: TheServices, caller: MayAdminister, _: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """End an account and its sessions; nobody ends their own."""
    name = form.get("name", "")
    if name == caller.name:
        raise Forbidden("another admin must end your own account")
    services.accounts.disable(name, services.clock(), caller.actor)
    log.info("account_disabled", by=caller.name, name=name)
    return RedirectResponse("/console/accounts", 303)


@router.post("/keys")
def make_key(
    services: TheServices, caller: MayAdminister, session: RecentlyAuthenticated, form: SignedForm
) -> HTMLResponse:
    """Make a key and show it, this once."""
    try:
        entry, scopes = NewKey.model_validate(form), _scopes(form)
        now = services.clock()
        ends_at = now + timedelta(days=entry.days) if entry.days else None
        purposes = (services.settings.purpose,)
        offices = _chosen_offices(entry)
        kept, shown = new_key(entry.name, scopes, offices, now, ends_at, purposes)
        services.api_keys.add_key(kept)
    except (ValidationError, NameTaken, NameRefused, Unprocessable) as refusal:
        return accounts_page(
            services, caller, session, refusal=_first_fault(refusal), filled_in={"key": form}
        )
    log.info("key_made", by=caller.name, key_id=kept.key_id, scopes=scopes)
    return accounts_page(
        services, caller, session, made=f"The key of {entry.name}", secret=str(shown)
    )


@router.get("/keys/revoke")
def show_what_revoking_does(
    services: TheServices, caller: MayAdminister, session: TheSession, name: str = ""
) -> HTMLResponse:
    """What it means to revoke a key, and the button that does it."""
    now = services.clock()
    keys = (each for each in services.api_keys.all() if each.name == name and each.is_live(now))
    if (key := next(keys, None)) is None:
        raise NotFound("no key with this name is in use")
    return page("key_revocation.html", reader=caller, session=session, key=key)


@router.post("/keys/revoke")
def revoke_key(
    services: TheServices, caller: MayAdminister, _: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """End a key."""
    services.api_keys.revoke(form.get("name", ""), services.clock())
    log.info("key_revoked", by=caller.name)
    return RedirectResponse("/console/accounts", 303)


def _another(services: Services, caller: Caller, form: dict[str, str]) -> Account:
    """The account in use that a form names, which is not the admin's own."""
    account = services.accounts.find(form.get("name", ""))
    if account is None or account.disabled_at is not None:
        raise NotFound("no account of that name is in use")
    if account.identity == caller.actor.identity:
        raise Forbidden("do that on the page of your own account, or ask another admin")
    return account


def _with_first_password(services: Services, account: Account) -> tuple[Account, str]:
    if account.subject is not None:
        raise Forbidden("the password of this account is kept elsewhere")
    return services.password_gate.run(lambda: with_first_password(account, services.clock()))


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
    """The page, with what was refused or is shown this once, and forms as they were filled in.

    `filled_in` is by what the form makes, or by the team that it changes.
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
        scopes=KEY_SCOPES,
        may_act=caller.may("administer"),
        with_second_factor=services.second_factors.accounts(),
    )


def _form_of(team: Team) -> dict[str, str]:
    """The fields of the form that would state a team as it is."""
    fields = {"team_office": team.office_id or "", "members": ", ".join(team.members)}
    if team.arrivals is None:
        return fields
    boxes = ("takes_cases", *(f"mode_{mode}" for mode in team.arrivals.modes))
    chapters = {"chapters": ", ".join(team.arrivals.chapters)}
    return fields | chapters | dict.fromkeys(boxes, "true")


def _scopes(form: dict[str, str]) -> tuple[Scope, ...]:
    scopes = tuple(scope for scope in KEY_SCOPES if f"may_{scope}" in form)
    if not scopes:
        raise Unprocessable("say what the key may do")
    return scopes


def _chosen_offices(entry: NewAccount | NewKey) -> tuple[str, ...]:
    """The offices that a form names, none for all; raises Unprocessable for two answers in one."""
    written = offices_in(entry.offices)
    if entry.office == ALL_OFFICES and written:
        raise Unprocessable("choose all offices, or name some; not both")
    if entry.office == WRITTEN_OFFICES and not written:
        raise Unprocessable("write the id of one office or more")
    is_one = entry.office not in (None, "", ALL_OFFICES, WRITTEN_OFFICES)
    return require_offices((*((entry.office or "",) if is_one else ()), *written))


def offices_in(text: str) -> list[str]:
    """The ids that somebody wrote with commas or blanks between."""
    return text.replace(",", " ").split()


def account_named(services: Services, name: str) -> Account:
    """The account of this name, disabled or not; raises NotFound."""
    account = services.accounts.find(name)
    if account is None:
        raise NotFound("no account has that name")
    return account


def _first_fault(refusal: Exception) -> str:
    if not isinstance(refusal, ValidationError):
        return str(refusal)
    first = refusal.errors(include_input=False, include_url=False)[0]
    return f"{first['loc'][0]}: {first['msg'][:1].lower()}{first['msg'][1:]}"
