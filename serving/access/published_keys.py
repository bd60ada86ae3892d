"""Public keys of a token server: read, refreshed, and dropped when withdrawn."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from serving.access.errors import AddressRefused
from serving.access.http_client import fetch

log = structlog.get_logger(__name__)

# How long the last known keys remain valid while no others can be read.
HOLDS_FOR_S = 86_400.0


class PublishedKeys:
    """Key set of an authorisation server, in a file or at an https address.

    It is read at first use, every `fresh_for_s`, and when a token names an unknown key, but at most
    every `rest_s`, so that forged tokens cannot trigger calls. If it cannot be read, the last keys
    stay valid for a day; an empty set withdraws all keys.
    """

    def __init__(self, where: str, fresh_for_s: float = 300.0, rest_s: float = 10.0):
        self._where = where
        self._fresh_for_s = fresh_for_s
        self._rest_s = rest_s
        self._keys: KeySet | None = None
        self._published: list[Any] | None = None
        self._asked_at = self._known_at = self._due_at = float("-inf")
        self._reading = threading.Lock()

    def current(self, *, lacks: bool = False) -> KeySet | None:
        """Return the keys, the last known ones if unreadable; `lacks` asks for newer ones.

        The same object is returned while the published keys stay the same.
        """
        # While one thread reads, the others continue with the known keys, if there are any.
        if self._is_due(lacks) and self._reading.acquire(blocking=self._keys is None):
            try:
                if self._is_due(lacks):
                    self._read()
            finally:
                self._reading.release()
        return self._keys if time.monotonic() - self._known_at <= HOLDS_FOR_S else None

    def known(self) -> KeySet | None:
        """Return the keys if they are fresh, without waiting."""
        return self._keys if time.monotonic() <= self._due_at else None

    def _is_due(self, lacks: bool) -> bool:
        now = time.monotonic()
        return now > self._due_at or (lacks and now - self._asked_at > self._rest_s)

    def _read(self) -> None:
        self._asked_at = time.monotonic()
        try:
            found = json.loads(_content(self._where))
            published = found["keys"]
            if not isinstance(published, list):
                raise TypeError("the keys are not a list")
        except (OSError, ValueError, KeyError, TypeError, RecursionError, AddressRefused) as error:
            self._due_at = time.monotonic() + self._rest_s
            log.warning("token_keys_not_read", error=type(error).__name__)
            return
        if self._keys is None or published != self._published:
            self._published, self._keys = published, _usable(published)
        self._known_at = time.monotonic()
        self._due_at = self._known_at + self._fresh_for_s


def _usable(published: list[Any]) -> KeySet:
    """Return the keys for signatures; unknown ones are skipped (RFC 7517, 5)."""
    keys = []
    for each in published:
        try:
            if each.get("use", "sig") == "sig" and each["kty"] in {"RSA", "EC", "OKP"}:
                keys += KeySet.import_key_set({"keys": [each]}).keys
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            log.warning("token_key_left_out")
    return KeySet(keys)


def _content(where: str) -> bytes:
    is_address = where.startswith(("https://", "http://"))
    return fetch(where) if is_address else Path(where).read_bytes()
