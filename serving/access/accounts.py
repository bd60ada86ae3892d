"""Accounts of people: a name, an argon2 hash of the password, and a role.

A first password is generated, so the person who hands it over knows it: the holder must change it
soon and before anything else. An account has exactly one role, so that those who judge cases do not
manage accounts, and those who study models see no identities.
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

# Who chose the password: its holder ("own"), or this service, to be changed at first sign-in
# ("first") or, in a trial, never ("trial").
PasswordOrigin = Literal["own", "first", "trial"]

# Random bytes. OWASP ASVS 5.0 demands 128 bits of a secret that is stored nowhere else.
FIRST_PASSWORD_BYTES = 18


@dataclass(frozen=True)
class Account:
    """A stored account.

    Empty offices mean all offices.

    `subject` is the holder's identity at an identity provider (`claims.person_elsewhere`), the same
    as in their tokens. Such an account has no password here.
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
        """Identity of the account, which never changes."""
        return f"account:{self.name}"

    @property
    def actor(self) -> Actor:
        """Actor for what the holder does."""
        return self.caller().actor

    @property
    def revision(self) -> str:
        """Revision of role and offices; it changes if either does."""
        return revision_of(self.role, sorted(self.offices))

    def must_change_password(self, *, is_live: bool) -> bool:
        """Return whether the password must be changed before anything else is done."""
        is_made_here = self.credential_origin == "first" or (
            self.credential_origin == "trial" and is_live
        )
        return self.subject is None and is_made_here

    def has_expired_password(self, now: datetime, lasting: timedelta) -> bool:
        """Return whether a first password was not used in time; without a date it never expires."""
        set_at = self.password_set_at
        return self.credential_origin == "first" and set_at is not None and now > set_at + lasting

    def caller(self) -> Caller:
        """Return the holder as a caller, with scopes and offices."""
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
    """Language and time zone of a holder; None means those of the browser or installation."""

    language: str | None = None
    time_zone: str | None = None


def new_account(
    name: str, password: str, role: Role, offices: tuple[str, ...], now: datetime
) -> Account:
    """Return a new account with a password that its holder chose."""
    return Account(name, hash_password(password), role, offices, now)


def with_first_password(
    account: Account, now: datetime, *, is_for_trial: bool = False
) -> tuple[Account, str]:
    """Return the account with a new generated password, which the person handing it over sees."""
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
    """Return whether the password opens the account, in the same time for unknown accounts."""
    # Compute it in any case: otherwise the first unknown name would take longer to answer.
    nobody = hash_of_nobody()
    has_own = account is not None and account.password_hash != ""
    is_right = is_password_of(account.password_hash if account and has_own else nobody, password)
    return is_right and account is not None and account.disabled_at is None and has_own
