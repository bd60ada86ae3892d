"""Access tokens: what is believed on both sides of each bound, and how often keys are asked for."""

import base64
import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey, RSAKey

from serving.access import tokens as module
from serving.access.callers import Caller
from serving.access.tokens import PublishedKeys, Tokens, VerifiedToken
from serving.errors import NotSignedIn
from tests.serving.access.trusted import KEY, NOW, Clock, published, signed

AT = int(NOW.timestamp())
CLAIMS = {"iss": "https://login.example", "aud": "tidegate", "sub": "post-7", "exp": AT + 600}
NOT_VALID, NO_TOKEN = "is not valid here", "send a live API key"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("serving.access.tokens.time.monotonic", clock)
    return clock


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    file.write_bytes(published(KEY))
    return file


@pytest.fixture
def tokens(jwks: Path) -> Tokens:
    return Tokens(PublishedKeys(str(jwks)), "tidegate", "https://login.example", lambda: NOW)


def believed(tokens: Tokens, **claims: Any) -> Caller:
    return tokens.caller(signed({**CLAIMS, **claims}))


def refuses(tokens: Tokens, **claims: Any) -> bool:
    with pytest.raises(NotSignedIn, match=NOT_VALID):
        believed(tokens, **claims)
    return True


def test_a_caller_is_who_a_token_names_with_what_it_allows(tokens: Tokens) -> None:
    everything = {
        "scope": "score explain other",
        "offices": ["DE004600", "DE002100"],
        "purposes": ["statistics"],
    }

    assert believed(tokens, **everything) == Caller(
        "jwt:post-7",
        "post-7",
        frozenset({"score", "explain"}),
        frozenset({"DE004600", "DE002100"}),
        frozenset({"statistics"}),
    )
    assert believed(tokens) == Caller("jwt:post-7", "post-7", frozenset(), frozenset())


def test_a_client_is_the_caller_before_a_subject(tokens: Tokens) -> None:
    assert believed(tokens, client_id="machine-1").name == "machine-1"
    assert believed(tokens, client_id="machine-1", sub=None).name == "machine-1"
    assert believed(tokens, client_id="").name == "post-7"
    assert refuses(tokens, sub=None)


def test_a_name_has_1_to_200_characters(tokens: Tokens) -> None:
    for length in (1, 200):
        assert believed(tokens, sub="x" * length).name == "x" * length
    for wrong in ("", "x" * 201):
        assert refuses(tokens, sub=wrong)
    assert refuses(tokens, client_id=["post-7"])


@pytest.mark.parametrize("name", ["offices", "purposes"])
def test_a_list_is_one_of_texts_or_not_there(tokens: Tokens, name: str) -> None:
    for wrong in ([], "DE004600", ["DE004600", 7], [7, "DE004600"], {"DE004600": 1}, 7):
        assert refuses(tokens, **{name: wrong})
    assert getattr(believed(tokens, **{name: ["one"]}), name) == {"one"}


def test_scopes_are_one_text(tokens: Tokens) -> None:
    assert refuses(tokens, scope=["score"])
    assert refuses(tokens, scope=7)
    assert believed(tokens, scope="").scopes == frozenset()


def test_clocks_may_be_half_a_minute_apart(tokens: Tokens) -> None:
    for times in ({"exp": AT - 29}, {"nbf": AT + 30}, {"iat": AT + 30}):
        assert believed(tokens, **times).name == "post-7"
    for times in ({"exp": AT - 30}, {"nbf": AT + 31}, {"iat": AT + 31}):
        assert refuses(tokens, **times)


@pytest.mark.parametrize("exp", [AT + 3_601, AT + 3_600.5, 10**12, 10**30, 1e300, "soon", True])
def test_a_token_lives_an_hour_at_most(tokens: Tokens, exp: Any) -> None:
    assert believed(tokens, exp=AT + 3_600).name == "post-7"
    assert refuses(tokens, exp=exp)


@pytest.mark.parametrize("claim", ["aud", "exp", "iss"])
def test_a_token_says_for_whom_it_is_and_until_when(tokens: Tokens, claim: str) -> None:
    assert refuses(tokens, **{claim: None})
    assert refuses(tokens, **{claim: "another"})


def test_where_no_issuer_is_wanted_any_whose_keys_are_taken_will_do(jwks: Path) -> None:
    tokens = Tokens(PublishedKeys(str(jwks)), "tidegate", None, lambda: NOW)

    for issuer in (None, "https://elsewhere.example"):
        assert believed(tokens, iss=issuer).name == "post-7"
    assert refuses(tokens, exp=None)


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519", "RS256"])
def test_a_token_may_be_signed_by(jwks: Path, tokens: Tokens, algorithm: str) -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa"}) if algorithm == "RS256" else KEY
    jwks.write_bytes(published(key))

    assert tokens.caller(signed(CLAIMS, key, algorithm)).name == "post-7"


def test_no_other_algorithm_is_taken(jwks: Path, tokens: Tokens) -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa"})
    jwks.write_bytes(published(key))

    for algorithm in ("PS256", "RS512"):
        with pytest.raises(NotSignedIn, match=NOT_VALID):
            tokens.caller(signed(CLAIMS, key, algorithm))


def test_what_is_no_token_is_refused_before_it_is_read(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.LONGEST_TOKEN == 8_192
    token = signed(CLAIMS)
    monkeypatch.setattr(module, "LONGEST_TOKEN", len(token))
    tokens.caller(token)
    monkeypatch.setattr(module, "LONGEST_TOKEN", len(token) - 1)

    for text in (token, "", "a.b", "a.b.c.d"):
        with pytest.raises(NotSignedIn, match=NO_TOKEN):
            tokens.caller(text)
    with pytest.raises(NotSignedIn, match=NOT_VALID):
        tokens.caller("a.b.c")


@pytest.mark.parametrize("header", [["alg"], {"alg": "EdDSA", "kid": "one", "crit": 7}])
def test_a_header_that_no_reader_expects_is_refused(tokens: Tokens, header: Any) -> None:
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")

    with pytest.raises(NotSignedIn, match=NOT_VALID):
        tokens.caller(f"{head}.e30.e30")


def test_a_token_is_remembered_until_it_ends(tokens: Tokens) -> None:
    token = signed(CLAIMS)
    assert tokens.remembered(token) is None

    caller = tokens.caller(token)

    assert [*tokens.believed] == [token]
    for ends_in_s, known in ((600, caller), (1, caller), (0, None), (-1, None)):
        tokens.believed[token] = VerifiedToken(
            caller, NOW.fromtimestamp(AT + ends_in_s, NOW.tzinfo)
        )
        assert tokens.remembered(token) == known


def test_a_remembered_token_ends_when_it_says(tokens: Tokens) -> None:
    tokens.caller(token := signed(CLAIMS))

    assert tokens.believed[token].ends_at.timestamp() == AT + 600


def test_what_was_believed_is_not_changed_in_place(tokens: Tokens) -> None:
    with pytest.raises(FrozenInstanceError):
        tokens.audience = "another"  # type: ignore[misc]  # what is tried
    tokens.caller(token := signed(CLAIMS))
    with pytest.raises(FrozenInstanceError):
        tokens.believed[token].ends_at = NOW  # type: ignore[misc]  # what is tried


def test_the_thousand_that_came_last_are_remembered(tokens: Tokens) -> None:
    old = VerifiedToken(Caller("", "", frozenset(), frozenset()), NOW)
    tokens.believed.update((str(number), old) for number in range(999))

    tokens.caller(first := signed(CLAIMS))
    assert len(tokens.believed) == 1_000
    tokens.caller(second := signed({**CLAIMS, "sub": "post-8"}))

    assert len(tokens.believed) == 1_000
    assert "0" not in tokens.believed
    assert {"1", first, second} <= tokens.believed.keys()


NEW = OKPKey.generate_key("Ed25519", {"kid": "new"})


def test_keys_are_read_again_after_five_minutes(clock: Clock, jwks: Path) -> None:
    keys = PublishedKeys(str(jwks))
    first = keys.current()
    jwks.write_bytes(published(NEW))

    clock.now_s += 300
    assert keys.current() is first
    clock.now_s += 0.5
    renewed = keys.current()
    assert renewed is not None
    assert [key.kid for key in renewed.keys] == ["new"]


def test_a_key_that_is_lacking_is_asked_for_every_ten_seconds(clock: Clock, jwks: Path) -> None:
    keys = PublishedKeys(str(jwks))
    first = keys.current(lacks=True)
    jwks.write_bytes(published(NEW))

    clock.now_s += 10
    assert keys.current(lacks=True) is first
    clock.now_s += 0.5
    assert keys.current() is first
    assert keys.current(lacks=True) is not first


def test_a_token_of_a_new_key_is_believed_once_keys_may_be_asked_for(
    clock: Clock, jwks: Path, tokens: Tokens
) -> None:
    believed(tokens)
    jwks.write_bytes(published(NEW))

    with pytest.raises(NotSignedIn, match=NOT_VALID):
        tokens.caller(signed(CLAIMS, NEW))
    clock.now_s += 11
    assert tokens.caller(signed(CLAIMS, NEW)).name == "post-7"


def test_a_key_that_is_known_is_not_asked_for(clock: Clock, jwks: Path, tokens: Tokens) -> None:
    believed(tokens)
    jwks.write_bytes(published(NEW))
    clock.now_s += 11

    assert believed(tokens, sub="post-8").name == "post-8"


BAD_KEYS = [
    b"\xff",
    b"{",
    b"7",
    b"[]",
    b"{}",
    b'{"keys": []}',
    b'{"keys": [{"kty": "OKP"}]}',
    b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}',
]


@pytest.mark.parametrize("content", BAD_KEYS)
def test_without_readable_keys_no_token_is_believed(
    jwks: Path, tokens: Tokens, content: bytes
) -> None:
    jwks.write_bytes(content)

    assert refuses(tokens)


@pytest.mark.parametrize("where", ["nowhere.json", "http://login.example/jwks"])
def test_keys_that_cannot_be_fetched_are_none(where: str) -> None:
    assert PublishedKeys(where).current() is None


@pytest.mark.parametrize("content", BAD_KEYS)
def test_the_last_known_keys_hold_until_others_can_be_read(
    clock: Clock, jwks: Path, tokens: Tokens, content: bytes
) -> None:
    believed(tokens)
    jwks.write_bytes(content)
    clock.now_s += 301

    assert believed(tokens, sub="post-8").name == "post-8"


@pytest.mark.parametrize("where", ["https://login.example/jwks", "http://127.0.0.1/jwks"])
def test_keys_of_an_address_are_fetched(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(module, "fetch", lambda at: fetched.append(at) or published(KEY))

    assert PublishedKeys(where).current() is not None
    assert fetched == [where]
