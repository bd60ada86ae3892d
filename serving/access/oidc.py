"""Signing in with an account of one's organisation: OpenID Connect, authorisation code with PKCE.

The browser holds one secret meanwhile; state, nonce and the PKCE verifier are made of it, so
nothing is kept here, and an answer that another browser began fits none of them. Of the
id_token signature, issuer, audience, times and nonce are checked; its claims name the role.
Sources: OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9700.
"""

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args
from urllib.error import HTTPError
from urllib.parse import quote, urlencode

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from pydantic import BaseModel, ValidationError

from serving.access.accounts import Account
from serving.access.http_client import fetch
from serving.access.published_keys import PublishedKeys
from serving.access.roles import Role
from serving.access.tokens import CLOCKS_APART_S
from serving.errors import AddressRefused, NotSignedIn, OidcUnavailable

ALGORITHMS = ["RS256", "ES256", "EdDSA", "Ed25519"]
LONGEST_ID_TOKEN = 16_384  # characters
NO_PASSWORD = ""  # no hash of argon2: it opens nothing

Purpose = Literal["state", "nonce", "verifier"]


@dataclass(frozen=True)
class PendingLogin:
    """A sign-in that is under way; `secret` is the browser's alone."""

    secret: str

    @classmethod
    def begin(cls) -> "PendingLogin":
        """A fresh one."""
        return cls(secrets.token_urlsafe(32))

    def part(self, purpose: Purpose) -> str:
        """What is shown to others for one purpose; none of them tells another, or the secret."""
        digest = hmac.digest(self.secret.encode(), purpose.encode(), hashlib.sha256)
        return _unpadded(digest)

    @property
    def challenge(self) -> str:
        """What proves, later, that whoever brings the code began it (RFC 7636, S256)."""
        return _unpadded(hashlib.sha256(self.part("verifier").encode()).digest())


class Endpoints(BaseModel):
    """What a provider publishes about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


@dataclass
class Provider:
    """The organisation's server, and what this service is called there.

    `role_claim` lists roles, of which exactly one must be `role_prefix` with a role of ours behind.
    """

    issuer: str
    client_id: str
    client_secret: str | None
    role_claim: str
    role_prefix: str
    clock: Callable[[], datetime]
    _known: tuple[Endpoints, PublishedKeys] | None = None
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def address(self, login: PendingLogin, callback: str) -> str:
        """Where to send a browser; raises OidcUnavailable."""
        query = {
            "response_type": "code",
            "scope": "openid profile",
            "client_id": self.client_id,
            "redirect_uri": callback,
            "state": login.part("state"),
            "nonce": login.part("nonce"),
            "code_challenge": login.challenge,
            "code_challenge_method": "S256",
        }
        start = self._endpoints()[0].authorization_endpoint
        return f"{start}{'&' if '?' in start else '?'}{urlencode(query)}"

    def account(self, login: PendingLogin, state: str, code: str, callback: str) -> Account:
        """Whoever a provider sent back; raises NotSignedIn, which never says why, or
        OidcUnavailable.
        """
        if not hmac.compare_digest(state.encode(), login.part("state").encode()) or not code:
            raise NotSignedIn("this sign-in was not begun here; try again")
        claims = self._verified(self._id_token(login, code, callback), login.part("nonce"))
        account = self._account(claims) if claims else None
        if account is None:
            raise NotSignedIn("your organisation's answer does not let you in here")
        return account

    def _endpoints(self) -> tuple[Endpoints, PublishedKeys]:
        with self._asking:
            if self._known is None:
                found = self._fetch_json(
                    f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                )
                endpoints = _published_in(found)
                if endpoints.issuer != self.issuer:
                    raise OidcUnavailable("the sign-in server calls itself by another name")
                self._known = endpoints, PublishedKeys(endpoints.jwks_uri)
            return self._known

    def _id_token(self, login: PendingLogin, code: str, callback: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "client_id": self.client_id,
            "code_verifier": login.part("verifier"),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self.client_secret:
            pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        found = self._fetch_json(
            self._endpoints()[0].token_endpoint, urlencode(form).encode(), headers
        )
        token = found.get("id_token")
        if not isinstance(token, str) or len(token) > LONGEST_ID_TOKEN:
            raise NotSignedIn("your organisation's answer does not let you in here")
        return token

    def _fetch_json(
        self, address: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            found = orjson.loads(fetch(address, body, headers or {}))
        except HTTPError as answer:
            if body is not None and answer.code in (400, 401):
                raise NotSignedIn("your organisation does not confirm this sign-in") from None
            raise OidcUnavailable("the sign-in server does not answer as it should") from None
        except (OSError, ValueError, AddressRefused):
            raise OidcUnavailable("the sign-in server does not answer as it should") from None
        return found if isinstance(found, dict) else {}

    def _verified(self, token: str, nonce: str) -> dict[str, Any] | None:
        """The claims, where signature, issuer, audience, times and nonce hold."""
        published = self._endpoints()[1]
        expected: dict[str, Any] = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "nonce": {"essential": True, "value": nonce},
            "sub": {"essential": True},
        }
        now = int(self.clock().timestamp())
        registry = jwt.JWTClaimsRegistry(now=now, leeway=CLOCKS_APART_S, **expected)
        for lacks in (False, True):
            keys = published.current(lacks=lacks)
            try:
                claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims  # type: ignore[arg-type]  # also takes a key set
                registry.validate(claims)
            except (JoseError, ValueError, TypeError, KeyError):
                continue
            is_ours = claims.get("azp", self.client_id) == self.client_id
            return claims if is_ours else None
        return None

    def _account(self, claims: dict[str, Any]) -> Account | None:
        role = self._role(claims.get(self.role_claim, []))
        offices = claims.get("offices", [])
        name = claims.get("preferred_username") or claims["sub"]
        is_usable = (
            role is not None
            and isinstance(name, str)
            and 0 < len(name) <= 64
            and isinstance(claims["sub"], str)
            and isinstance(offices, list)
            and (offices or "offices" not in claims)  # none named is not all of them
            and all(isinstance(office, str) for office in offices)
        )
        if not is_usable or role is None:
            return None
        subject = f"{self.issuer} {claims['sub']}"
        return Account(name, NO_PASSWORD, role, tuple(offices), self.clock(), subject=subject)

    def _role(self, claim: object) -> Role | None:
        named = claim if isinstance(claim, list) else [claim]
        roles = {role for role in get_args(Role) if f"{self.role_prefix}{role}" in named}
        return roles.pop() if len(roles) == 1 else None


def _published_in(found: dict[str, Any]) -> Endpoints:
    try:
        return Endpoints.model_validate(found)
    except ValidationError:
        raise OidcUnavailable("the sign-in server does not say where it is asked") from None


def _unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
