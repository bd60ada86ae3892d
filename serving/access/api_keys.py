"""API keys: `tg_<id>.<secret>`; the id may be shown and logged, the secret is shown once.

A secret is 256 random bits, so its SHA-256 is all that needs to be kept: there is nothing to guess
that a slow hash would protect.
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
    """A stored key. No offices means all; no `expires_at` means until it is revoked.

    `purposes` are what its holder may act for; none means what the installation is for.
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
        """Whom the key belongs to, through every rotation: the id of that holder's first key."""
        return self.holder_id or self.key_id

    def is_live(self, now: datetime) -> bool:
        """Return whether the key still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def ends_soon(self, now: datetime) -> bool:
        """Return whether it is live, has no successor, and ends within two weeks."""
        if self.expires_at is None or self.superseded_at is not None or not self.is_live(now):
            return False
        return self.expires_at - now < EXPIRY_WARNING

    def admits(self, secret: str, now: datetime) -> bool:
        """Return whether `secret` is this live key's; takes the same time either way."""
        is_same = hmac.compare_digest(_sha256(secret), self.secret_sha256)
        return is_same and self.is_live(now)

    def is_opened_by(self, secret: str) -> bool:
        """Return whether `secret` is this key's, live or not."""
        return hmac.compare_digest(_sha256(secret), self.secret_sha256)


@dataclass(frozen=True)
class PresentedKey:
    """A key as a caller sends it, not yet believed."""

    key_id: str
    secret: str

    @classmethod
    def parse(cls, text: str) -> "PresentedKey | None":
        """The two parts of a well-formed key, or None."""
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
    """A fresh key: what to keep, and what to hand over once."""
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
    """A fresh key of the same holder, who may just the same; it lives as long as the former was to.

    `lifetime` is another one, from now.
    """
    if lifetime is None and key.expires_at is not None:
        lifetime = key.expires_at - key.created_at
    expires_at = now + lifetime if lifetime else None
    return new_key(
        key.name, key.scopes, key.offices, now, expires_at, key.purposes, holder_id=key.holder
    )


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
