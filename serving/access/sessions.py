"""Sessions of the console: short, kept in memory, and worth nothing after a restart."""

import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MOST_SESSIONS = 1_000


@dataclass(frozen=True)
class Session:
    """A signed-in browser; `form_token` must come back with every form."""

    key_id: str
    expires_at: datetime
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))


class Sessions:
    """Open sessions by the hash of their cookie; the cookie itself is kept nowhere."""

    def __init__(self, lasting: timedelta):
        self._lasting = lasting
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def begin(self, key_id: str, now: datetime) -> str:
        """Open a session for a key; returns the cookie's value. The oldest gives way to a crowd."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            self._open = {k: s for k, s in self._open.items() if now < s.expires_at}
            while len(self._open) >= MOST_SESSIONS:
                del self._open[next(iter(self._open))]
            self._open[_hash(cookie)] = Session(key_id, now + self._lasting)
        return cookie

    def find(self, cookie: str, now: datetime) -> Session | None:
        """The open session of a cookie, or None."""
        session = self._open.get(_hash(cookie))
        return session if session and now < session.expires_at else None

    def end(self, cookie: str) -> None:
        """Close a session; an unknown one is closed already."""
        with self._lock:
            self._open.pop(_hash(cookie), None)


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
