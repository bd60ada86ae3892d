"""Accounts of people: a name, a password that only its argon2 hash is kept of, and a role.

A first password is made for the holder, so somebody else saw it: it must be changed before anything
else is done, and soon. A role says what its holder may do and see; nobody has two, so that whoever
judges cases is not who keeps accounts, and whoever studies models sees no identities.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.access.passwords import hash_of_nobody, hash_password, is_password_of
from serving.access.revisions import revision_of
from serving.access.roles import ROLE_SCOPES, Role

# Whose choice a password is: the holder's, or that of this service, to be changed at once or, in a
# trial, never.
PasswordOrigin = Literal["own", "first", "trial"]

FIRST_PASSWORD_BYTES = 18  # random; OWASP ASVS 5.0 wants 128 bits of what is kept nowhere else


@dataclass(frozen=True)
class Account:
    """A stored account. No offices means all offices.

    `subject` is who the holder is elsewhere (`claims.person_elsewhere`), which is the person of
    whoever brings a token of theirs too: such an account has no password here.
    """

    name: str
    password_hash: str
    role: Role
    offices: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None = None
    subject: str | None = None
    credential_origin: PasswordOrigin = "own"
    password_set_at: datetime | None = None

    @property
    def identity(self) -> str:
        """Who it is, whatever it is called elsewhere."""
        return f"account:{self.name}"

    @property
    def actor(self) -> Actor:
        """Who acts where its holder does."""
        return self.caller().actor

    @property
    def revision(self) -> str:
        """Names the role and the offices that it has: another once either changes."""
        return revision_of(self.role, sorted(self.offices))

    def must_change_password(self, *, is_live: bool) -> bool:
        """Return whether the password must be changed before anything else is done."""
        is_made_here = self.credential_origin == "first" or (
            self.credential_origin == "trial" and is_live
        )
        return self.subject is None and is_made_here

    def has_expired_password(self, now: datetime, lasting: timedelta) -> bool:
        """Return whether a first password was never used in time; without a date it has no end."""
        set_at = self.password_set_at
        return self.credential_origin == "first" and set_at is not None and now > set_at + lasting

    def caller(self) -> Caller:
        """The holder as a caller, with scopes and offices."""
        identity = f"account:{self.name}"
        return Caller(
            identity,
            self.name,
            ROLE_SCOPES[self.role],
            frozenset(self.offices),
            person=self.subject or identity,
        )


@dataclass(frozen=True)
class ReadingChoice:
    """The language and clock of a holder; None leaves it to browser and installation."""

    language: str | None = None
    time_zone: str | None = None


def new_account(
    name: str, password: str, role: Role, offices: tuple[str, ...], now: datetime
) -> Account:
    """A fresh account with a password of the holder's; the password is kept nowhere."""
    return Account(name, hash_password(password), role, offices, now)


def with_first_password(
    account: Account, now: datetime, *, is_for_trial: bool = False
) -> tuple[Account, str]:
    """The account under a fresh password, which whoever hands it over has seen."""
    password = secrets.token_urlsafe(FIRST_PASSWORD_BYTES)
    origin: PasswordOrigin = "trial" if is_for_trial else "first"
    return (
        replace(
            account,
            password_hash=hash_password(password),
            credential_origin=origin,
            password_set_at=now,
        ),
        password,
    )


def admits(account: Account | None, password: str) -> bool:
    """Return whether the password opens the account; takes as long where there is none."""
    nobody = hash_of_nobody()  # made before it is known whether it is needed
    has_own = account is not None and account.password_hash != ""
    is_right = is_password_of(account.password_hash if account and has_own else nobody, password)
    return is_right and account is not None and account.disabled_at is None and has_own
