"""By which names, and how, the service is reached: hosts, origins, cookies and HSTS."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from serving.access.accounts import new_account
from serving.app import create_app
from serving.settings import Settings
from tests.serving.conftest import NOW, Service

PUBLIC = "https://tidegate.customs.example"


def served(home: Path, base_url: str = "http://testserver", **settings: Any) -> Iterator[Service]:
    app = create_app(Settings(home=home, **settings), clock=lambda: NOW)
    with TestClient(app, base_url=base_url, raise_server_exceptions=False) as client:
        yield Service(client, app.state.services, home)


@pytest.fixture(scope="module")
def named(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Behind a proxy, by its public name and one more."""
    home = shutil.copytree(trained_home, tmp_path_factory.mktemp("named") / "home")
    yield from served(
        home, public_address=f"{PUBLIC}/", trusted_hosts=("tide.example", "*.inner.example")
    )


@pytest.mark.parametrize(
    "host",
    [
        *("tidegate.customs.example", "TIDEGATE.customs.example.", "tidegate.customs.example:8443"),
        *("tide.example", "a.inner.example", "a.b.inner.example"),
        *("localhost", "127.0.0.1:8000", "[::1]:8000"),
    ],
)
def test_requests_for_our_own_names_are_answered(named: Service, host: str) -> None:
    assert named.client.get("/openapi.json", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "tidegate.customs.example.evil.example", "inner.example", "", "evil:x"),
        *("tide.example@evil.example", "evil.example#tide.example", "tide.example/x", "[::1", " "),
        *("xinner.example", "127.0.0.1.evil.example", "tide.example:99999999"),
    ],
)
def test_requests_for_other_names_are_refused_before_anything_else(
    named: Service, host: str
) -> None:
    for path in ("/openapi.json", "/metrics", "/console/sign-in", "/v1/models", "/none"):
        answer = named.client.get(path, headers={"Host": host})

        assert answer.status_code == 421, path
        assert answer.json()["type"] == "/problems/host-unknown"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert host.strip() == "" or host not in answer.text


def test_two_hosts_are_none(named: Service) -> None:
    twice = [("Host", "tide.example"), ("Host", "tide.example")]

    assert named.client.get("/openapi.json", headers=twice).status_code == 421


def test_whoever_balances_load_asks_for_health_by_any_name(named: Service) -> None:
    assert named.client.get("/health/live", headers={"Host": "10.0.0.7"}).status_code == 200


def test_where_no_name_is_known_any_will_do(service: Service) -> None:
    assert service.client.get("/openapi.json", headers={"Host": "x.example"}).status_code == 200


def test_over_https_browsers_are_told_to_stay_there(home: Path) -> None:
    for service in served(home, trusted_hosts=("testserver",)):
        for address, told in (
            *((f"https://testserver{path}", True) for path in ("/openapi.json", "/none", "/docs")),
            *((f"http://testserver{path}", False) for path in ("/openapi.json", "/none", "/docs")),
            ("https://testserver/v1/models", True),
            ("https://evil.example/", True),
        ):
            header = service.client.get(address).headers.get("Strict-Transport-Security")
            assert (header == "max-age=31536000; includeSubDomains") == told, address


def sign_in(service: Service, origin: str, **headers: str) -> Any:
    if service.services.accounts.find("maria") is None:
        service.services.accounts.add_account(
            new_account("maria", "a password for tests", "reviewer", (), NOW)
        )
    form = {"name": "maria", "password": "a password for tests"}
    sent = {"Origin": origin, **headers}
    return service.client.post("/console/sign-in", data=form, headers=sent, follow_redirects=False)


def test_forms_of_the_public_address_are_ours_whatever_a_proxy_forwards(named: Service) -> None:
    """A proxy that says nothing of https, or asks for another host, as nginx does by default."""
    for headers in ({"Host": "tidegate.customs.example"}, {"Host": "127.0.0.1:8000"}):
        assert sign_in(named, PUBLIC, **headers).status_code == 303
    assert sign_in(named, "http://tide.example", Host="tide.example").status_code == 303


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", f"{PUBLIC}.evil.example", f"{PUBLIC}:8443", "null"),
        *("http://tidegate.customs.example", "https://tide.example"),
    ],
)
def test_forms_of_other_origins_stay_refused(named: Service, origin: str) -> None:
    host = {"Host": "tide.example"}
    assert sign_in(named, origin, **host).status_code == 403


def test_the_cookie_of_a_public_https_address_is_secure_though_the_last_hop_is_not(
    named: Service,
) -> None:
    cookie = sign_in(named, PUBLIC, Host="tidegate.customs.example").headers["Set-Cookie"]

    assert cookie.startswith("__Host-tidegate=")
    assert "Secure" in cookie


def test_over_https_the_end_of_a_session_ends_its_cookie(home: Path) -> None:
    """A browser ignores a `Set-Cookie` of a `__Host-` name without Secure."""
    for service in served(home, "https://testserver"):
        sign_in(service, "https://testserver")
        cookie = service.client.cookies["__Host-tidegate"]
        session = service.services.sessions.find(cookie, NOW)
        assert session is not None
        ended = service.client.post(
            "/console/sign-out",
            data={"form_token": session.form_token},
            headers={"Origin": "https://testserver"},
            follow_redirects=False,
        )
        (deleted,) = (
            each
            for each in ended.headers.get_list("Set-Cookie")
            if each.startswith("__Host-tidegate=")
        )
        assert "Secure" in deleted
        assert "Max-Age=0" in deleted
        assert "Path=/" in deleted


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.1, *", "10.0.0.0/8/8"])
def test_proxies_are_addresses_and_never_everybody(proxies: str) -> None:
    with pytest.raises(ValidationError):
        Settings(trusted_proxies=proxies)  # type: ignore[arg-type]  # as the environment has it
