"""Sessions of the console: short, tied to one browser, and ended by whoever signs out."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self


@dataclass(frozen=True)
class Session:
    """A signed-in browser; `form_token` must come back with every form.

    `holder` is `key:<id>` or `account:<name>`; the cookie itself is kept nowhere, only its hash.
    """

    cookie_sha256: str
    holder: str
    form_token: str
    expires_at: datetime

    @classmethod
    def begin(cls, holder: str, now: datetime, lasting: timedelta) -> tuple[Self, str]:
        """A fresh session and the value of its cookie."""
        cookie = secrets.token_urlsafe(32)
        return cls(hash_of(cookie), holder, secrets.token_urlsafe(32), now + lasting), cookie


def hash_of(cookie: str) -> str:
    """What is kept of a cookie."""
    return hashlib.sha256(cookie.encode()).hexdigest()
