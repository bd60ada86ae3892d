"""OAuth2 access tokens: JWTs that an authorisation server signed for this service.

Only EdDSA and RS256 are taken, only keys of the configured set, and only tokens that name this
audience (and issuer) and end. Claims: `sub` or `client_id` is the caller, `scope` its scopes in one
text, `offices` a list of the offices it is tied to, `purposes` one of what it may act for. Nothing
in a token says where its key is found.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from serving.access.callers import Caller
from serving.access.http_client import fetch
from serving.access.roles import Scope
from serving.errors import AddressRefused, NotSignedIn

ALGORITHMS = ["EdDSA", "Ed25519", "RS256"]
LONGEST_TOKEN = 8_192  # characters
LONGEST_LIFE_S = 3_600  # a token lives minutes; one that lives for days is a mistake
CLOCKS_APART_S = 30
SCOPES: frozenset[str] = frozenset(get_args(Scope))
REMEMBERED = 1_000  # tokens whose signature need not be checked again


@dataclass(frozen=True)
class VerifiedToken:
    """A token that was believed: whose it is, and when it ends."""

    caller: Caller
    ends_at: datetime


class PublishedKeys:
    """The key set of an authorisation server, in a file or behind an https address.

    Read when first needed, again every `fresh_for_s`, and when a token names a key that is not in
    it, but never more often than every `rest_s`: a forged token must not make us call.
    """

    def __init__(self, where: str, fresh_for_s: float = 300.0, rest_s: float = 10.0):
        self._where = where
        self._fresh_for_s = fresh_for_s
        self._rest_s = rest_s
        self._keys: KeySet | None = None
        self._read_at = float("-inf")
        self._reading = threading.Lock()

    def current(self, *, lacks: bool = False) -> KeySet | None:
        """The keys, the last known where they can't be read; `lacks` asks for newer ones."""
        age_s = time.monotonic() - self._read_at
        if age_s > self._fresh_for_s or (lacks and age_s > self._rest_s):
            with self._reading:
                self._read_at = time.monotonic()
                self._keys = self._read() or self._keys
        return self._keys

    def _read(self) -> KeySet | None:
        try:
            found = json.loads(_content(self._where))
            return KeySet.import_key_set(found)
        except (OSError, ValueError, KeyError, TypeError, JoseError, AddressRefused):
            return None


@dataclass(frozen=True)
class Tokens:
    """Believes or refuses tokens for one audience, of one issuer where one is named."""

    keys: PublishedKeys
    audience: str
    issuer: str | None
    clock: Callable[[], datetime]
    believed: dict[str, VerifiedToken] = field(default_factory=dict)

    def remembered(self, token: str) -> Caller | None:
        """The caller behind a token that was verified before and has not ended."""
        found = self.believed.get(token)
        return found.caller if found and self.clock() < found.ends_at else None

    def caller(self, token: str) -> Caller:
        """The caller behind a token; raises NotSignedIn and never says why."""
        if len(token) > LONGEST_TOKEN or token.count(".") != 2:
            raise NotSignedIn("send a live API key or an access token as `Authorization: Bearer …`")
        claims = self._verified(token, self.keys.current())
        if claims is None:
            claims = self._verified(token, self.keys.current(lacks=True))
        verified = self._caller(claims) if claims is not None else None
        if verified is None:
            raise NotSignedIn("the access token is not valid here, or has ended")
        self._remember(token, verified)
        return verified.caller

    def _verified(self, token: str, keys: KeySet | None) -> dict[str, Any] | None:
        """The claims, where signature, audience, issuer and times hold."""
        if keys is None:
            return None
        expected: dict[str, Any] = {"aud": {"essential": True, "value": self.audience}}
        expected["exp"] = {"essential": True}
        if self.issuer is not None:
            expected["iss"] = {"essential": True, "value": self.issuer}
        now = int(self.clock().timestamp())
        registry = jwt.JWTClaimsRegistry(now=now, leeway=CLOCKS_APART_S, **expected)
        try:
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError):
            return None
        return claims

    def _caller(self, claims: dict[str, Any]) -> VerifiedToken | None:
        subject = claims.get("client_id") or claims.get("sub")
        offices, purposes = claims.get("offices", []), claims.get("purposes", [])
        is_usable = (
            isinstance(subject, str)
            and 0 < len(subject) <= 200
            and isinstance(claims.get("scope", ""), str)
            and all(_is_named(claims, name) for name in ("offices", "purposes"))
            and claims["exp"] - self.clock().timestamp() <= LONGEST_LIFE_S
        )
        if not is_usable:
            return None
        ends_at = datetime.fromtimestamp(claims["exp"], self.clock().tzinfo)
        scopes = SCOPES & set(claims.get("scope", "").split())
        caller = Caller(
            f"jwt:{subject}",
            str(subject),
            frozenset(scopes),  # type: ignore[arg-type]  # checked above
            frozenset(offices),
            frozenset(purposes),
        )
        return VerifiedToken(caller, ends_at)

    def _remember(self, token: str, verified: VerifiedToken) -> None:
        while len(self.believed) >= REMEMBERED:
            self.believed.pop(next(iter(self.believed)), None)
        self.believed[token] = verified


def _is_named(claims: dict[str, Any], name: str) -> bool:
    """Whether a list of a token is none at all, or one of texts; none named is not all of them."""
    if name not in claims:
        return True
    claim = claims[name]
    return isinstance(claim, list) and bool(claim) and all(isinstance(each, str) for each in claim)


def _content(where: str) -> bytes:
    is_address = where.startswith(("https://", "http://"))
    return fetch(where) if is_address else Path(where).read_bytes()
