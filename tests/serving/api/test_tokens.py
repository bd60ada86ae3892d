"""Access tokens: the caller that a trusted server names, and nothing that anyone else does."""

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jws, jwt
from joserfc.jwk import KeySet, OKPKey, RSAKey

from serving.access.published_keys import PublishedKeys
from serving.access.tokens import Tokens
from serving.app import create_app
from serving.errors import NotSignedIn
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service

AT = int(NOW.timestamp())
CLAIMS = {
    "iss": "https://login.example",
    "aud": "tidegate",
    "sub": "post-7",
    "exp": AT + 600,
    "scope": "score explain other",
}
Signed = Callable[..., str]


@pytest.fixture(scope="module")
def keys() -> dict[str, Any]:
    return {
        "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
        "RS256": RSAKey.generate_key(2048, {"kid": "rsa"}),
    }


@pytest.fixture
def jwks(keys: dict[str, Any], tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    publish(file, *keys.values())
    return file


def publish(file: Path, *keys: Any) -> None:
    file.write_text(json.dumps(KeySet(list(keys)).as_dict(private=False)))


@pytest.fixture
def tokens(jwks: Path) -> Tokens:
    return Tokens(PublishedKeys(str(jwks)), "tidegate", "https://login.example", lambda: NOW)


def signed(key: Any, algorithm: str = "EdDSA", **claims: Any) -> str:
    content = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    header = {"alg": algorithm, "kid": key.kid}
    return jwt.encode(header, content, key, algorithms=[algorithm])


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
def test_a_trusted_token_names_its_caller(
    tokens: Tokens, keys: dict[str, Any], algorithm: str
) -> None:
    named = {"offices": ["A", "B"], "purposes": ["risk_assessment"]}
    caller = tokens.caller(signed(keys[algorithm], algorithm, **named))

    assert caller.key_id == "token:https://login.example|post-7"
    assert caller.scopes == {"score", "explain"}
    assert caller.offices == {"A", "B"}
    assert caller.purposes == {"risk_assessment"}


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"exp": AT - 60},
        {"exp": None},
        {"exp": AT + 86_400},
        {"nbf": AT + 600},
        {"sub": None},
        {"sub": 7},
        {"offices": "A"},
        {"offices": []},
        {"purposes": "risk_assessment"},
        {"purposes": []},
        {"purposes": [7]},
        {"scope": ["score"]},
    ],
    ids=str,
)
def test_a_token_with_wrong_claims_is_refused(
    tokens: Tokens, keys: dict[str, Any], claims: dict[str, Any]
) -> None:
    with pytest.raises(NotSignedIn):
        tokens.caller(signed(keys["EdDSA"], **claims))


def test_a_token_that_another_key_signed_is_refused(tokens: Tokens) -> None:
    with pytest.raises(NotSignedIn):
        tokens.caller(signed(OKPKey.generate_key("Ed25519", {"kid": "ed"})))


def test_a_public_key_used_as_a_shared_secret_is_refused(
    tokens: Tokens, keys: dict[str, Any]
) -> None:
    head = encoded(json.dumps({"alg": "HS256", "kid": "rsa"}).encode())
    signed_part = f"{head}.{encoded(json.dumps(CLAIMS).encode())}"
    secret = keys["RS256"].as_pem(private=False)
    mac = hmac.digest(secret, signed_part.encode(), "sha256")

    with pytest.raises(NotSignedIn):
        tokens.caller(f"{signed_part}.{encoded(mac)}")


def test_an_unsigned_or_altered_token_is_refused(tokens: Tokens, keys: dict[str, Any]) -> None:
    head, content, signature = signed(keys["EdDSA"]).split(".")
    unsigned = encoded(b'{"alg":"none"}')
    altered = encoded(json.dumps({**CLAIMS, "scope": "score explain review"}).encode())

    for token in (f"{unsigned}.{content}.", f"{head}.{altered}.{signature}", "a.b.c", "", "." * 9):
        with pytest.raises(NotSignedIn):
            tokens.caller(token)


def test_keys_may_be_exchanged_while_tokens_are_in_use(jwks: Path, keys: dict[str, Any]) -> None:
    published = PublishedKeys(str(jwks), rest_s=0.0)
    tokens = Tokens(published, "tidegate", None, lambda: NOW)
    tokens.caller(signed(keys["EdDSA"]))
    new = OKPKey.generate_key("Ed25519", {"kid": "new"})
    publish(jwks, new)

    assert tokens.caller(signed(new)).key_id == "token:https://login.example|post-7"
    with pytest.raises(NotSignedIn):
        tokens.caller(signed(keys["EdDSA"], sub="another"))


def test_without_the_key_server_the_last_known_keys_hold(jwks: Path, keys: dict[str, Any]) -> None:
    tokens = Tokens(PublishedKeys(str(jwks), fresh_for_s=0.0), "tidegate", None, lambda: NOW)
    tokens.caller(signed(keys["EdDSA"]))
    jwks.unlink()

    assert (
        tokens.caller(signed(keys["EdDSA"], sub="post-8")).key_id
        == "token:https://login.example|post-8"
    )


def test_forged_tokens_do_not_make_the_service_ask_for_keys_each_time(
    jwks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published, readings = PublishedKeys(str(jwks)), []
    read = published._read
    monkeypatch.setattr(published, "_read", lambda: (readings.append(1), read()))
    tokens = Tokens(published, "tidegate", None, lambda: NOW)

    for _ in range(5):
        with pytest.raises(NotSignedIn):
            tokens.caller(signed(OKPKey.generate_key("Ed25519", {"kid": "forged"})))

    assert len(readings) == 1


@pytest.fixture
def service(home: Path, jwks: Path) -> Iterator[Service]:
    app = create_app(Settings(home=home, token_keys=str(jwks)), clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(client, app.state.services, home)


def test_a_token_opens_what_its_scopes_and_offices_allow(
    service: Service, keys: dict[str, Any]
) -> None:
    def bearer(**claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {signed(keys['EdDSA'], **claims)}"}

    hamburg = bearer(scope="score", offices=["DE004600"])
    scored = service.score(shipment(office_id="DE004600"), hamburg)
    again = service.score(shipment(office_id="DE004600"), hamburg)
    elsewhere = bearer(sub="post-9", scope="score", offices=["DE002100"])
    address = scored.headers["Location"]

    assert (scored.status_code, again.status_code) == (200, 200)
    assert "contributions" not in scored.json()
    assert service.client.get(address, headers=hamburg).status_code == 200
    assert service.client.get(address, headers=elsewhere).status_code == 404
    assert service.score(shipment(office_id="DE004600"), elsewhere).status_code == 403
    assert service.client.get(f"{address}/explanation", headers=hamburg).status_code == 403
    assert service.client.get("/v1/models", headers=bearer(exp=AT - 60)).status_code == 401


@pytest.mark.parametrize("ends", ["1e30", "1e400", "NaN", "9" * 400, '"x"', "[]", "null"])
@pytest.mark.parametrize("subject", ['"machine"', r'"\ud800"', r'"\u0000"'])
def test_no_number_and_no_name_of_a_signed_token_makes_the_service_fail(
    tokens: Tokens, keys: dict[str, Any], ends: str, subject: str
) -> None:
    soon = str(int(NOW.timestamp()) + 60)
    for end in {ends, soon} if subject != '"machine"' else {ends}:
        claims = f'{{"sub":{subject},"scope":"score","exp":{end},'
        claims += '"aud":"tidegate","iss":"https://login.example"}'
        key = keys["EdDSA"]
        header = {"alg": "EdDSA", "kid": key.kid}
        token = jws.serialize_compact(header, claims.encode(), key, algorithms=["EdDSA"])
        with pytest.raises(NotSignedIn):
            tokens.caller(token)
