"""Signing in elsewhere: what is asked, and which answers are believed, on both sides of each bound.

`tests/serving/console/test_oidc_login.py` does the same over real HTTP, with a browser's cookies.
"""

import base64
import hashlib
import hmac
import io
import json
from dataclasses import FrozenInstanceError, dataclass, field, replace
from email.message import Message
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from serving.access import oidc
from serving.access.accounts import Account
from serving.access.errors import AddressRefused, OidcUnavailable, SignInRefused
from serving.access.oidc import PendingLogin, Provider
from serving.errors import NotSignedIn
from tests.serving.access.trusted import KEY, NOW, Clock, published, signed

AT = int(NOW.timestamp())
ISSUER = "https://login.example"
BACK = "https://tidegate.example/console/oidc/callback"
AWAY = PendingLogin("a secret of the browser")
NOT_LET_IN, NOT_CONFIRMED = "does not let you in here", "does not confirm this sign-in"
ENDPOINTS = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}


@dataclass
class Elsewhere:
    """What the organisation's server answers to each address, and what it was asked."""

    clock: Clock = field(default_factory=Clock)
    claims: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: KEY)
    algorithm: str = "EdDSA"
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, bytes | None, dict[str, str]]] = field(default_factory=list)

    def fetch(
        self, address: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        """Stands where calls are made."""
        self.asked.append((address, body, headers or {}))
        path = urlsplit(address).path
        answer = self.answers.get(path, self._usual(path))
        if isinstance(answer, Exception):
            raise answer
        return bytes(answer)

    def _usual(self, path: str) -> bytes:
        if path == "/jwks":
            return published(self.key)
        return json.dumps({"id_token": self.token()} if path == "/token" else ENDPOINTS).encode()

    def token(self) -> str:
        """An id_token as its claims have it now."""
        usual = {
            "iss": ISSUER,
            "aud": "tidegate",
            "sub": "u-1",
            "iat": AT,
            "exp": AT + 300,
            "nonce": AWAY.part("nonce"),
            "preferred_username": "maria",
            "roles": ["staff", "tidegate-reviewer"],
        }
        return signed({**usual, **self.claims}, self.key, self.algorithm)

    def count(self, path: str) -> int:
        """How often something was asked."""
        return sum(urlsplit(address).path == path for address, _, _ in self.asked)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    elsewhere = Elsewhere()
    monkeypatch.setattr("serving.access.oidc.fetch", elsewhere.fetch)
    monkeypatch.setattr("serving.access.published_keys.fetch", elsewhere.fetch)
    monkeypatch.setattr("serving.access.published_keys.time.monotonic", elsewhere.clock)
    return elsewhere


@pytest.fixture
def provider() -> Provider:
    return Provider(ISSUER, "tidegate", "a secret", "roles", "tidegate-", lambda: NOW)


def back(provider: Provider) -> Account:
    """Whoever comes back with the code and the state that were given."""
    return provider.sign_in(AWAY, AWAY.part("state"), "code-1", BACK).account


def refuses(provider: Provider, why: str = NOT_LET_IN) -> bool:
    with pytest.raises(NotSignedIn, match=why):
        back(provider)
    return True


def failed(status: int) -> HTTPError:
    return HTTPError(ISSUER, status, "", Message(), io.BytesIO())


def unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def test_what_others_see_is_made_of_the_secret_and_differs_by_purpose() -> None:
    state, nonce, verifier = (AWAY.part(each) for each in ("state", "nonce", "verifier"))

    assert state == unpadded(hmac.digest(AWAY.secret.encode(), b"state", "sha256"))
    assert len({state, nonce, verifier, AWAY.challenge}) == 4
    assert AWAY.challenge == unpadded(hashlib.sha256(verifier.encode()).digest())


def test_a_secret_is_256_random_bits() -> None:
    one, other = PendingLogin.begin(), PendingLogin.begin()

    assert one != other
    assert len(base64.urlsafe_b64decode(one.secret + "=")) == 32
    with pytest.raises(FrozenInstanceError):
        one.secret = ""  # type: ignore[misc]  # what is tried


@pytest.mark.usefixtures("elsewhere")
def test_a_browser_is_sent_away_with_what_the_server_needs(provider: Provider) -> None:
    address = urlsplit(provider.address(AWAY, BACK))

    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{ISSUER}/authorize"
    assert parse_qs(address.query, strict_parsing=True) == {
        "response_type": ["code"],
        "scope": ["openid profile"],
        "client_id": ["tidegate"],
        "redirect_uri": [BACK],
        "state": [AWAY.part("state")],
        "nonce": [AWAY.part("nonce")],
        "code_challenge": [AWAY.challenge],
        "code_challenge_method": ["S256"],
    }


def test_an_address_that_asks_something_already_is_asked_more(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    asking = {**ENDPOINTS, "authorization_endpoint": f"{ISSUER}/authorize?realm=staff"}
    elsewhere.answers["/.well-known/openid-configuration"] = json.dumps(asking).encode()

    address = provider.address(AWAY, BACK)

    assert address.startswith(f"{ISSUER}/authorize?realm=staff&response_type=code&")


def test_a_code_is_exchanged_with_what_proves_who_began(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    elsewhere.claims = {"aud": "tide/gate"}
    back(replace(provider, client_id="tide/gate", client_secret="a:b/c"))

    ((body, headers),) = [rest for address, *rest in elsewhere.asked if address.endswith("token")]
    assert parse_qs((body or b"").decode(), strict_parsing=True) == {
        "grant_type": ["authorization_code"],
        "code": ["code-1"],
        "redirect_uri": [BACK],
        "client_id": ["tide/gate"],
        "code_verifier": [AWAY.part("verifier")],
    }
    assert headers == {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": "Basic " + base64.b64encode(b"tide%2Fgate:a%3Ab%2Fc").decode(),
    }


def test_without_a_secret_of_the_client_none_is_sent(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    back(replace(provider, client_secret=None))

    assert all("Authorization" not in headers for _, _, headers in elsewhere.asked)


@pytest.mark.usefixtures("elsewhere")
def test_whoever_comes_back_has_the_account_that_is_named(provider: Provider) -> None:
    assert back(provider) == Account("maria", "", "reviewer", (), NOW, subject=f"{ISSUER} u-1")


def test_offices_and_a_role_alone_are_taken_as_they_are_named(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    elsewhere.claims = {"offices": ["DE004600", "DE002100"], "roles": "tidegate-auditor"}

    account = back(provider)

    assert (account.role, account.offices) == ("auditor", ("DE004600", "DE002100"))


@pytest.mark.parametrize(("state", "code"), [("", "code-1"), ("other", "code-1"), (None, "")])
def test_what_was_not_begun_here_is_not_looked_into(
    provider: Provider, elsewhere: Elsewhere, state: str | None, code: str
) -> None:
    state = AWAY.part("state") if state is None else state

    with pytest.raises(NotSignedIn, match="was not begun here"):
        provider.sign_in(AWAY, state, code, BACK)
    with pytest.raises(NotSignedIn, match="was not begun here"):
        provider.sign_in(AWAY, AWAY.part("nonce"), code, BACK)
    assert elsewhere.asked == []


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "nonce", "sub"])
def test_an_answer_without_a_claim_lets_nobody_in(
    provider: Provider, elsewhere: Elsewhere, claim: str
) -> None:
    elsewhere.claims = {claim: None}
    assert refuses(provider)
    elsewhere.claims = {claim: {"another": 1}}
    assert refuses(provider)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": f"{ISSUER}/"},
        {"aud": "another"},
        {"aud": ["tidegate"], "azp": "another"},
        {"nonce": AWAY.part("state")},
        {"exp": AT - 30},
        {"iat": AT + 31},
        {"nbf": AT + 31},
        {"roles": None},
        {"roles": []},
        {"roles": {"tidegate-reviewer": True}, "offices": 7},
        {"roles": ["reviewer"]},
        {"roles": ["tidegate-reviewer", "tidegate-admin"]},
        {"preferred_username": 7},
        {"preferred_username": ["maria"]},
        {"preferred_username": None, "sub": ""},
        {"sub": "x" * 201},
        {"sub": "a\x00b"},
        {"exp": 1e30},
        {"nbf": -1e30},
        {"auth_time": float("inf")},
        {"typ": "Bearer"},
        {"typ": "Logout"},
        {"offices": []},
        {"offices": "DE004600"},
        {"offices": {"DE004600": 1}},
        {"offices": ["DE004600", 7]},
        {"offices": [7, "DE004600"]},
    ],
)
def test_a_wrong_claim_lets_nobody_in(
    provider: Provider, elsewhere: Elsewhere, claims: dict[str, Any]
) -> None:
    elsewhere.claims = claims

    assert refuses(provider)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"aud": ["another", "tidegate"], "azp": "tidegate"}, "maria"),
        ({"exp": AT - 29, "iat": AT + 30, "nbf": AT + 30}, "maria"),
        ({"preferred_username": "x"}, "x"),
        ({"preferred_username": "x" * 64}, "x" * 64),
        ({"preferred_username": None}, "u-1"),
        ({"preferred_username": ""}, "u-1"),
        ({"typ": "ID", "auth_time": AT}, "maria"),
        ({"preferred_username": " Maria \n  da\u202e Silva\x00 "}, "Maria da Silva"),
        ({"preferred_username": "ｍａｒｉａ"}, "maria"),
        ({"preferred_username": "\u202e\x00"}, "person c0086a75"),
    ],
)
def test_what_is_just_right_lets_in(
    provider: Provider, elsewhere: Elsewhere, claims: dict[str, Any], name: str
) -> None:
    elsewhere.claims = claims

    assert back(provider).name == name


def test_a_long_name_is_cut_and_told_apart_by_who_it_is(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    names = []
    for sub in ("u-1", "u-2"):
        elsewhere.claims = {"preferred_username": f"{'x' * 65}@customs.example", "sub": sub}
        names.append(back(provider).name)

    assert {len(name) for name in names} == {64}
    assert len(set(names)) == 2
    assert names[0].startswith("x" * 55 + "-")


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["offline", "tidegate-auditor"]}}),
        (
            r"resource_access.tide\.gate.roles",
            {"resource_access": {"tide.gate": {"roles": ["tidegate-auditor"]}}},
        ),
        ("https://tidegate.example/role", {"https://tidegate.example/role": "tidegate-auditor"}),
    ],
)
def test_roles_are_found_where_a_path_leads(
    provider: Provider, elsewhere: Elsewhere, path: str, claims: dict[str, Any]
) -> None:
    elsewhere.claims = claims

    assert back(replace(provider, role_claim=path)).role == "auditor"


def test_of_several_roles_the_first_of_a_stated_order_counts(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    elsewhere.claims = {"roles": ["tidegate-reviewer", "tidegate-admin", "tidegate-auditor"]}

    assert back(replace(provider, role_order=("supervisor", "admin", "reviewer"))).role == "admin"
    assert refuses(replace(provider, role_order=("supervisor",)), "several roles")


def test_who_somebody_is_may_stand_in_another_claim(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    by_object = replace(provider, subject_claim="oid")
    elsewhere.claims = {"oid": "o-1"}
    assert back(by_object).subject == f"{ISSUER} o-1"
    elsewhere.claims = {}
    assert refuses(by_object)


@pytest.mark.parametrize(
    ("claims", "cause"),
    [
        ({"roles": ["staff"]}, "the claim roles has no role that begins with tidegate-"),
        ({"roles": ["tidegate-admin", "tidegate-auditor"]}, "several roles (auditor, admin)"),
        ({"offices": "DE004600"}, "offices"),
        ({"aud": "another"}, "aud"),
        ({"exp": AT - 3_600}, "Expired"),
        ({"nonce": "another"}, "nonce"),
        ({"aud": ["tidegate"], "azp": "another"}, "azp"),
    ],
)
def test_a_refusal_has_a_cause_that_no_page_tells(
    provider: Provider, elsewhere: Elsewhere, claims: dict[str, Any], cause: str
) -> None:
    elsewhere.claims = claims
    with pytest.raises(SignInRefused) as refusal:
        back(provider)

    assert cause in refusal.value.cause
    assert cause not in str(refusal.value)


def test_what_a_server_publishes_is_read_again_before_anybody_is_sent_to_it(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    provider.address(AWAY, BACK)
    elsewhere.clock.now_s += 60
    provider.address(AWAY, BACK)
    assert elsewhere.count("/.well-known/openid-configuration") == 1

    moved = {**ENDPOINTS, "authorization_endpoint": f"{ISSUER}/moved"}
    elsewhere.answers["/.well-known/openid-configuration"] = json.dumps(moved).encode()
    elsewhere.clock.now_s += 1
    assert provider.address(AWAY, BACK).startswith(f"{ISSUER}/moved?")

    elsewhere.answers["/.well-known/openid-configuration"] = URLError("no route")
    elsewhere.clock.now_s += 61
    for _ in range(3):
        with pytest.raises(OidcUnavailable):
            provider.address(AWAY, BACK)
    assert elsewhere.count("/.well-known/openid-configuration") == 3
    assert back(provider).name == "maria"  # whoever is on the way back still comes in

    del elsewhere.answers["/.well-known/openid-configuration"]
    elsewhere.clock.now_s += 6
    assert provider.address(AWAY, BACK).startswith(f"{ISSUER}/authorize?")


def test_after_a_failure_what_a_server_publishes_is_read_again(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    back(provider)
    elsewhere.answers["/token"] = URLError("no route")
    with pytest.raises(OidcUnavailable):
        back(provider)
    del elsewhere.answers["/token"]
    moved = {**ENDPOINTS, "token_endpoint": f"{ISSUER}/moved/token"}
    elsewhere.answers["/.well-known/openid-configuration"] = json.dumps(moved).encode()
    elsewhere.answers["/moved/token"] = json.dumps({"id_token": elsewhere.token()}).encode()

    assert back(provider).name == "maria"
    assert elsewhere.count("/moved/token") == 1


@pytest.mark.parametrize("address", ["http://login.example/authorize", "javascript:alert(1)"])
def test_nobody_is_sent_where_no_tls_is(
    provider: Provider, elsewhere: Elsewhere, address: str
) -> None:
    unsafe = {**ENDPOINTS, "authorization_endpoint": address, "end_session_endpoint": address}
    elsewhere.answers["/.well-known/openid-configuration"] = json.dumps(unsafe).encode()

    with pytest.raises(OidcUnavailable):
        provider.address(AWAY, BACK)
    with pytest.raises(OidcUnavailable):
        provider.end_address(None, BACK)


def test_a_session_is_ended_at_the_server_by_its_token_or_by_the_client(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    assert provider.end_address("a.b.c", BACK) is None
    ending = {**ENDPOINTS, "end_session_endpoint": f"{ISSUER}/end"}
    elsewhere.answers["/.well-known/openid-configuration"] = json.dumps(ending).encode()
    elsewhere.clock.now_s += 3_601

    for token in ("a.b.c", None):
        address = urlsplit(provider.end_address(token, BACK) or "")
        asked = {"client_id": ["tidegate"], "post_logout_redirect_uri": [BACK]}
        hint = {"id_token_hint": [token]} if token else {}
        assert parse_qs(address.query, strict_parsing=True) == {**asked, **hint}


LOGOUT = {"events": {oidc.LOGOUT: {}}, "nonce": None, "jti": "j-1"}


def test_a_logout_token_names_whose_sessions_end(provider: Provider, elsewhere: Elsewhere) -> None:
    elsewhere.claims = LOGOUT
    assert provider.ended_subject(elsewhere.token()) == f"{ISSUER} u-1"
    for wrong in (
        {"events": {}},
        {"events": {"https://schemas.example/event/risk": {}}},
        {"events": "logout"},
        {"events": None},
        {"nonce": "n"},
        {"iat": AT - 301},
        {"iat": None},
        {"aud": "another"},
        {"iss": "https://elsewhere.example"},
        {"sub": None},
    ):
        elsewhere.claims = {**LOGOUT, **wrong}
        with pytest.raises(SignInRefused):
            provider.ended_subject(elsewhere.token())
    for text in ("", "a.b.c"):
        with pytest.raises(SignInRefused):
            provider.ended_subject(text)


def test_a_token_has_so_many_characters_at_most(
    provider: Provider, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert oidc.MAX_ID_TOKEN_LENGTH == 16_384
    length = len(elsewhere.token())

    monkeypatch.setattr(oidc, "MAX_ID_TOKEN_LENGTH", length)
    assert back(provider).name == "maria"
    monkeypatch.setattr(oidc, "MAX_ID_TOKEN_LENGTH", length - 1)
    assert refuses(provider)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", RSAKey.generate_key(2048, {"kid": "rsa"})),
        ("PS256", RSAKey.generate_key(2048, {"kid": "rsa"})),
        ("ES256", ECKey.generate_key("P-256", {"kid": "ec"})),
        ("EdDSA", KEY),
        ("Ed25519", KEY),
    ],
)
def test_an_answer_may_be_signed_by(
    provider: Provider, elsewhere: Elsewhere, algorithm: str, key: Any
) -> None:
    elsewhere.key, elsewhere.algorithm = key, algorithm
    assert back(provider).name == "maria"


def test_no_other_algorithm_is_taken(provider: Provider, elsewhere: Elsewhere) -> None:
    elsewhere.key, elsewhere.algorithm = RSAKey.generate_key(2048, {"kid": "rsa"}), "PS384"
    assert refuses(provider)


NEW = OKPKey.generate_key("Ed25519", {"kid": "new"})


def test_keys_may_be_exchanged_and_are_asked_for_when_one_is_lacking(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    back(provider)
    elsewhere.clock.now_s += 11
    back(provider)
    assert elsewhere.count("/jwks") == 1
    elsewhere.key = NEW

    assert back(provider).name == "maria"
    assert elsewhere.count("/jwks") == 2
    assert elsewhere.count("/.well-known/openid-configuration") == 1


@pytest.mark.parametrize("answer", [b"{}", URLError("no route")])
def test_without_keys_nobody_is_let_in(
    provider: Provider, elsewhere: Elsewhere, answer: Any
) -> None:
    elsewhere.answers["/jwks"] = answer

    assert refuses(provider)


NO_HEADER = unpadded(b'["alg"]') + ".e30.e30"


@pytest.mark.parametrize("token", ["a.b.c", NO_HEADER, 7, None, "", []])
def test_what_is_no_token_lets_nobody_in(
    provider: Provider, elsewhere: Elsewhere, token: Any
) -> None:
    elsewhere.answers["/token"] = json.dumps({"id_token": token}).encode()

    assert refuses(provider)


def test_an_answer_that_is_no_object_has_no_token(provider: Provider, elsewhere: Elsewhere) -> None:
    for answer in (b"[]", b"7", b'"id_token"'):
        elsewhere.answers["/token"] = answer
        assert refuses(provider)


def test_a_code_that_the_server_does_not_know_is_not_confirmed(
    provider: Provider, elsewhere: Elsewhere
) -> None:
    for status in (400, 401):
        elsewhere.answers["/token"] = failed(status)
        assert refuses(provider, NOT_CONFIRMED)


@pytest.mark.parametrize(
    "answer",
    [
        failed(399),
        failed(402),
        failed(500),
        URLError("no route"),
        TimeoutError(),
        AddressRefused("not sent"),
        b"<html>",
    ],
)
@pytest.mark.parametrize("path", ["/token", "/.well-known/openid-configuration"])
def test_a_server_that_fails_is_unavailable(
    provider: Provider, elsewhere: Elsewhere, path: str, answer: Any
) -> None:
    elsewhere.answers[path] = answer

    with pytest.raises(OidcUnavailable, match="does not answer as it should"):
        back(provider)


@pytest.mark.parametrize("status", [400, 401])
def test_a_server_that_knows_no_such_page_is_unavailable(
    provider: Provider, elsewhere: Elsewhere, status: int
) -> None:
    elsewhere.answers["/.well-known/openid-configuration"] = failed(status)

    with pytest.raises(OidcUnavailable, match="does not answer as it should"):
        back(provider)


@pytest.mark.parametrize("lacking", [*ENDPOINTS, "everything"])
def test_a_server_that_does_not_say_where_it_is_asked_is_unavailable(
    provider: Provider, elsewhere: Elsewhere, lacking: str
) -> None:
    told = {name: value for name, value in ENDPOINTS.items() if name != lacking}
    content: Any = [] if lacking == "everything" else told
    elsewhere.answers["/.well-known/openid-configuration"] = json.dumps(content).encode()

    with pytest.raises(OidcUnavailable, match="does not say where it is asked"):
        back(provider)


def test_a_server_goes_by_its_own_name(provider: Provider, elsewhere: Elsewhere) -> None:
    with pytest.raises(OidcUnavailable, match="calls itself by another name"):
        back(replace(provider, issuer=f"{ISSUER}/"))

    address, *_ = elsewhere.asked[0]
    assert address == f"{ISSUER}/.well-known/openid-configuration"
