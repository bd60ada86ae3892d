"""Page of one account, and confirmation pages that describe an act before it is carried out."""

from collections.abc import Collection
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse

from serving.access.accounts import Account
from serving.access.callers import Caller
from serving.access.errors import ChangedMeanwhile
from serving.access.office_ids import require_offices
from serving.access.roles import Role
from serving.access.sessions import Session
from serving.console.browser_session import TheSession
from serving.console.page_scopes import MayAdminister
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import NotFound, ServingError, Unprocessable
from serving.web.services import TheServices

router = APIRouter(prefix="/console/accounts", include_in_schema=False, route_class=PageRoute)

# Acts on an account, by the path in their declaration in `serving/administration.py`.
AccountAct = Literal[
    "change", "password", "second-factor", "confirm-holder", "sessions", "disable", "enable"
]

Named = Annotated[str, Path(max_length=128)]
# Ids of offices, separated by commas or spaces, which no id contains.
OfficesInWords = Annotated[str, Field(max_length=4_000)]


class WantedChange(BaseModel):
    """Role and offices that the form asks for: `office` holds ticked boxes, `others` typed ids."""

    role: Role | None = None
    which: Literal["all", "some"] = "some"
    office: Annotated[list[str], Field(max_length=1_000)] = []
    others: OfficesInWords = ""
    shown: str | None = None

    def offices(self) -> tuple[str, ...]:
        """Return the chosen offices, empty for all; raises Unprocessable if "some" names none."""
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
    """Show one account, its permissions, and the acts available on it."""
    return account_page(services, caller, session, _account(services, account))


@router.get("/{account}/{act}")
def show_what_will_happen(
    services: TheServices,
    caller: MayAdminister,
    session: TheSession,
    account: Named,
    act: AccountAct,
    wanted: Annotated[WantedChange, Query()],
) -> HTMLResponse:
    """Show what an act does, with the button that carries it out."""
    found = _account(services, account)
    if act not in _acts_on(services, caller, found):
        raise NotFound("that cannot be done with this account now")
    change = None
    if act == "change":
        wanted.role = wanted.role or found.role
        try:
            # Another admin may have changed the account since the form was shown.
            if wanted.shown not in (None, found.revision):
                raise ChangedMeanwhile
            change = {"role": wanted.role, "offices": ", ".join(wanted.offices())}
        except (ChangedMeanwhile, Unprocessable) as refusal:
            return account_page(services, caller, session, found, wanted, refusal)
    return page(
        "account_act.html", reader=caller, session=session, account=found, act=act, change=change
    )


def refused_change(
    services: Services,
    caller: Caller,
    session: Session,
    form: dict[str, str],
    refusal: ServingError,
) -> HTMLResponse:
    """Show the current account together with the refused change."""
    found = _account(services, form.get("name", ""))
    role: Role = form["role"]  # type: ignore[assignment]  # checked by the act before it was refused
    wanted = _wanted(services, role, offices_in(form.get("offices", "")))
    return account_page(services, caller, session, found, wanted, refusal)


def account_page(
    services: Services,
    caller: Caller,
    session: Session,
    account: Account,
    wanted: WantedChange | None = None,
    refusal: ServingError | None = None,
) -> HTMLResponse:
    """Return the page of one account, with a refused change if there is one."""
    return page(
        "managed_account.html",
        status=200 if refusal is None else refusal.status,
        reader=caller,
        session=session,
        account=account,
        acts=_acts_on(services, caller, account),
        wanted=wanted or _wanted(services, account.role, account.offices),
        refusal=refusal,
        offices=sorted(services.cases.known_offices()),
        roles=get_args(Role),
    )


def offices_in(text: str) -> list[str]:
    """Return the ids in a text, separated by commas or spaces."""
    return text.replace(",", " ").split()


def _acts_on(services: Services, caller: Caller, account: Account) -> tuple[AccountAct, ...]:
    """Return the acts that an admin may carry out on an account now; none on their own."""
    # Nobody may widen their own rights, or lock themselves out.
    if account.identity == caller.actor.identity:
        return ()
    if account.disabled_at is not None:
        return ("enable",)
    # The identity provider manages offices, role and password of accounts that sign in there.
    is_elsewhere = account.subject is not None
    left = {
        "change": is_elsewhere,
        "password": is_elsewhere,
        "second-factor": not services.second_factors.has(account.name),
        "enable": True,
    }
    return tuple(act for act in get_args(AccountAct) if not left.get(act))


def _account(services: Services, name: str) -> Account:
    """Return an account by name, disabled or not; raises NotFound."""
    account = services.accounts.find(name)
    if account is None:
        raise NotFound("no account has that name")
    return account


def _wanted(services: Services, role: Role, offices: Collection[str]) -> WantedChange:
    """Return the form for a role and offices; empty offices mean all."""
    others = ", ".join(sorted({*offices}.difference(services.cases.known_offices())))
    which: Literal["all", "some"] = "some" if offices else "all"
    return WantedChange(role=role, which=which, office=list(offices), others=others)
