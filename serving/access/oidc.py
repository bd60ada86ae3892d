"""Sign-in by an organisation's identity provider: OpenID Connect, code flow with PKCE.

The browser holds one secret, from which state, nonce and PKCE verifier are derived. So the server
stores nothing, and an answer to another browser's sign-in does not match. The id_token is checked
for signature, kind, issuer, audience, times and nonce; its claims give the role. The provider's
metadata is read again at every sign-in and after each failure. Sources: OpenID Connect Core 1.0,
3.1; RP-Initiated Logout 1.0; Back-Channel Logout 1.0; RFC 7636; RFC 9700.
"""

import base64
import hashlib
import hmac
import secrets
import threading
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from urllib.error import HTTPError
from urllib.parse import quote, urlencode

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from pydantic import BaseModel, ValidationError

from serving.access.accounts import Account
from serving.access.claims import (
    claim_at,
    has_possible_times,
    is_identifier,
    person_elsewhere,
    texts_in,
)
from serving.access.errors import AddressRefused, OidcUnavailable, SignInRefused
from serving.access.http_client import fetch, refuse_unsafe
from serving.access.published_keys import PublishedKeys
from serving.access.roles import MAX_NAME_LENGTH, Role
from serving.access.tokens import CLOCKS_APART_S
from serving.errors import NotSignedIn

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
MAX_ID_TOKEN_LENGTH = 16_384  # characters
# This is no argon2 hash, so no password opens the account.
NO_PASSWORD = ""

PUBLISHED_FOR_S = 3_600.0
# Before sending a browser to the provider, know that it answered within the last minute.
CHECKED_WITHIN_S = 60.0
# Pause after a failure, so that a broken provider is not asked for every sign-in.
REST_S = 5.0
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_WITHIN_S = 300
NOT_LET_IN = "your organisation's answer does not let you in here"

Purpose = Literal["state", "nonce", "verifier"]


@dataclass(frozen=True)
class PendingLogin:
    """A sign-in in progress; only the browser knows `secret`."""

    secret: str

    @classmethod
    def begin(cls) -> "PendingLogin":
        """Return a new sign-in."""
        return cls(secrets.token_urlsafe(32))

    def part(self, purpose: Purpose) -> str:
        """Return the value for one purpose; none reveals another one or the secret."""
        digest = hmac.digest(self.secret.encode(), purpose.encode(), hashlib.sha256)
        return _unpadded(digest)

    @property
    def challenge(self) -> str:
        """PKCE challenge, which ties the later token request to this sign-in (RFC 7636, S256)."""
        return _unpadded(hashlib.sha256(self.part("verifier").encode()).digest())


class Endpoints(BaseModel):
    """Endpoints from the provider's metadata."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None


@dataclass(frozen=True)
class ProviderSession:
    """A person authenticated by the provider, and the id_token that identifies the session.

    `authenticated_at` is when the provider last checked credentials; None if not stated.
    """

    account: Account
    id_token: str
    authenticated_at: datetime | None = None


@dataclass
class Provider:
    """The organisation's identity provider, and this service's registration there.

    `role_claim` is a path to roles, one of which must be `role_prefix` plus a role of Tidegate's.
    Of several, the first in `role_order` is used; without an order they are refused.
    """

    issuer: str
    client_id: str
    client_secret: str | None
    role_claim: str
    role_prefix: str
    clock: Callable[[], datetime]
    role_order: tuple[str, ...] = ()
    subject_claim: str = "sub"
    _known: tuple[Endpoints, PublishedKeys] | None = None
    _known_at: float = float("-inf")
    _failed_at: float = float("-inf")
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def address(self, login: PendingLogin, callback: str, *, is_again: bool = False) -> str:
        """Return the address that starts a sign-in; raises OidcUnavailable.

        `is_again` makes the provider check credentials even if it just did.
        """
        query = {
            **({"prompt": "login", "max_age": "0"} if is_again else {}),
            "response_type": "code",
            "scope": "openid profile",
            "client_id": self.client_id,
            "redirect_uri": callback,
            "state": login.part("state"),
            "nonce": login.part("nonce"),
            "code_challenge": login.challenge,
            "code_challenge_method": "S256",
        }
        return _address_asking(self._endpoints(CHECKED_WITHIN_S)[0].authorization_endpoint, query)

    def end_address(self, id_token: str | None, back: str) -> str | None:
        """Return the address that ends the provider's session and returns; None without one.

        Raises OidcUnavailable.
        """
        end = self._endpoints()[0].end_session_endpoint
        if end is None:
            return None
        hint = {"id_token_hint": id_token} if id_token else {}
        back_to = {"client_id": self.client_id, "post_logout_redirect_uri": back}
        return _address_asking(end, {**hint, **back_to})

    def ended_subject(self, logout_token: str) -> str:
        """Return the person whose sessions a logout token ends (`Account.subject`).

        Raises SignInRefused for an invalid token, and OidcUnavailable.
        """
        claims = self._verified(
            logout_token, {"events": {"essential": True}}, {"jwt", "logout+jwt"}
        )
        is_new = abs(self.clock().timestamp() - claims["iat"]) <= LOGOUT_WITHIN_S
        events = claims["events"]
        if not isinstance(events, dict) or LOGOUT not in events or "nonce" in claims or not is_new:
            raise SignInRefused(NOT_LET_IN, "it is not a logout token, or too old")
        return self._subject(claims)

    def sign_in(self, login: PendingLogin, state: str, code: str, callback: str) -> ProviderSession:
        """Return the session of the person that the provider sent back.

        Raises NotSignedIn, whose message never gives the reason, or OidcUnavailable.
        """
        if not hmac.compare_digest(state.encode(), login.part("state").encode()) or not code:
            raise NotSignedIn("this sign-in was not begun here; try again")
        id_token = self._id_token(login, code, callback)
        nonce = {"nonce": {"essential": True, "value": login.part("nonce")}}
        claims = self._verified(id_token, {**nonce, "exp": {"essential": True}}, {"jwt"})
        # Keycloak states the kind of token here.
        if str(claims.get("typ", "ID")).lower() != "id":
            raise SignInRefused(NOT_LET_IN, "its claim typ names another kind of token")
        asked_at = claims.get("auth_time")
        authenticated_at = None if asked_at is None else datetime.fromtimestamp(asked_at, UTC)
        return ProviderSession(self._account(claims), id_token, authenticated_at)

    def _endpoints(self, within_s: float = PUBLISHED_FOR_S) -> tuple[Endpoints, PublishedKeys]:
        """Return metadata and keys that are at most `within_s` seconds old."""
        if self._known and time.monotonic() - self._known_at <= within_s:
            return self._known
        # One thread reads the metadata; the others wait here and then find it.
        with self._asking:
            now = time.monotonic()
            if self._known and now - self._known_at <= within_s:
                return self._known
            if now - self._failed_at <= REST_S:
                raise OidcUnavailable("the sign-in server does not answer as it should")
            try:
                endpoints = self._published()
            except OidcUnavailable:
                self._failed_at = time.monotonic()
                raise
            if self._known is None or self._known[0] != endpoints:
                self._known = endpoints, PublishedKeys(endpoints.jwks_uri)
            self._known_at = time.monotonic()
            return self._known

    def require_published(self) -> None:
        """Raise OidcUnavailable unless the provider publishes its endpoints and keys."""
        if self._endpoints(0.0)[1].current() is None:
            raise OidcUnavailable("the sign-in server's keys cannot be read")

    def _published(self) -> Endpoints:
        where = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        endpoints = _published_in(self._fetch_json(where))
        # OpenID Connect Discovery 4.3 requires it, against a provider that impersonates another.
        if endpoints.issuer != self.issuer:
            raise OidcUnavailable("the sign-in server calls itself by another name")
        return endpoints

    def _forget(self) -> None:
        """Expire the cached metadata, so that the next use reads it again."""
        self._known_at = float("-inf")

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
        if not isinstance(token, str) or len(token) > MAX_ID_TOKEN_LENGTH:
            raise SignInRefused(NOT_LET_IN, "the answer has no id_token, or one that is too long")
        return token

    def _fetch_json(
        self, address: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            found = orjson.loads(fetch(address, body, headers or {}))
        except (OSError, ValueError, AddressRefused) as failure:
            is_answer = isinstance(failure, HTTPError) and failure.code in (400, 401)
            if body is not None and is_answer:
                raise NotSignedIn("your organisation does not confirm this sign-in") from None
            if body is not None:
                # The endpoint may have moved.
                self._forget()
            raise OidcUnavailable("the sign-in server does not answer as it should") from None
        return found if isinstance(found, dict) else {}

    def _verified(self, token: str, expected: dict[str, Any], kinds: set[str]) -> dict[str, Any]:
        """Return the verified claims of a token; raises SignInRefused.

        Signature, kind, issuer, audience, times and the `expected` claims are checked.
        """
        published = self._endpoints()[1]
        expected = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
            "iat": {"essential": True},
            "sub": {"essential": True},
            **expected,
        }
        cause = ""
        # Try again with newly read keys, in case the provider has rotated them.
        for lacks in (False, True):
            try:
                return self._believed(token, published.current(lacks=lacks), expected, kinds)
            except SignInRefused as refusal:
                cause = refusal.cause
        # The keys may be published at another address by now.
        self._forget()
        raise SignInRefused(NOT_LET_IN, cause)

    def _believed(
        self, token: str, keys: Any, expected: dict[str, Any], kinds: set[str]
    ) -> dict[str, Any]:
        now = int(self.clock().timestamp())
        registry = jwt.JWTClaimsRegistry(now=now, leeway=CLOCKS_APART_S, **expected)
        try:
            found = jwt.decode(token, keys, algorithms=ALGORITHMS)
            if not has_possible_times(found.claims):
                raise ValueError("a time is not a time")
            registry.validate(found.claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            cause = f"{type(error).__name__} {getattr(error, 'claim', '')}".strip()
            raise SignInRefused(NOT_LET_IN, cause) from None
        if str(found.header.get("typ", "JWT")).lower() not in kinds:
            raise SignInRefused(NOT_LET_IN, "its header names another kind of token")
        if found.claims.get("azp", self.client_id) != self.client_id:
            raise SignInRefused(NOT_LET_IN, "another service asked for it (azp)")
        return found.claims

    def _subject(self, claims: dict[str, Any]) -> str:
        subject = claims.get(self.subject_claim)
        if not isinstance(subject, str) or not is_identifier(subject):
            raise SignInRefused(NOT_LET_IN, f"the claim {self.subject_claim} names nobody")
        return person_elsewhere(self.issuer, subject)

    def _account(self, claims: dict[str, Any]) -> Account:
        subject = self._subject(claims)
        role = self._role(claims, subject)
        offices = texts_in(claims.get("offices", []))
        is_list = isinstance(claims.get("offices", []), list)
        # An empty list must not mean all offices, which is its meaning in an account.
        if offices is None or not is_list or ("offices" in claims and not offices):
            raise SignInRefused(NOT_LET_IN, "the claim offices is not a list of offices", subject)
        name = claims.get("preferred_username") or claims["sub"]
        if not isinstance(name, str):
            raise SignInRefused(NOT_LET_IN, "the claim preferred_username is not a text", subject)
        name = _account_name(name, subject)
        return Account(name, NO_PASSWORD, role, tuple(offices), self.clock(), subject=subject)

    def _role(self, claims: dict[str, Any], subject: str) -> Role:
        named = texts_in(claim_at(claims, self.role_claim)) or []
        roles: list[Role] = [
            role for role in get_args(Role) if f"{self.role_prefix}{role}" in named
        ]
        if not roles:
            cause = f"the claim {self.role_claim} has no role that begins with {self.role_prefix}"
            raise SignInRefused(NOT_LET_IN, cause, subject)
        if len(roles) == 1:
            return roles[0]
        first = next((role for name in self.role_order for role in roles if role == name), None)
        if first is None:
            cause = f"several roles ({', '.join(roles)}) and no order (TIDEGATE_OIDC_ROLE_ORDER)"
            raise SignInRefused(f"{NOT_LET_IN}: it names several roles for you", cause, subject)
        return first


def _account_name(wanted: str, subject: str) -> str:
    """Return a valid account name: NFKC, printable characters, single spaces, limited length.

    A digest of the subject keeps shortened names distinct.
    """
    composed = unicodedata.normalize("NFKC", wanted)
    shown = (" " if each.isspace() else each for each in composed)
    name = " ".join("".join(each for each in shown if each.isprintable()).split())
    digest = hashlib.sha256(subject.encode()).hexdigest()[:8]
    if not name:
        return f"person {digest}"
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 9]}-{digest}"


def _address_asking(address: str, query: dict[str, str]) -> str:
    """Return an address of the provider with a query; raises OidcUnavailable unless it is https."""
    try:
        refuse_unsafe(address)
    except AddressRefused:
        raise OidcUnavailable("the sign-in server names an address that is not https") from None
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _published_in(found: dict[str, Any]) -> Endpoints:
    try:
        return Endpoints.model_validate(found)
    except ValidationError:
        raise OidcUnavailable("the sign-in server does not say where it is asked") from None


def _unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
