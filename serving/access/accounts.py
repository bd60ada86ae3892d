"""Accounts of people: a name, a password that only its argon2 hash is kept of, and a role.

A role says what its holder may do and see; nobody has two, so that whoever judges cases is not who
keeps accounts, and whoever studies models sees no identities.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from serving.access.callers import Caller
from serving.access.roles import ROLE_SCOPES, Role

_HASHER = PasswordHasher()


@dataclass(frozen=True)
class Account:
    """What is kept of an account. No offices means all offices.

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

    def caller(self) -> Caller:
        """What the holder may do and see."""
        identity = f"account:{self.name}"
        return Caller(
            identity,
            self.name,
            ROLE_SCOPES[self.role],
            frozenset(self.offices),
            person=self.subject or identity,
        )


def new_account(
    name: str, password: str, role: Role, offices: tuple[str, ...], now: datetime
) -> Account:
    """A fresh account; the password is kept nowhere."""
    return Account(name, _HASHER.hash(password), role, offices, now)


def admits(account: Account | None, password: str) -> bool:
    """Whether the password opens the account; takes as long where there is none."""
    nobody = _hash_of_nobody()  # made before it is known whether it is needed
    kept = account.password_hash if account else nobody
    try:
        is_right = _HASHER.verify(kept, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return is_right and account is not None and account.disabled_at is None


@cache
def _hash_of_nobody() -> str:
    """Of no account: checking against it takes as long as against a real one."""
    return _HASHER.hash("nobody has this password")
