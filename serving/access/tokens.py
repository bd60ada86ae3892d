"""OAuth2 access tokens: JWTs that an authorisation server signed for this service.

A token must be signed by a key of the configured set, name this audience (and issuer), expire, and
be an access token. Claims: the subject (`sub`, or the claim from the settings) is the caller;
`scope`, `scp` and a claim of roles grant scopes; `offices` lists the caller's offices and
`purposes` their purposes. A token never determines where its key is found. Sources: RFC 7519; RFC
8725; RFC 9068.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from serving.access.callers import Caller
from serving.access.claims import (
    OF_ID_TOKENS,
    Claims,
    claim_at,
    clients_of,
    has_possible_times,
    is_identifier,
    is_of_human,
    person_elsewhere,
    texts_in,
)
from serving.access.published_keys import PublishedKeys
from serving.access.roles import Scope
from serving.errors import NotSignedIn, Unavailable

log = structlog.get_logger(__name__)

ALGORITHMS = ["EdDSA", "Ed25519", "RS256", "PS256", "ES256"]
MAX_TOKEN_LENGTH = 8_192  # characters
# The longest lifetime with which Entra ID issues tokens.
MAX_LIFE_S = 5_400
CLOCKS_APART_S = 30
SCOPES: frozenset[str] = frozenset(get_args(Scope))
# Verified tokens in the cache, whose signature is not checked again.
REMEMBERED = 1_000
# Allowed `typ` values, if a header has one.
TYPES = {"jwt", "at+jwt", "application/at+jwt"}
MAX_ISSUER_LENGTH = 400  # characters


class _Refused(Exception):
    """A token is not accepted; the message gives operators the reason and quotes no token."""


@dataclass(frozen=True)
class VerifiedToken:
    """An accepted token: its caller, expiry, and the key set that verified it."""

    caller: Caller
    ends_at: datetime
    keys: KeySet | None = None


@dataclass(frozen=True)
class Tokens:
    """Verifier of tokens for one audience and, if given, one issuer.

    `scope_prefixes` may precede a scope, in addition to those derived from the audience;
    `role_claim` is a path to roles that also grant scopes.
    """

    keys: PublishedKeys
    audience: str
    issuer: str | None
    clock: Callable[[], datetime]
    longest_life_s: float = MAX_LIFE_S
    scope_prefixes: tuple[str, ...] = ()
    role_claim: str = "roles"
    subject_claim: str = "sub"
    believed: dict[str, VerifiedToken] = field(default_factory=dict)

    def remembered(self, token: str) -> Caller | None:
        """Return the caller of a token verified before that has not expired.

        Returns None once the keys are stale or changed, because the signature must be checked
        again.
        """
        found = self.believed.get(token)
        if found is None or found.keys is not self.keys.known():
            return None
        return found.caller if self.clock() < found.ends_at else None

    def caller(self, token: str) -> Caller:
        """Return the caller of a token.

        Raises NotSignedIn, which never gives the reason, or Unavailable.
        """
        if len(token) > MAX_TOKEN_LENGTH or token.count(".") != 2:
            raise NotSignedIn("send a live API key or an access token as `Authorization: Bearer …`")
        try:
            verified = self._verified(token, lacks=False)
        # The key may be new: try again after reading the published set.
        except _Refused:
            try:
                verified = self._verified(token, lacks=True)
            except _Refused as refusal:
                log.info("token_refused", cause=str(refusal))
                raise NotSignedIn("the access token is not valid here, or has ended") from None
        self._remember(token, verified)
        return verified.caller

    def _verified(self, token: str, *, lacks: bool) -> VerifiedToken:
        keys = self.keys.current(lacks=lacks)
        if keys is None:
            log.warning("token_keys_unknown")
            raise Unavailable(
                "the keys of the token server cannot be read: try again soon",
                code="token-keys-unknown",
            )
        try:
            found = jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise _Refused(f"no published key signed it ({type(error).__name__})") from None
        _refuse_other_kinds(found.header, found.claims)
        self._refuse_wrong_claims(found.claims)
        caller = self._caller(found.claims)
        ends_at = datetime.fromtimestamp(found.claims["exp"], self.clock().tzinfo)
        return VerifiedToken(caller, ends_at, keys)

    def _refuse_wrong_claims(self, claims: dict[str, Any]) -> None:
        """Raise _Refused unless audience, issuer and times are valid."""
        if not has_possible_times(claims):
            raise _Refused("a time in it is not a time")
        expected: dict[str, Any] = {"aud": {"essential": True, "value": self.audience}}
        expected["exp"] = {"essential": True}
        if self.issuer is not None:
            expected["iss"] = {"essential": True, "value": self.issuer}
        now = self.clock().timestamp()
        registry = jwt.JWTClaimsRegistry(now=int(now), leeway=CLOCKS_APART_S, **expected)
        try:
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _Refused(f"{type(error).__name__} {getattr(error, 'claim', '')}") from None
        # Claims can be integers of any size, so avoid converting them to float.
        if claims["exp"] > now + self.longest_life_s + CLOCKS_APART_S:
            raise _Refused(f"it lives longer than {self.longest_life_s / 60:g} minutes")

    def _caller(self, claims: dict[str, Any]) -> Caller:
        issuer, subject = claims.get("iss", ""), self._subject(claims)
        # The identity is `ISSUER|SUBJECT`. Without a bar in the issuer, it is unambiguous.
        if not isinstance(issuer, str) or len(issuer) > MAX_ISSUER_LENGTH or "|" in issuer:
            raise _Refused("its issuer is not an address")
        if not all(_is_named(claims, name) for name in ("offices", "purposes")):
            raise _Refused("offices or purposes are not a list of names")
        return Caller(
            f"token:{issuer}|{subject}",
            subject,
            self._scopes(claims),
            frozenset(claims.get("offices", [])),
            frozenset(claims.get("purposes", [])),
            person_elsewhere(issuer, subject) if is_of_human(claims, subject) else "",
        )

    def _subject(self, claims: dict[str, Any]) -> str:
        """Return the subject of a token; the client only if the token has no subject."""
        subject = claims.get(self.subject_claim if "sub" in claims else "client_id")
        if not isinstance(subject, str) or not is_identifier(subject):
            raise _Refused(f"its claim {self.subject_claim} names nobody")
        return subject

    def _scopes(self, claims: dict[str, Any]) -> frozenset[Scope]:
        """Return this service's scopes among those of a token, with their prefixes removed."""
        if not isinstance(claims.get("scope", ""), str):
            raise _Refused("its claim scope is not a text")
        delegated = texts_in(claims.get("scp"), split=True)
        # Roles count only with a named client: without one the token may be an id_token.
        roles = texts_in(claim_at(claims, self.role_claim)) if clients_of(claims) else []
        if delegated is None or roles is None:
            raise _Refused("its scopes or roles are neither a text nor a list of texts")
        named = {
            self._bare(name) for name in [*delegated, *roles, *claims.get("scope", "").split()]
        }
        return frozenset(SCOPES & named)  # type: ignore[arg-type]  # names of scopes alone

    def _bare(self, name: str) -> str:
        own = (f"{self.audience}/", f"api://{self.audience}/")
        for prefix in sorted({*own, *self.scope_prefixes}, key=len, reverse=True):
            if name.startswith(prefix):
                return name.removeprefix(prefix)
        return name

    def _remember(self, token: str, verified: VerifiedToken) -> None:
        # The oldest entries go first, so that the cache stays small under many tokens.
        while len(self.believed) >= REMEMBERED:
            self.believed.pop(next(iter(self.believed)), None)
        self.believed[token] = verified


def _refuse_other_kinds(header: Claims, claims: Claims) -> None:
    """Raise _Refused for other tokens with the same signer: id_tokens and logout tokens."""
    named = header.get("typ")
    if named is not None and (not isinstance(named, str) or named.lower() not in TYPES):
        raise _Refused("its header names another kind of token")
    # Keycloak states the kind of token here.
    if str(claims.get("typ", "Bearer")).lower() != "bearer":
        raise _Refused("its claim typ names another kind of token")
    if "events" in claims or any(name in claims for name in OF_ID_TOKENS):
        raise _Refused("it is an id_token or a logout token")


def _is_named(claims: dict[str, Any], name: str) -> bool:
    """Return whether a list is absent or valid; an empty one must not mean "all"."""
    if name not in claims:
        return True
    claim = claims[name]
    return isinstance(claim, list) and bool(claim) and all(is_identifier(each) for each in claim)
