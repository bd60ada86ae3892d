"""The page of one account, and pages that say what an act on it does before it is done."""

from collections.abc import Collection
from typing import Annotated, Literal, get_args

import structlog
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.accounts import Account
from serving.access.callers import Caller
from serving.access.errors import ChangedMeanwhile
from serving.access.office_ids import require_offices
from serving.access.roles import Role
from serving.access.sessions import Session
from serving.console.accounts import (
    OfficesInWords,
    account_named,
    offices_in,
)
from serving.console.browser_session import RecentlyAuthenticated, TheSession
from serving.console.csrf import SignedForm
from serving.console.forms import read_form
from serving.console.pages import PageRoute, page
from serving.console.readers import MayAdminister
from serving.container import Services
from serving.errors import NotFound, ServingError, Unprocessable
from serving.web.services import TheServices

router = APIRouter(prefix="/console/accounts", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)

AccountAct = Literal[
    "change", "password", "second-factor", "confirm-holder", "sessions", "disable", "enable"
]
Named = Annotated[str, Path(max_length=128)]


class AccountChange(BaseModel):
    """Another role and other offices of an account; no offices means all.

    `shown` is the revision of the account that its page showed.
    """

    role: Role
    offices: OfficesInWords = ""
    shown: str = ""


class WantedChange(BaseModel):
    """The same as the page of an account asks for it: offices ticked, and others written."""

    role: Role | None = None
    which: Literal["all", "some"] = "some"
    office: Annotated[list[str], Field(max_length=1_000)] = []
    others: OfficesInWords = ""
    shown: str | None = None

    def offices(self) -> tuple[str, ...]:
        """The offices that are wanted; raises Unprocessable where none is named of some."""
        if self.which == "all":
            return ()
        chosen = require_offices((*self.office, *offices_in(self.others)))
        if not chosen:
            raise Unprocessable("choose one office or more, or all of them")
        return chosen


@router.get("/{account}")
def show_account(
    services: TheServices, caller: MayAdminister, session: TheSession, account: Named
) -> HTMLResponse:
    """One account: what it may do, and what may be done with it."""
    return _page(services, caller, session, account_named(services, account))


@router.get("/{account}/{act}")
def show_what_will_happen(
    services: TheServices,
    caller: MayAdminister,
    session: TheSession,
    account: Named,
    act: AccountAct,
    wanted: Annotated[WantedChange, Query()],
) -> HTMLResponse:
    """What an act does, and the button that does it."""
    found = account_named(services, account)
    if act not in acts_on(services, caller, found):
        raise NotFound("that cannot be done with this account now")
    change = None
    if act == "change":
        wanted.role = wanted.role or found.role
        try:
            if wanted.shown not in (None, found.revision):
                raise ChangedMeanwhile
            change = AccountChange(role=wanted.role, offices=", ".join(wanted.offices()))
        except (ChangedMeanwhile, Unprocessable) as refusal:
            return _page(services, caller, session, found, wanted, refusal)
    return page(
        "account_act.html", reader=caller, session=session, account=found, act=act, change=change
    )


@router.post("/change")
def change_account(
    services: TheServices, caller: MayAdminister, session: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """Give an account another role or other offices; its sessions end."""
    account, wanted = account_named(services, form.get("name", "")), read_form(AccountChange, form)
    offices = require_offices(offices_in(wanted.offices))
    try:
        services.accounts.change(
            *(account.name, wanted.role, offices, services.clock(), caller.actor),
            revision_read=wanted.shown,
        )
    except ChangedMeanwhile as refusal:
        found = account_named(services, account.name)
        again = _wanted(services, wanted.role, offices)
        return _page(services, caller, session, found, again, refusal)
    log.info("account_changed", by=caller.name, name=account.name, role=wanted.role)
    return RedirectResponse("/console/accounts", 303)


@router.post("/enable")
def enable_account(
    services: TheServices, caller: MayAdminister, _: RecentlyAuthenticated, form: SignedForm
) -> Response:
    """Let an account that was disabled be used again."""
    name = form.get("name", "")
    services.accounts.enable(name, services.clock(), caller.actor)
    log.info("account_enabled", by=caller.name, name=name)
    return RedirectResponse("/console/accounts", 303)


def acts_on(services: Services, caller: Caller, account: Account) -> tuple[AccountAct, ...]:
    """What an admin may do with an account now; nothing with their own."""
    if account.identity == caller.actor.identity:
        return ()
    if account.disabled_at is not None:
        return ("enable",)
    is_elsewhere = account.subject is not None
    has_factor = services.second_factors.has(account.name)
    left = {
        "change": is_elsewhere,
        "password": is_elsewhere,
        "second-factor": not has_factor,
        "enable": True,
    }
    return tuple(act for act in get_args(AccountAct) if not left.get(act))


def _page(
    services: Services,
    caller: Caller,
    session: Session,
    account: Account,
    wanted: WantedChange | None = None,
    refusal: ServingError | None = None,
) -> HTMLResponse:
    return page(
        "managed_account.html",
        status=200 if refusal is None else refusal.status,
        reader=caller,
        session=session,
        account=account,
        acts=acts_on(services, caller, account),
        wanted=wanted or _wanted(services, account.role, account.offices),
        refusal=refusal,
        offices=sorted(services.cases.known_offices()),
        roles=get_args(Role),
    )


def _wanted(services: Services, role: Role, offices: Collection[str]) -> WantedChange:
    """How the page of an account asks for a role and offices; none means all."""
    others = ", ".join(sorted({*offices}.difference(services.cases.known_offices())))
    which: Literal["all", "some"] = "some" if offices else "all"
    return WantedChange(role=role, which=which, office=list(offices), others=others)
