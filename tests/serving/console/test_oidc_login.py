"""Signing in with an account of one's organisation, over real HTTP."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from serving.access.accounts import admits, new_account
from serving.access.oidc import PendingLogin, Provider
from serving.access.sign_in_threads import SignInThreads
from serving.app import create_app
from serving.console.provider_logout import remember_provider_session
from serving.errors import NotSignedIn
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.tables.audit import audit_events
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.provider import SECRET, Organisation, organisation
from tests.serving.test_degraded_modes import wait_until

AT = int(NOW.timestamp())


@pytest.fixture
def elsewhere() -> Iterator[Organisation]:
    with organisation() as told:
        told.now = AT
        yield told


@pytest.fixture
def signing(home: Path, elsewhere: Organisation) -> Iterator[Service]:
    settings = Settings(
        home=home,
        oidc_issuer=elsewhere.address,
        oidc_client_secret=SecretStr(SECRET),
        trusted_hosts=("testserver",),
    )
    app = create_app(settings, clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(client, app.state.services, home)


def begin(service: Service, to: str = "", **asked: str) -> str:
    """Leave for the organisation, say yes there, and get the address to come back to."""
    left = service.client.get("/console/oidc", params={"to": to, **asked}, follow_redirects=False)
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


def reopen(service: Service) -> Any:
    """Send a form that asks for a recent proof."""
    session = service.services.sessions.find(service.client.cookies["tidegate"], NOW)
    form = {"form_token": session.form_token if session else "", "text": "as <b>they</b> say"}
    return service.client.post("/console/cases/01J/reopen", data=form, headers=ORIGIN)


@pytest.mark.parametrize(("asked_before_s", "is_asked"), [(0, False), (3600, True), (None, True)])
def test_whoever_was_not_asked_lately_at_their_organisation_is_asked_before_acts_that_harm(
    signing: Service, elsewhere: Organisation, asked_before_s: int | None, is_asked: bool
) -> None:
    """A server that lets somebody in by a session of its own has asked nobody."""
    elsewhere.claims["auth_time"] = None if asked_before_s is None else AT - asked_before_s
    sign_in(signing)

    page = reopen(signing)

    assert is_in(signing)
    assert ("Is it you?" in page.text) == is_asked
    assert ("/console/oidc?again=true" in page.text) == is_asked
    assert ("as &lt;b&gt;they&lt;/b&gt; say</textarea>" in page.text) == is_asked


def test_whoever_proves_again_who_they_are_is_asked_by_their_organisation_now(
    signing: Service, elsewhere: Organisation
) -> None:
    elsewhere.claims["auth_time"] = AT - 3600
    sign_in(signing)
    before = signing.client.cookies["tidegate"]
    for told in (AT - 3600, None):  # it let them in again without a question
        elsewhere.claims["auth_time"] = told
        refused = signing.client.get(begin(signing, again="true"))
        assert refused.status_code == 401
        assert "did not ask you" in refused.text
        assert signing.client.cookies["tidegate"] == before
        assert "auth_time" in refusals(signing)[-1][1]
    assert "Is it you?" in reopen(signing).text

    elsewhere.claims["auth_time"] = AT
    signing.client.get(begin(signing, again="true"))

    assert "Is it you?" not in reopen(signing).text


def test_signing_in_is_left_to_the_organisation_and_proving_again_is_not(signing: Service) -> None:
    for asked, told in (({}, None), ({"again": "true"}, ["login"])):
        left = signing.client.get("/console/oidc", params=asked, follow_redirects=False)
        query = parse_qs(urlsplit(left.headers["Location"]).query)
        assert query.get("prompt") == told
        assert query.get("max_age") == (told and ["0"])


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
        ("maria +2", "reviewer"),
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


AS_ENTRA_ID = {
    **{"ver": "2.0", "tid": "t-1", "oid": "o-1", "sub": "pairwise", "rh": "0.x", "uti": "y"},
    **{
        "preferred_username": "maria@customs.example",
        "name": "Maria",
        "roles": ["tidegate-auditor"],
    },
}
AS_OKTA = {
    **{"ver": 1, "sub": "00u1", "idp": "00o1", "amr": ["pwd", "mfa"], "auth_time": AT},
    **{"at_hash": "h", "preferred_username": "maria@customs.example", "roles": None},
    "groups": ["Everyone", "tidegate-auditor"],
}
AS_KEYCLOAK = {
    **{"typ": "ID", "azp": "tidegate", "sid": "s-1", "acr": "1", "at_hash": "h", "auth_time": AT},
    **{"preferred_username": "maria", "email_verified": True, "roles": None},
    "realm_access": {"roles": ["default-roles-customs", "tidegate-auditor"]},
}


@pytest.mark.parametrize(
    ("claims", "settings", "subject"),
    [
        (AS_ENTRA_ID, {"subject_claim": "oid"}, "o-1"),
        (AS_OKTA, {"oidc_role_claim": "groups"}, "00u1"),
        (AS_KEYCLOAK, {"oidc_role_claim": "realm_access.roles"}, "u-1"),
    ],
    ids=["Entra ID", "Okta", "Keycloak"],
)
def test_people_of_every_provider_come_in_and_go_out(
    home: Path,
    elsewhere: Organisation,
    claims: dict[str, Any],
    settings: dict[str, Any],
    subject: str,
) -> None:
    elsewhere.claims = claims
    configured = Settings(
        home=home,
        oidc_issuer=elsewhere.address,
        oidc_client_secret=SecretStr(SECRET),
        public_address="http://testserver",
        **settings,
    )
    app = create_app(configured, clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        service = Service(client, app.state.services, home)

        assert sign_in(service).status_code == 200

        account = service.services.accounts.of_subject(f"{elsewhere.address} {subject}")
        assert account is not None
        assert (account.role, account.caller().person) == ("auditor", account.subject)
        left = sign_out(service)
        address = urlsplit(left.text.partition("url=")[2].partition('"')[0].replace("&amp;", "&"))
        asked = parse_qs(address.query)
        assert f"{address.scheme}://{address.netloc}{address.path}" == f"{elsewhere.address}/end"
        assert asked["post_logout_redirect_uri"] == ["http://testserver/console/sign-in"]
        assert asked["client_id"] == ["tidegate"]
        assert asked["id_token_hint"][0].count(".") == 2
        assert not is_in(service)


def sign_out(service: Service) -> Any:
    session = service.services.sessions.find(service.client.cookies["tidegate"], NOW)
    assert session is not None
    form = {"form_token": session.form_token}
    return service.client.post(
        "/console/sign-out", data=form, headers=ORIGIN, follow_redirects=False
    )


def refusals(service: Service) -> list[tuple[str, str]]:
    """Whom, and why, as the audit log tells it."""
    engine = open_database(service.services.settings.database, is_service=False)
    with engine.connect() as connection:
        rows = connection.execute(select(audit_events).order_by("seq")).all()
    told = [row for row in rows if row.action == "refuse_sign_in"]
    return [(row.object_id, row.details["cause"]) for row in told]


def test_what_ends_a_session_elsewhere_is_sent_with_signing_out_only(signing: Service) -> None:
    page = sign_in(signing)
    (cookie,) = (
        c for c in page.headers.get_list("Set-Cookie") if c.startswith("tidegate-elsewhere")
    )

    assert "Path=/console/sign-out" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_over_https_that_cookie_is_refused_from_anywhere_else(signing: Service) -> None:
    """Browsers take the prefix with `Secure` from an origin of https alone (RFC 6265bis)."""
    for scheme, prefix in (("https", "__Secure-"), ("http", "")):
        scope = {"type": "http", "scheme": scheme, "headers": [], "app": signing.client.app}
        response = Response()

        remember_provider_session(
            Request({**scope, "path": "/", "server": ("testserver", 443)}), response, "a.b.c"
        )

        cookie = response.headers["Set-Cookie"].split("; ")
        assert cookie[0] == f"{prefix}tidegate-elsewhere=a.b.c"
        assert ("Secure" in cookie) is bool(prefix)


def test_whoever_signed_in_here_is_signed_out_here(signing: Service) -> None:
    signing.services.accounts.add_account(
        new_account("paul", "a password for tests", "auditor", (), NOW)
    )
    form = {"name": "paul", "password": "a password for tests"}
    signing.client.post("/console/sign-in", data=form, headers=ORIGIN)

    assert sign_out(signing).headers["Location"] == "/console/sign-in"


def test_while_the_server_is_away_people_sign_out_here_and_nobody_is_sent_to_it(
    signing: Service, elsewhere: Organisation
) -> None:
    sign_in(signing)
    elsewhere.is_down = True
    assert signing.services.oidc is not None
    signing.services.oidc._forget()

    assert sign_out(signing).headers["Location"] == "/console/sign-in"
    begun = signing.client.get("/console/oidc", follow_redirects=False)
    assert begun.status_code == 503
    assert "does not answer" in begun.text
    assert "/console/sign-in" in begun.text


def test_why_somebody_is_refused_is_written_down_and_not_shown(
    signing: Service, elsewhere: Organisation, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere.claims = {"roles": ["staff"]}

    page = sign_in(signing)

    cause = "the claim roles has no role that begins with tidegate-"
    assert (page.status_code, cause in page.text) == (401, False)
    assert "does not let you in here" in page.text
    assert page.headers["X-Request-ID"] in page.text
    assert refusals(signing) == [(f"{elsewhere.address} u-1", cause)]
    assert cause in capsys.readouterr().out

    elsewhere.claims = {"roles": ["tidegate-admin", "tidegate-auditor"]}
    assert "several roles" in sign_in(signing).text


def test_what_nobody_answered_for_fills_no_audit_log(signing: Service) -> None:
    address = begin(signing)
    signing.client.cookies.clear()
    assert signing.client.get(address).status_code == 401
    denied = signing.client.get("/console/oidc/callback", params={"error": "access_denied"})

    assert denied.status_code == 401
    assert "does not confirm" in denied.text
    assert refusals(signing) == []


def test_answers_that_nobody_asked_for_wait_like_sign_ins_and_take_no_more_threads(
    signing: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, may_end = list[str](), threading.Event()

    def slow(_: Provider, login: PendingLogin, *rest: str) -> None:
        asked.append(login.secret)
        may_end.wait(10)
        raise NotSignedIn("not this one")

    def come() -> int:
        answer = signing.client.get(
            "/console/oidc/callback?state=s&code=c", headers={"Cookie": "tidegate-away=secret."}
        )
        return int(answer.status_code)

    monkeypatch.setattr(Provider, "sign_in", slow)
    object.__setattr__(signing.services, "sign_in_threads", SignInThreads(1, 1))
    with ThreadPoolExecutor(5) as browsers:
        answers = [browsers.submit(come) for _ in range(5)]
        wait_until(lambda: sum(each.done() for each in answers) == 3)
        assert len(asked) == 1
        may_end.set()

    assert sorted(each.result() for each in answers) == [401, 401, 503, 503, 503]


def test_a_browser_comes_back_to_our_own_name_only(signing: Service) -> None:
    """Not to one that whoever calls has written."""
    for host, status in (("testserver", 303), ("localhost", 303), ("evil.example", 421)):
        answer = signing.client.get("/console/oidc", headers={"Host": host}, follow_redirects=False)
        assert answer.status_code == status
        if status == 303:
            asked = parse_qs(urlsplit(answer.headers["Location"]).query)
            assert asked["redirect_uri"] == [f"http://{host}/console/oidc/callback"]


def test_where_nobody_vouches_for_a_name_nobody_is_sent_away(
    home: Path, elsewhere: Organisation
) -> None:
    app = create_app(Settings(home=home, oidc_issuer=elsewhere.address), clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        for host, status in (("evil.example", 503), ("localhost", 303)):
            answer = client.get("/console/oidc", headers={"Host": host}, follow_redirects=False)
            assert answer.status_code == status, answer.text


def test_whoever_is_signed_out_by_their_organisation_is_out_here(
    signing: Service, elsewhere: Organisation
) -> None:
    sign_in(signing)

    def told(token: str) -> int:
        form = {"logout_token": token}
        return int(signing.client.post("/console/oidc/backchannel-logout", data=form).status_code)

    assert told("a.b.c") == 400
    assert told(elsewhere.signed("nonce")) == 400
    assert is_in(signing)
    assert told(elsewhere.logout_token()) == 200
    assert not is_in(signing)


def test_a_long_and_odd_name_becomes_one_that_can_be_read(
    signing: Service, elsewhere: Organisation
) -> None:
    elsewhere.claims = {"preferred_username": f"maria\u202e\n  {'da-silva-' * 8}@customs.example"}

    assert sign_in(signing).status_code == 200
    account = signing.services.accounts.of_subject(f"{elsewhere.address} u-1")
    assert account is not None
    assert account.name.startswith("maria da-silva-")
    assert account.name.isprintable()
    assert len(account.name) <= 64
