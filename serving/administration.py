"""Acts of administration, each declared once; the console's forms and the commands follow.

An act names its input model, who may do it, and the sentence that confirms it. Its store writes the
audit event in the same transaction. The console gives each act a form target under
`/console/accounts`, behind a fresh proof of identity; the command line gives it a command.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

from serving.access.api_keys import new_key
from serving.access.roles import MAX_NAME_LENGTH, Role, Scope
from serving.errors import Forbidden, NotFound, Unprocessable
from serving.purposes import Purpose

# The command line is built from these declarations even if the extra `serve` is not installed, so
# modules that need its libraries are imported inside the acts.
if TYPE_CHECKING:
    from serving.access.accounts import Account
    from serving.access.actors import Actor
    from serving.storage.stores import Stores

# A century; no key needs to live longer.
MAX_KEY_DAYS = 36_500

# The scopes of a machine's key; acts of people require an account.
KeyScope = Literal[
    "score", "explain", "ingest", "events", "review", "rescue", "switch", "monitor", "exchange"
]


def _parts(given: object) -> object:
    return given.replace(",", " ").split() if isinstance(given, str) else given


if TYPE_CHECKING:
    HashPassword = Callable[[Callable[[], tuple[Account, str]]], tuple[Account, str]]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
Offices = Annotated[tuple[str, ...], BeforeValidator(_parts), Field(max_length=1_000)]


@dataclass(frozen=True)
class Administration:
    """The context of an act: stores, principal and instant.

    `hash_password` runs a function that hashes a password; the console limits how many run at once.
    """

    stores: "Stores"
    by: "Actor"
    now: datetime
    known_offices: Callable[[], Collection[str]]
    purpose: str
    hash_password: "HashPassword" = lambda work: work()


@dataclass(frozen=True)
class Done:
    """The outcome of an act: a sentence, a secret shown once, facts for `--json`, hints."""

    says: str
    secret: str = ""
    facts: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()


Input = TypeVar("Input", bound=BaseModel)


@dataclass(frozen=True)
class AdminAct(Generic[Input]):
    """One act; `path` is its form target in the console, None for a command only."""

    name: str
    inputs: type[Input]
    run: Callable[[Administration, Input], Done]
    path: str | None = None
    scope: Scope = "administer"


# Every act by its name, which is also the name of its line in the service's log.
ACTS: dict[str, AdminAct[Any]] = {}


def admin_act(
    inputs: type[Input], path: str | None = None
) -> Callable[[Callable[[Administration, Input], Done]], Callable[[Administration, Input], Done]]:
    """Register a function as the act of its name."""

    def declare(
        run: Callable[[Administration, Input], Done],
    ) -> Callable[[Administration, Input], Done]:
        ACTS[run.__name__] = AdminAct(run.__name__, inputs, run, path)
        return run

    return declare


# Accounts


class OneAccount(BaseModel):
    """The account that an act is about."""

    name: Annotated[Name, Field(description="The name to sign in with.")]


class NewAccount(OneAccount):
    """An account to make; no offices means all."""

    role: Annotated[Role, Field(description="What the holder may do and see.")]
    offices: Annotated[
        Offices, Field(description="Offices it is tied to; repeat for more, all without.")
    ] = ()
    for_trial: Annotated[
        bool,
        Field(description="Its password may stay as it is, as long as the service is a trial."),
    ] = False


class AccountChange(OneAccount):
    """A change of an account's role or offices.

    `revision_read` is the revision that the page showed; None without a page.
    """

    role: Annotated[
        Role | None, Field(description="What the holder may do and see; as it is without.")
    ] = None
    offices: Annotated[
        Offices,
        Field(description="Offices it is tied to, in place of all it had; repeat for more."),
    ] = ()
    all_offices: Annotated[bool, Field(description="Tie it to no office: it sees all.")] = False
    revision_read: Annotated[str | None, Field(exclude=True)] = None


class ApprovalKey(OneAccount):
    """The public half of the key by which the holder of an account signs approvals."""

    approval_key: Annotated[
        Path, Field(description="File (.pub) of the key by which the holder signs approvals.")
    ]


@admin_act(NewAccount, "")
def create_account(at: Administration, asked: NewAccount) -> Done:
    """Make an account and show its first password once; only its argon2 hash is stored."""
    from serving.access.accounts import Account, with_first_password
    from serving.access.office_ids import require_offices
    from serving.access.oidc import NO_PASSWORD

    offices = require_offices(asked.offices)
    bare = Account(asked.name, NO_PASSWORD, asked.role, offices, at.now)
    account, password = at.hash_password(
        lambda: with_first_password(bare, at.now, is_for_trial=asked.for_trial)
    )
    hints = hints_of_new_offices(at.known_offices, offices)
    at.stores.accounts.add_account(account, at.by)
    return _first_password(account, password, hints)


@admin_act(AccountChange, "change")
def change_account(at: Administration, asked: AccountChange) -> Done:
    """Give an account another role or other offices; its sessions end."""
    from serving.access.office_ids import require_offices

    if asked.all_offices and asked.offices:
        raise Unprocessable("want --office or --all-offices, not both")
    found = _account_in_use(at, asked.name)
    role, offices = asked.role or found.role, () if asked.all_offices else found.offices
    offices = require_offices(asked.offices) or offices
    read = {} if asked.revision_read is None else {"revision_read": asked.revision_read}
    at.stores.accounts.change(found.name, role, offices, at.now, at.by, **read)
    where = ", ".join(offices) or "all offices"
    return Done(f"The account {found.name} is {role} of {where}.")


@admin_act(OneAccount, "password")
def reset_password(at: Administration, asked: OneAccount) -> Done:
    """Give an account a new first password, shown once; its sessions end."""
    from serving.access.accounts import with_first_password

    found = _account_of_another(at, asked.name)
    if found.subject is not None:
        raise Forbidden("the organisation keeps the password of this account")
    account, password = at.hash_password(lambda: with_first_password(found, at.now))
    at.stores.accounts.set_password(account, at.now, at.by)
    return _first_password(account, password)


@admin_act(OneAccount, "second-factor")
def reset_second_factor(at: Administration, asked: OneAccount) -> Done:
    """Let an account sign in without a code, whose holder lost what makes them; sessions end."""
    account = _account_of_another(at, asked.name)
    at.stores.second_factors.remove(account.name, at.now, at.by)
    at.stores.sessions.end_all(account.identity, at.now, at.by)
    return Done(f"The account {account.name} signs in without a code.")


@admin_act(OneAccount, "confirm-holder")
def confirm_holder(at: Administration, asked: OneAccount) -> Done:
    """Confirm that an account that another admin made or reset is used by its holder."""
    account = _account_of_another(at, asked.name)
    at.stores.accounts.confirm_holder(account.name, at.now, at.by)
    return Done(f"The holder of {account.name} is confirmed.")


@admin_act(OneAccount, "sessions")
def end_sessions(at: Administration, asked: OneAccount) -> Done:
    """End every session of an account."""
    account = _account_of_another(at, asked.name)
    ended = at.stores.sessions.end_all(account.identity, at.now, at.by)
    return Done(f"{ended} sessions of {account.name} were ended.")


@admin_act(OneAccount, "disable")
def disable_account(at: Administration, asked: OneAccount) -> Done:
    """End an account and its sessions; nobody ends their own."""
    if f"account:{asked.name}" == at.by.identity:
        raise Forbidden("another admin must end your own account")
    at.stores.accounts.disable(asked.name, at.now, at.by)
    return Done(f"The account {asked.name} is disabled.")


@admin_act(OneAccount, "enable")
def enable_account(at: Administration, asked: OneAccount) -> Done:
    """Let a disabled account be used again, with the password and second factor it had."""
    at.stores.accounts.enable(asked.name, at.now, at.by)
    return Done(f"The account {asked.name} is in use again.")


@admin_act(ApprovalKey)
def register_approval_key(at: Administration, asked: ApprovalKey) -> Done:
    """Register the public half of a person's key to their account."""
    from serving.access.approval_keys import read_public_key

    key = read_public_key(asked.approval_key)
    key_id = at.stores.approvals.register_key(asked.name, key, at.by, at.now)
    facts = {"account": asked.name, "key_id": key_id}
    return Done(f"Key {key_id} counts as {asked.name}'s from now on.", facts=facts)


@admin_act(OneAccount)
def end_approval_key(at: Administration, asked: OneAccount) -> Done:
    """End the approval key of an account: what it signs from now on does not count."""
    key_id = at.stores.approvals.revoke_key(asked.name, at.by, at.now)
    return Done(f"Key {key_id} of {asked.name} does not count any more.")


# Keys of machines


class NewKey(BaseModel):
    """A key to make; no offices means all, no days that it never expires."""

    name: Annotated[Name, Field(description="The system or desk that holds the key.")]
    scopes: Annotated[
        tuple[KeyScope, ...], Field(min_length=1, description="What it may do; repeat for more.")
    ]
    offices: Annotated[
        Offices, Field(description="Offices it is tied to; repeat for more, all without.")
    ] = ()
    days: Annotated[
        int | None,
        Field(ge=1, le=MAX_KEY_DAYS, description="Days until it expires; never without."),
    ] = None
    purposes: Annotated[
        tuple[Purpose, ...],
        Field(
            description="What its holder may act for; repeat for more. What the installation is "
            "for, without (TIDEGATE_PURPOSE)."
        ),
    ] = ()


class RotatedApiKey(BaseModel):
    """The key that gets a successor."""

    name: Annotated[Name, Field(description="The system or desk that holds the key.")]
    overlap_days: Annotated[
        int,
        Field(
            ge=0,
            le=MAX_KEY_DAYS,
            description="Days that the former key lives on in addition to the new one.",
        ),
    ] = 7
    days: Annotated[
        int | None,
        Field(
            ge=1,
            le=MAX_KEY_DAYS,
            description="Days until the new key expires; as many as before without.",
        ),
    ] = None


class OneKey(BaseModel):
    """The key that an act is about."""

    name: Annotated[str, Field(description="The system or desk that holds the key.")]


@admin_act(NewKey, "keys")
def create_key(at: Administration, asked: NewKey) -> Done:
    """Make a key and show it once; only its hash is stored."""
    from serving.access.office_ids import require_offices

    ends_at = at.now + timedelta(days=asked.days) if asked.days else None
    offices = require_offices(asked.offices)
    scopes = tuple(dict.fromkeys(asked.scopes))
    purposes = tuple(dict.fromkeys(asked.purposes or (at.purpose,)))
    stored, shown = new_key(asked.name, scopes, offices, at.now, ends_at, purposes)
    at.stores.api_keys.add_key(stored)
    facts = {"name": asked.name, "key": str(shown), "scopes": scopes, "offices": stored.offices}
    return Done(f"The key of {asked.name}", str(shown), facts)


@admin_act(RotatedApiKey)
def rotate_api_key(at: Administration, asked: RotatedApiKey) -> Done:
    """Give the holder of a key another one, shown once; both live until the overlap is over.

    Name, scopes, offices and the identity in histories stay the same. A former key whose own end
    comes earlier keeps that.
    """
    overlap = timedelta(days=asked.overlap_days)
    lifetime = timedelta(days=asked.days) if asked.days else None
    keys = at.stores.api_keys
    fresh, shown = keys.rotate(asked.name, at.now, at.by, overlap=overlap, lifetime=lifetime)
    former = next(
        key for key in keys.all() if key.name == asked.name and key.superseded_at == at.now
    )
    is_live = former.is_live(at.now)
    ends = f"lives until {former.expires_at:%Y-%m-%d %H:%M}" if is_live else "has ended"
    facts = {"name": asked.name, "key": str(shown), "scopes": fresh.scopes}
    return Done("The new key", str(shown), facts, (f"The former one {ends} (UTC).",))


@admin_act(OneKey, "keys/revoke")
def revoke_key(at: Administration, asked: OneKey) -> Done:
    """End the key of this name; the service refuses it within a second."""
    at.stores.api_keys.revoke(asked.name, at.now)
    return Done(f"The key {asked.name} is revoked.")


# Teams


class TeamStatement(BaseModel):
    """The complete statement of a team, which replaces the earlier one."""

    name: Annotated[Name, Field(description="The name of the team.")]
    office: Annotated[str | None, Field(description="The office of the team; all without.")] = None
    members: Annotated[
        tuple[str, ...], Field(description="An account that reviews; repeat for more.")
    ] = ()
    takes_cases: Annotated[
        bool, Field(description="New cases of its office arrive in its inbox.")
    ] = False
    modes: Annotated[
        tuple[str, ...], Field(description="Only cases by this mode arrive, as sea.")
    ] = ()
    chapters: Annotated[
        tuple[str, ...], Field(description="Only goods of this chapter arrive, as 24.")
    ] = ()
    revision_read: Annotated[str | None, Field(exclude=True)] = None


class OneTeam(BaseModel):
    """The team that an act is about."""

    name: Annotated[str, Field(description="The name of the team.")]


@admin_act(TeamStatement, "teams")
def create_team(at: Administration, asked: TeamStatement) -> Done:
    """Make a team; without a rule its inbox has only what somebody puts there."""
    at.stores.teams.add_team(_team(at, asked), at.now, at.by)
    return Done(f"The team {asked.name} is made.")


@admin_act(TeamStatement, "teams/change")
def change_team(at: Administration, asked: TeamStatement) -> Done:
    """Give a team another office, other members and another rule: all of it as stated."""
    read = {} if asked.revision_read is None else {"revision_read": asked.revision_read}
    at.stores.teams.change_team(_team(at, asked), at.now, at.by, **read)
    return Done(f"The team {asked.name} is changed.")


@admin_act(TeamStatement)
def set_team(at: Administration, asked: TeamStatement) -> Done:
    """Make a team, or change one of that name: its office, members and rule are as stated."""
    exists = any(team.name == asked.name for team in at.stores.teams.all())
    return (change_team if exists else create_team)(at, asked)


@admin_act(OneTeam, "teams/disband")
def disband_team(at: Administration, asked: OneTeam) -> Done:
    """End a team; what is in its inbox is in that of its office."""
    at.stores.teams.disband(asked.name, at.now, at.by)
    return Done(f"The team {asked.name} is disbanded.")


def _team(at: Administration, asked: TeamStatement) -> Any:
    """Return the stated team; raises Unprocessable if it is invalid."""
    from serving.review.cases.teams import StatedTeam

    stated = StatedTeam(
        asked.name, asked.office, asked.members, asked.takes_cases, asked.modes, asked.chapters
    )
    return stated.team(at.stores.accounts.all(), at.known_offices())


def _account_in_use(at: Administration, name: str) -> "Account":
    account = at.stores.accounts.find(name)
    if account is None or account.disabled_at is not None:
        raise NotFound("no account of that name is in use")
    return account


def _account_of_another(at: Administration, name: str) -> "Account":
    """Return an active account that is not the administrator's own."""
    account = _account_in_use(at, name)
    if account.identity == at.by.identity:
        raise Forbidden("do that on the page of your own account, or ask another admin")
    return account


def _first_password(account: "Account", password: str, hints: tuple[str, ...] = ()) -> Done:
    is_first = account.credential_origin == "first"
    must = ("It must be changed when it is used for the first time.",) if is_first else ()
    facts = {"name": account.name, "role": account.role, "password": password}
    return Done(f"The first password of {account.name}", password, facts, (*hints, *must))


def hints_of_new_offices(
    known_offices: Callable[[], Collection[str]], offices: tuple[str, ...]
) -> tuple[str, ...]:
    """Name the nearest known office for each unknown one, which may be misspelt."""
    from serving.access.office_ids import nearest_name

    known = {*known_offices()} if offices else set()
    nearest = {each: nearest_name(each, known) for each in sorted({*offices} - known)}
    return tuple(
        f"The office {office} was not known here so far; the nearest one is {near}."
        for office, near in nearest.items()
        if near is not None
    )
