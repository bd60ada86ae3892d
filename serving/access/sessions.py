"""Sessions of the console: bound to a browser, ended by sign-out, inactivity or age."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from serving.access.actors import Actor

# Open sessions of one account; the newest stay.
MAX_SESSIONS = 32

# The order matters: most browsers also carry the names of others.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Session:
    """Session of a browser; every form must send `form_token` back.

    `holder` is `account:<name>`. Only the cookie's hash is stored. Use extends `expires_at`, never
    beyond `ends_at`; `proved_at` is when the holder last gave a password or code.
    """

    cookie_sha256: str
    holder: str
    form_token: str
    expires_at: datetime
    ends_at: datetime
    begun_at: datetime
    proved_at: datetime
    address: str = ""
    browser: str = ""
    has_second_factor: bool = False

    @classmethod
    def begin(
        cls, holder: str, now: datetime, lasting: timedelta, longest: timedelta | None = None
    ) -> tuple[Self, str]:
        """Return a new session and its cookie; it ends after `longest` at the latest."""
        cookie = secrets.token_urlsafe(32)
        ends_at = now + (longest or lasting)
        expires_at = min(now + lasting, ends_at)
        token = secrets.token_urlsafe(32)
        return cls(hash_of(cookie), holder, token, expires_at, ends_at, now, now), cookie

    @property
    def actor(self) -> Actor:
        """Actor for the end of the session."""
        return Actor(self.holder, self.holder.partition(":")[2])

    @property
    def session_id(self) -> str:
        """Id of the session for display, which cannot be used to open it."""
        return self.cookie_sha256[:16]

    def used(self, now: datetime, lasting: timedelta) -> Self:
        """Return the session after use."""
        return replace(self, expires_at=min(now + lasting, self.ends_at))

    def proved(
        self, now: datetime, lasting: timedelta, *, by_code: bool = False
    ) -> "tuple[Self, str]":
        """Return the session under a new cookie, after its holder proved their identity again."""
        cookie = secrets.token_urlsafe(32)
        proved = replace(
            self.used(now, lasting),
            cookie_sha256=hash_of(cookie),
            proved_at=now,
            has_second_factor=self.has_second_factor or by_code,
        )
        return proved, cookie


def hash_of(cookie: str) -> str:
    """Return the stored hash of a cookie."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def browser_in_words(user_agent: str) -> str:
    """Return a browser's name and system, just detailed enough for its user to recognise."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "a browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
