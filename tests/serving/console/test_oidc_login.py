"""Signing in with an account of one's organisation, over real HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from serving.access.accounts import admits, new_account
from serving.access.oidc import PendingLogin
from serving.app import create_app
from serving.settings import Settings
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.provider import SECRET, Organisation, organisation

AT = int(NOW.timestamp())


@pytest.fixture
def elsewhere() -> Iterator[Organisation]:
    with organisation() as told:
        told.now = AT
        yield told


@pytest.fixture
def signing(home: Path, elsewhere: Organisation) -> Iterator[Service]:
    settings = Settings(
        home=home, oidc_issuer=elsewhere.address, oidc_client_secret=SecretStr(SECRET)
    )
    app = create_app(settings, clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(client, app.state.services, home)


def begin(service: Service, to: str = "") -> str:
    """Leave for the organisation, say yes there, and get the address to come back to."""
    left = service.client.get("/console/oidc", params={"to": to}, follow_redirects=False)
    return str(httpx2.get(left.headers["Location"]).headers["Location"])


def sign_in(service: Service, to: str = "") -> Any:
    return service.client.get(begin(service, to))


def is_in(service: Service) -> bool:
    return bool(service.client.get("/console/queue").url.path == "/console/queue")


def test_whoever_their_organisation_names_is_let_in_with_the_role_it_says(
    signing: Service,
) -> None:
    page = sign_in(signing, "/console/supervision")

    assert page.status_code == 200
    assert 'content="0; url=/console/supervision"' in page.text
    assert is_in(signing)
    account = signing.services.accounts.find("maria")
    assert account is not None
    assert (account.role, account.offices) == ("reviewer", ())


def test_without_settings_nobody_signs_in_elsewhere(service: Service) -> None:
    assert "organisation" not in service.client.get("/console/sign-in").text
    assert service.client.get("/console/oidc").status_code == 404


def test_the_sign_in_page_offers_it_beside_local_accounts(signing: Service) -> None:
    assert "Sign in with your organisation" in signing.client.get("/console/sign-in").text
    signing.services.accounts.add_account(
        new_account("paul", "a password for tests", "auditor", (), NOW)
    )
    form = {"name": "paul", "password": "a password for tests"}
    assert signing.client.post("/console/sign-in", data=form, headers=ORIGIN).status_code == 200


def test_role_and_offices_are_those_of_the_newest_sign_in(
    signing: Service, elsewhere: Organisation
) -> None:
    sign_in(signing)
    elsewhere.claims = {"roles": ["tidegate-supervisor"], "offices": ["DE004600"]}
    sign_in(signing)

    account = signing.services.accounts.find("maria")
    assert account is not None
    assert (account.role, account.offices) == ("supervisor", ("DE004600",))


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": ["tidegate", "another"], "azp": "another"},
        {"iss": "https://elsewhere.example"},
        {"exp": AT - 3_600},
        {"exp": None},
        {"sub": None},
        {"roles": ["tidegate-reviewer", "tidegate-admin"]},
        {"roles": ["reviewer", "staff"]},
        {"roles": None},
        {"offices": []},
        {"offices": "DE004600"},
        {"preferred_username": "x" * 65},
        {"preferred_username": 7},
    ],
)
def test_an_answer_that_does_not_hold_lets_nobody_in(
    signing: Service, elsewhere: Organisation, claims: dict[str, Any]
) -> None:
    elsewhere.claims = claims

    assert sign_in(signing).status_code == 401
    assert not is_in(signing)
    assert signing.services.accounts.find("maria") is None


def test_a_token_that_another_signed_lets_nobody_in(
    signing: Service, elsewhere: Organisation
) -> None:
    elsewhere.signed_with = RSAKey.generate_key(2048, {"kid": "one"})

    assert sign_in(signing).status_code == 401


def test_an_answer_fits_only_the_browser_that_asked_and_only_once(signing: Service) -> None:
    address = begin(signing)
    own = signing.client.cookies["tidegate-away"]
    signing.client.cookies.clear()
    assert signing.client.get(address).status_code == 401

    begin(signing)
    assert signing.client.get(address).status_code == 401
    signing.client.cookies.clear()
    signing.client.cookies.set("tidegate-away", own)
    assert signing.client.get(address).status_code == 200
    assert signing.client.get(address).status_code == 401


def test_a_code_that_was_stolen_is_worth_nothing_without_the_verifier(signing: Service) -> None:
    code = parse_qs(urlsplit(begin(signing)).query)["code"][0]
    begin(signing)
    own = signing.client.cookies["tidegate-away"].partition(".")[0].strip('"')
    state = PendingLogin(own).part("state")

    answer = signing.client.get("/console/oidc/callback", params={"code": code, "state": state})

    assert answer.status_code == 401
    assert not is_in(signing)


def test_a_local_account_of_that_name_is_not_taken_over(signing: Service) -> None:
    signing.services.accounts.add_account(
        new_account("maria", "a password for tests", "admin", (), NOW)
    )

    assert sign_in(signing).status_code == 200
    assert [(each.name, each.role) for each in signing.services.accounts.all()] == [
        ("maria", "admin"),
        ("maria-2", "reviewer"),
    ]


def test_an_account_that_was_ended_here_stays_ended(signing: Service) -> None:
    sign_in(signing)
    signing.services.accounts.disable("maria", NOW)

    assert not is_in(signing)
    assert sign_in(signing).status_code == 401
    assert not is_in(signing)


def test_no_password_opens_an_account_from_elsewhere(signing: Service) -> None:
    sign_in(signing)
    account = signing.services.accounts.find("maria")

    for password in ("", "maria", "nobody has this password"):
        assert not admits(account, password)


def test_a_server_that_calls_itself_by_another_name_is_not_believed(
    signing: Service, elsewhere: Organisation
) -> None:
    elsewhere.issuer = "https://elsewhere.example"

    assert signing.client.get("/console/oidc").status_code == 503


def test_the_session_is_new_whatever_the_browser_brought(signing: Service) -> None:
    sign_in(signing)
    first = signing.client.cookies["tidegate"]
    sign_in(signing)

    assert signing.client.cookies["tidegate"] != first
    assert "tidegate-away" not in signing.client.cookies
