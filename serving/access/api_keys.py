"""API keys of the form `tg_<id>.<secret>`; the id is public, the secret is shown once.

A secret has 256 random bits, so storing its SHA-256 is enough: a slow hash only protects secrets
that can be guessed.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from serving.access.roles import Scope

EXPIRY_WARNING = timedelta(days=14)

_PRESENTED = re.compile(r"tg_([a-z0-9]{12})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class ApiKey:
    """A stored key.

    Empty offices mean all; without `expires_at` it is valid until revoked.

    `purposes` are those its holder may act for; empty means the installation's purpose.
    """

    key_id: str
    name: str
    secret_sha256: str
    scopes: tuple[Scope, ...]
    offices: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    purposes: tuple[str, ...] = ()
    holder_id: str = ""
    superseded_at: datetime | None = None

    @property
    def holder(self) -> str:
        """Id of the holder's first key, which identifies them across rotations."""
        return self.holder_id or self.key_id

    def is_live(self, now: datetime) -> bool:
        """Return whether the key is valid now."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def ends_soon(self, now: datetime) -> bool:
        """Return whether the key is valid, has no successor, and expires within two weeks."""
        if self.expires_at is None or self.superseded_at is not None or not self.is_live(now):
            return False
        return self.expires_at - now < EXPIRY_WARNING

    def admits(self, secret: str, now: datetime) -> bool:
        """Return whether `secret` opens this key now, in constant time."""
        is_same = hmac.compare_digest(_sha256(secret), self.secret_sha256)
        return is_same and self.is_live(now)

    def is_opened_by(self, secret: str) -> bool:
        """Return whether `secret` belongs to this key, valid or not."""
        return hmac.compare_digest(_sha256(secret), self.secret_sha256)


@dataclass(frozen=True)
class PresentedKey:
    """A key as a caller sent it, not yet verified."""

    key_id: str
    secret: str

    @classmethod
    def parse(cls, text: str) -> "PresentedKey | None":
        """Return the parts of a well-formed key, or None."""
        found = _PRESENTED.fullmatch(text)
        return cls(*found.groups()) if found else None

    def __str__(self) -> str:
        return f"tg_{self.key_id}.{self.secret}"


def new_key(
    name: str,
    scopes: tuple[Scope, ...],
    offices: tuple[str, ...],
    now: datetime,
    expires_at: datetime | None = None,
    purposes: tuple[str, ...] = (),
    holder_id: str = "",
) -> tuple[ApiKey, PresentedKey]:
    """Return a new key: the record to store, and the secret to hand over once."""
    presented = PresentedKey(secrets.token_hex(6), secrets.token_urlsafe(32))
    kept = ApiKey(
        key_id=presented.key_id,
        name=name,
        secret_sha256=_sha256(presented.secret),
        scopes=scopes,
        offices=offices,
        created_at=now,
        expires_at=expires_at,
        purposes=purposes,
        holder_id=holder_id,
    )
    return kept, presented


def successor_of(
    key: ApiKey, now: datetime, lifetime: timedelta | None = None
) -> tuple[ApiKey, PresentedKey]:
    """Return a new key of the same holder with the same rights and, by default, lifetime.

    `lifetime` overrides the lifetime, counted from now.
    """
    if lifetime is None and key.expires_at is not None:
        lifetime = key.expires_at - key.created_at
    expires_at = now + lifetime if lifetime else None
    return new_key(
        key.name, key.scopes, key.offices, now, expires_at, key.purposes, holder_id=key.holder
    )


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
