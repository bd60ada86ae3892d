"""Access tokens: what is believed on both sides of each bound, and how often keys are asked for."""

import base64
import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from serving.access import tokens as module
from serving.access.accounts import Account
from serving.access.callers import Caller
from serving.access.published_keys import PublishedKeys
from serving.access.tokens import Tokens, VerifiedToken
from serving.errors import NotSignedIn
from tests.serving.access.trusted import KEY, NOW, Clock, published, signed
from tests.serving.refusals import refused_with

AT = int(NOW.timestamp())
ISSUER = "https://login.example"
CLAIMS = {"iss": ISSUER, "aud": "tidegate", "sub": "post-7", "exp": AT + 600}
POST_7 = "token:https://login.example|post-7"
NOT_VALID, NO_TOKEN = "is not valid here", "send a live API key"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("serving.access.published_keys.time.monotonic", clock)
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
        POST_7,
        "post-7",
        frozenset({"score", "explain"}),
        frozenset({"DE004600", "DE002100"}),
        frozenset({"statistics"}),
    )
    assert believed(tokens) == Caller(POST_7, "post-7", frozenset(), frozenset())


def test_a_subject_is_the_caller_whatever_client_it_came_by(tokens: Tokens) -> None:
    """Else one person would be two by two programs."""
    callers = {
        believed(tokens, client_id=client).key_id for client in ("desktop-app", "mobile-app")
    }

    assert callers == {POST_7}
    assert believed(tokens, client_id="machine-1", sub=None).name == "machine-1"
    assert refuses(tokens, client_id="machine-1", sub="")
    assert refuses(tokens, sub=None)


def test_no_two_issuers_and_subjects_have_one_identity(jwks: Path) -> None:
    tokens = Tokens(PublishedKeys(str(jwks)), "tidegate", None, lambda: NOW)

    assert believed(tokens, sub="a|b").key_id == "token:https://login.example|a|b"
    assert refuses(tokens, iss="https://login.example|a", sub="b")
    assert refuses(tokens, iss=7)
    assert refuses(tokens, iss="x" * 401)


def test_a_name_has_1_to_200_characters(tokens: Tokens) -> None:
    for length in (1, 200):
        assert believed(tokens, sub="x" * length).name == "x" * length
    for wrong in ("", "x" * 201):
        assert refuses(tokens, sub=wrong)
    assert refuses(tokens, sub=None, client_id=["post-7"])
    for unprintable in ("a\x00b", "a\u202eb", "a\nb", 7, ["post-7"]):
        assert refuses(tokens, sub=unprintable)


@pytest.mark.parametrize("name", ["offices", "purposes"])
def test_a_list_is_one_of_texts_or_not_there(tokens: Tokens, name: str) -> None:
    wrong_ones = ([], "DE004600", ["DE004600", 7], [7, "DE004600"], {"DE004600": 1}, 7, ["a\x00"])
    for wrong in wrong_ones:
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


ABSURD = [10**12, 10**30, 1e300, -1e30, -1, float("inf"), float("nan"), "soon", True, [], 10**400]


@pytest.mark.parametrize("exp", [AT + 5_431, AT + 5_430.5, *ABSURD])
def test_a_token_lives_an_hour_and_a_half_at_most(tokens: Tokens, exp: Any) -> None:
    assert believed(tokens, exp=AT + 5_430).name == "post-7"
    assert refuses(tokens, exp=exp)


@pytest.mark.parametrize("claim", ["nbf", "iat", "auth_time"])
@pytest.mark.parametrize("value", ABSURD)
def test_a_time_that_is_none_is_refused(tokens: Tokens, claim: str, value: Any) -> None:
    assert refuses(tokens, **{claim: value})


def test_how_long_a_token_lives_is_a_setting(jwks: Path) -> None:
    short = Tokens(PublishedKeys(str(jwks)), "tidegate", ISSUER, lambda: NOW, longest_life_s=60)

    assert believed(short, exp=AT + 90).name == "post-7"
    assert refuses(short, exp=AT + 91)


@pytest.mark.parametrize(
    "named",
    [
        {"scope": "score explain"},
        {"scp": "score explain"},
        {"scp": ["score", "explain"]},
        {"scope": "tidegate/score api://tidegate/explain"},
        {"scp": ["api://tidegate/score", "tidegate/explain", "openid"]},
        {"roles": ["score", "explain"], "azp": "machine-1"},
        {"roles": "score", "scp": "explain", "appid": "machine-1"},
    ],
)
def test_scopes_are_named_as_each_server_names_them(tokens: Tokens, named: dict[str, Any]) -> None:
    assert believed(tokens, **named).scopes == {"score", "explain"}


@pytest.mark.parametrize("wrong", [7, {"score": 1}, ["score", 7]])
def test_scopes_in_no_known_shape_are_refused(tokens: Tokens, wrong: Any) -> None:
    assert refuses(tokens, scp=wrong)
    assert refuses(tokens, roles=wrong, azp="machine-1")


def test_roles_count_only_where_a_program_is_named_which_no_id_token_of_entra_does(
    tokens: Tokens,
) -> None:
    assert believed(tokens, roles=["score"]).scopes == frozenset()


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["score", "offline_access"]}}),
        (
            "resource_access.tidegate.roles",
            {"resource_access": {"tidegate": {"roles": ["score"]}, "other": {"roles": ["review"]}}},
        ),
        (
            r"resource_access.tide\.gate.roles",
            {"resource_access": {"tide.gate": {"roles": "score"}}},
        ),
        ("https://tidegate.example/roles", {"https://tidegate.example/roles": ["score"]}),
        ("realm_access.roles", {"realm_access": {"roles": ["tg:score"]}}),
    ],
)
def test_roles_are_found_where_a_path_leads(jwks: Path, path: str, claims: dict[str, Any]) -> None:
    keys = PublishedKeys(str(jwks))
    tokens = Tokens(
        keys, "tidegate", ISSUER, lambda: NOW, role_claim=path, scope_prefixes=("tg:", "tg")
    )

    assert believed(tokens, azp="machine-1", **claims).scopes == {"score"}
    assert believed(tokens, azp="machine-1", realm_access=7).scopes == frozenset()


AS_ENTRA = {"tid": "t-1", "azp": "c-1", "scp": "score", "sub": "u-1", "oid": "o-1", "ver": "2.0"}
AS_OKTA = {"cid": "c-1", "uid": "00u1", "scp": ["score", "openid"], "sub": "maria@example.org"}
AS_KEYCLOAK = {
    **{"azp": "c-1", "typ": "Bearer", "sub": "u-1", "scope": "openid profile", "sid": "s-1"},
    "preferred_username": "maria",
}
PERSONS = [AS_ENTRA, {**AS_ENTRA, "idtyp": "user"}, AS_OKTA, AS_KEYCLOAK]
PROGRAMS = [
    {**AS_ENTRA, "idtyp": "app"},
    {**AS_ENTRA, "scp": None, "roles": ["score"], "oid": "u-1"},
    {"appid": "c-1", "tid": "t-1", "sub": "u-1", "roles": ["score"]},
    {**AS_OKTA, "uid": None, "sub": "c-1"},
    {**AS_KEYCLOAK, "preferred_username": "service-account-c-1"},
    {**AS_KEYCLOAK, "preferred_username": None, "clientHost": "192.0.2.1", "client_id": "c-1"},
    {"gty": "client-credentials", "azp": "c-1", "sub": "x"},
    {"azp": "c-1", "sub": "x@clients"},
    {"client_id": "c-1", "sub": "c-1"},
    {"sub": "whoever names no program"},
]


@pytest.mark.parametrize("claims", PERSONS)
def test_a_token_of_a_person_is_theirs_as_their_sign_in_is(
    tokens: Tokens, claims: dict[str, Any]
) -> None:
    caller = believed(tokens, **claims)
    account = Account("m", "", "reviewer", (), NOW, subject=f"{ISSUER} {claims['sub']}")

    assert caller.person == account.caller().person == f"{ISSUER} {claims['sub']}"
    assert caller.actor.identity == f"token:{ISSUER}|{claims['sub']}"


@pytest.mark.parametrize("claims", PROGRAMS)
def test_a_token_of_a_program_is_no_persons(tokens: Tokens, claims: dict[str, Any]) -> None:
    assert believed(tokens, **claims).person == ""


def test_of_entra_id_one_person_has_one_object_id_by_whatever_client(jwks: Path) -> None:
    tokens = Tokens(PublishedKeys(str(jwks)), "tidegate", ISSUER, lambda: NOW, subject_claim="oid")
    by_two = [{**AS_ENTRA, "azp": azp, "sub": f"pairwise-{azp}"} for azp in ("c-1", "c-2")]

    assert {believed(tokens, **claims).person for claims in by_two} == {f"{ISSUER} o-1"}
    assert refuses(tokens, **{**AS_ENTRA, "oid": None, "client_id": "c-1"})


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
def test_an_access_token_says_that_it_is_one(tokens: Tokens, typ: str) -> None:
    assert tokens.caller(typed(typ)).name == "post-7"


@pytest.mark.parametrize(
    "typ", ["id+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "", 7, ["JWT"]]
)
def test_a_token_whose_header_says_another_kind_is_refused(tokens: Tokens, typ: Any) -> None:
    with pytest.raises(NotSignedIn, match=NOT_VALID):
        tokens.caller(typed(typ))


def typed(typ: Any, **claims: Any) -> str:
    """A token with a header that a library would not write, and texts that it would not."""
    head, content = ({"alg": "EdDSA", "kid": "one", "typ": typ}, {**CLAIMS, **claims})
    parts = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (head, content)
    ]
    signature = KEY.private_key.sign(b".".join(parts))
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@pytest.mark.parametrize("name", ["sub", "iss", "offices", "scope", "scp", "roles", "azp"])
def test_half_a_character_in_a_claim_names_nobody(tokens: Tokens, name: str) -> None:
    value = ["a\ud800"] if name == "offices" else "score \ud800"
    try:
        caller = tokens.caller(typed("JWT", **{name: value}))
    except NotSignedIn:
        return
    assert name in {"scope", "scp", "roles", "azp"}
    assert repr(caller).isprintable()


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "n"},
        {"at_hash": "h"},
        {"c_hash": "h"},
        {"typ": "ID"},
        {"typ": "Refresh"},
        {"typ": "Logout"},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    ],
)
def test_an_id_token_opens_nothing(tokens: Tokens, claims: dict[str, Any]) -> None:
    assert refuses(tokens, **claims)


def test_why_a_token_was_refused_is_for_operators_alone(
    tokens: Tokens, capsys: pytest.CaptureFixture[str]
) -> None:
    for claims, cause in (
        ({"exp": AT + 86_400}, "lives longer than"),
        ({"aud": "another"}, "aud"),
        ({"nonce": "n"}, "id_token"),
        ({"sub": "x" * 201}, "sub"),
    ):
        with pytest.raises(NotSignedIn) as refusal:
            believed(tokens, **claims)
        assert str(refusal.value) == "the access token is not valid here, or has ended"
        said = capsys.readouterr()
        assert cause in said.out + said.err


@pytest.mark.parametrize("claim", ["aud", "exp", "iss"])
def test_a_token_says_for_whom_it_is_and_until_when(tokens: Tokens, claim: str) -> None:
    assert refuses(tokens, **{claim: None})
    assert refuses(tokens, **{claim: "another"})


def test_where_no_issuer_is_wanted_any_whose_keys_are_taken_will_do(jwks: Path) -> None:
    tokens = Tokens(PublishedKeys(str(jwks)), "tidegate", None, lambda: NOW)

    for issuer in (None, "https://elsewhere.example"):
        assert believed(tokens, iss=issuer).name == "post-7"
    assert refuses(tokens, exp=None)


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519", "RS256", "PS256", "ES256"])
def test_a_token_may_be_signed_by(jwks: Path, tokens: Tokens, algorithm: str) -> None:
    made = {"R": RSAKey.generate_key(2048, {"kid": "rsa"}), "E": KEY}
    made |= {"P": made["R"]}
    key = ECKey.generate_key("P-256", {"kid": "ec"}) if algorithm == "ES256" else made[algorithm[0]]
    jwks.write_bytes(published(key))

    assert tokens.caller(signed(CLAIMS, key, algorithm)).name == "post-7"


def test_no_other_algorithm_is_taken(jwks: Path, tokens: Tokens) -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa"})
    jwks.write_bytes(published(key))

    for algorithm in ("PS384", "RS512"):
        with pytest.raises(NotSignedIn, match=NOT_VALID):
            tokens.caller(signed(CLAIMS, key, algorithm))


def test_what_is_no_token_is_refused_before_it_is_read(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.MAX_TOKEN_LENGTH == 8_192
    token = signed(CLAIMS)
    monkeypatch.setattr(module, "MAX_TOKEN_LENGTH", len(token))
    tokens.caller(token)
    monkeypatch.setattr(module, "MAX_TOKEN_LENGTH", len(token) - 1)

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
            caller, NOW.fromtimestamp(AT + ends_in_s, NOW.tzinfo), tokens.keys.known()
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


BAD_KEYS = [b"\xff", b"{", b"7", b"[]", b"{}", b'{"keys": 7}', b"[" * 100_000]
NO_KEYS = [
    b'{"keys": []}',
    b'{"keys": [7, {}, {"kty": "OKP"}]}',
    b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}',
    b'{"keys": [{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}]}',
    b'{"keys": [{"kty": "oct", "kid": "one", "k": "AAAA"}]}',
]


@pytest.mark.parametrize("content", NO_KEYS)
def test_without_keys_no_token_is_believed(jwks: Path, tokens: Tokens, content: bytes) -> None:
    jwks.write_bytes(content)

    assert refuses(tokens)


@pytest.mark.parametrize("content", BAD_KEYS)
def test_where_keys_were_never_read_a_token_is_neither_believed_nor_called_wrong(
    clock: Clock, jwks: Path, tokens: Tokens, content: bytes
) -> None:
    jwks.write_bytes(content)

    with refused_with("token-keys-unknown") as refusal:
        tokens.caller(signed(CLAIMS))
    assert (refusal.value.status, refusal.value.retry_after_s) == (503, 10)

    jwks.write_bytes(published(KEY))
    clock.now_s += 11
    assert believed(tokens).name == "post-7"


@pytest.mark.parametrize("content", BAD_KEYS)
def test_the_last_known_keys_hold_until_others_can_be_read(
    clock: Clock, jwks: Path, tokens: Tokens, content: bytes
) -> None:
    believed(tokens)
    jwks.write_bytes(content)
    clock.now_s += 301

    assert believed(tokens, sub="post-8").name == "post-8"

    clock.now_s += 86_400
    with refused_with("token-keys-unknown"):
        tokens.caller(signed({**CLAIMS, "sub": "post-9"}))


@pytest.mark.parametrize("content", [*NO_KEYS, published(NEW)])
def test_a_key_that_was_withdrawn_opens_nothing_once_the_set_is_read_again(
    clock: Clock, jwks: Path, tokens: Tokens, content: bytes
) -> None:
    token = signed(CLAIMS)
    tokens.caller(token)
    jwks.write_bytes(content)
    assert tokens.remembered(token) is not None

    clock.now_s += 301

    assert tokens.remembered(token) is None
    with pytest.raises(NotSignedIn, match=NOT_VALID):
        tokens.caller(token)
    assert tokens.remembered(token) is None
    jwks.write_bytes(published(KEY))
    clock.now_s += 301
    assert tokens.caller(token).name == "post-7"
    assert tokens.remembered(token) is not None


def test_a_forged_token_that_lets_keys_be_read_ends_those_of_withdrawn_keys_too(
    clock: Clock, jwks: Path, tokens: Tokens
) -> None:
    tokens.caller(token := signed(CLAIMS))
    jwks.write_bytes(published(NEW))
    clock.now_s += 11
    tokens.caller(signed(CLAIMS, NEW))

    assert tokens.remembered(token) is None
    with pytest.raises(NotSignedIn, match=NOT_VALID):
        tokens.caller(token)


def test_while_the_same_keys_are_published_a_token_stays_remembered(
    clock: Clock, jwks: Path, tokens: Tokens
) -> None:
    tokens.caller(token := signed(CLAIMS))
    clock.now_s += 301
    tokens.keys.current()
    assert tokens.remembered(token) is not None

    jwks.unlink()
    clock.now_s += 301
    assert tokens.remembered(token) is None
    tokens.keys.current()
    assert tokens.remembered(token) is not None


def test_one_key_that_is_not_understood_leaves_the_others_in_use(
    jwks: Path, tokens: Tokens
) -> None:
    others: list[Any] = [{"kty": "AKP", "kid": "pq"}, {"kty": "EC", "crv": "P-0"}]
    for each in others:
        content = json.loads(published(KEY))
        jwks.write_text(json.dumps({"keys": [each, *content["keys"]]}))
        fresh = Tokens(PublishedKeys(str(jwks)), "tidegate", ISSUER, lambda: NOW)
        assert believed(fresh).name == "post-7"


def test_a_key_for_encryption_signs_nothing(jwks: Path, tokens: Tokens) -> None:
    content = json.loads(published(KEY))
    jwks.write_text(json.dumps({"keys": [{**content["keys"][0], "use": "enc"}]}))

    assert refuses(tokens)
