"""Figures, the description and words on switches: who reads them, and from where."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.access.accounts import new_account, with_first_password
from serving.app import create_app
from serving.models.kill_switch import record_switch
from serving.settings import Settings
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN

WRONG = {"Authorization": "Bearer tg_0123456789ab.wrong"}
WHY = "it sends too many ships of one flag"


@contextmanager
def served(home: Path, **settings: Any) -> Iterator[Service]:
    app = create_app(Settings(home=home, **settings), clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(client, app.state.services, home)


@pytest.fixture(scope="module")
def closed(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Known by one name, with a description for those it is for."""
    home = shutil.copytree(trained_home, tmp_path_factory.mktemp("closed") / "home")
    with served(home, trusted_hosts=("tide.example",), docs_are_open=False) as service:
        yield service


def calling(service: Service, address: str) -> TestClient:
    """A caller with this address; the application was started before."""
    return TestClient(service.client.app, client=(address, 50_000))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_on_this_machine_figures_need_no_key(closed: Service, address: str) -> None:
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        answer = calling(closed, address).get("/metrics", headers={"Host": host})
        assert answer.status_code == 200
        assert "tidegate_requests_in_flight" in answer.text


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        *((address, {}) for address in ("192.0.2.7", "10.0.0.1", "2001:db8::1", "0.0.0.0")),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}),
        ("127.0.0.1", {"Via": "1.1 x"}),
        ("127.0.0.1", {"X-Forwarded-Proto": "http"}),
        ("127.0.0.1", {"Host": "tide.example"}),
    ],
)
def test_from_elsewhere_figures_need_a_key(
    closed: Service, address: str, headers: dict[str, str]
) -> None:
    caller = calling(closed, address)
    asked = {"Host": "localhost", **headers}

    assert caller.get("/metrics", headers=asked).status_code == 401
    for scope in ("score", "monitor"):
        key = closed.key(scope)  # type: ignore[arg-type]  # a scope
        assert caller.get("/metrics", headers={**asked, **key}).status_code == 200


def test_a_page_of_another_site_that_leads_here_reads_no_figures(service: Service) -> None:
    caller = calling(service, "127.0.0.1")
    assert caller.get("/metrics", headers={"Host": "evil.example"}).status_code == 401


def test_behind_a_proxy_figures_need_a_key_from_everywhere(home: Path) -> None:
    with served(home, behind_proxy=True) as service:
        caller = calling(service, "127.0.0.1")
        assert caller.get("/metrics", headers={"Host": "localhost"}).status_code == 401
        key = {"Host": "localhost", **service.key("monitor")}
        assert caller.get("/metrics", headers=key).status_code == 200


def test_a_description_that_is_not_open_is_for_callers_and_readers(closed: Service) -> None:
    client = closed.client
    host = {"Host": "tide.example"}
    assert client.get("/openapi.json", headers=host).status_code == 401
    assert client.get("/docs", headers=host).status_code == 401
    described = client.get("/openapi.json", headers=host | closed.key("ingest"))
    assert "/v1/scores" in described.json()["paths"]

    closed.services.accounts.add_account(new_account("m", "a password", "auditor", (), NOW))
    form, origin = {"name": "m", "password": "a password"}, {"Origin": "http://tide.example"}
    client.base_url = "http://tide.example"  # type: ignore[assignment]  # the client takes texts
    client.post("/console/sign-in", data=form, headers=ORIGIN | origin)
    assert client.get("/docs").status_code == 200


PAGES = ("/docs", "/openapi.json", "/metrics")
NETWORKS = ("192.0.2.0/24", "2001:db8::/32", "127.0.0.1")


@pytest.fixture(scope="module")
def live(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """In live use, with networks that read what others need a key for."""
    home = shutil.copytree(trained_home, tmp_path_factory.mktemp("live") / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.app.require_assessment", lambda *_: None)
        patch.setattr("serving.app.require_rescue_centres", lambda *_: None)
        with served(home, is_live=True, open_networks=NETWORKS) as service:
            yield service


@pytest.mark.parametrize("path", PAGES)
def test_in_live_use_pages_on_the_service_need_any_key(live: Service, path: str) -> None:
    for address in ("127.0.0.2", "203.0.113.9", "::1"):
        caller = calling(live, address)
        assert caller.get(path, headers={"Host": "localhost"}).status_code == 401
        assert caller.get(path, headers=WRONG | {"Host": "localhost"}).status_code == 401
        for scope in ("score", "monitor", "rescue"):
            key = live.key(scope) | {"Host": "localhost"}  # type: ignore[arg-type]  # a scope
            assert caller.get(path, headers=key).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_listed_network_needs_no_key_unless_an_unknown_proxy_stands_between(
    live: Service, path: str
) -> None:
    for address in ("192.0.2.77", "2001:db8:9::1", "127.0.0.1", "::ffff:192.0.2.1"):
        caller = calling(live, address)
        assert caller.get(path, headers={"Host": "localhost"}).status_code == 200
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            forwarded = {"Host": "localhost", header: "192.0.2.1"}
            assert caller.get(path, headers=forwarded).status_code == 401


def test_behind_a_proxy_its_own_address_is_nobodys(home: Path) -> None:
    with served(home, behind_proxy=True, docs_are_open=False, open_networks=NETWORKS) as service:
        host = {"Host": "localhost"}
        assert calling(service, "127.0.0.1").get("/docs", headers=host).status_code == 401
        named = calling(service, "192.0.2.9")  # as the server reads it from the trusted proxy
        forwarded = host | {"X-Forwarded-For": "192.0.2.9"}
        assert named.get("/docs", headers=forwarded).status_code == 200


def test_half_a_session_reads_no_description(closed: Service) -> None:
    """A password without the code that is due, or one that somebody else has seen."""
    first, password = with_first_password(
        new_account("first", "a password", "auditor", (), NOW), NOW
    )
    closed.services.accounts.add_account(first)
    caller = calling(closed, "203.0.113.8")
    caller.base_url = "http://tide.example"  # type: ignore[assignment]  # the client takes texts
    form, origin = {"name": "first", "password": password}, {"Origin": "http://tide.example"}
    entered = caller.post("/console/sign-in", data=form, headers=ORIGIN | origin)
    assert entered.url.path == "/console/sign-in/password"
    assert caller.get("/docs").status_code == 401


def test_what_errors_mean_is_for_all(live: Service) -> None:
    caller = calling(live, "203.0.113.9")
    for path in ("/problems", "/problems/too-busy"):
        assert caller.get(path, headers={"Host": "localhost"}).status_code == 200


def test_words_on_switches_are_for_those_who_answer_for_them(service: Service) -> None:
    record_switch(service.services.switch_events, "all", is_on=False, by="ada", because=WHY, at=NOW)
    for scope, is_told in (
        *((scope, False) for scope in ("score", "ingest", "review", "rescue", "monitor")),
        *((scope, True) for scope in ("switch", "supervise", "audit", "administer")),
    ):
        answer = service.client.get("/v1/switches", headers=service.key(scope))  # type: ignore[arg-type]  # a scope
        for switch in answer.json()["switches"]:
            assert not switch["is_on"]
            assert switch["switched_at"] is not None
            assert (switch["switched_by"] == "ada") == is_told, scope
            assert (switch["because"] == WHY) == is_told, scope
        assert (WHY in answer.text) == is_told


def test_an_automaton_may_have_a_key_that_switches(home: Path) -> None:
    from typer.testing import CliRunner

    from serving.cli.main import app

    made = CliRunner().invoke(
        app, ["keys", "create", "watchdog", "--scope", "switch", "--home", str(home)]
    )
    assert made.exit_code == 0, made.output
    key = next(line for line in made.output.splitlines() if line.startswith("tg_"))
    with served(home) as service:
        answer = service.client.post(
            "/v1/switches",
            json={"subject_kind": "all", "is_on": False, "because": WHY},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 200
        assert answer.json()["switches"][0]["switched_by"] == "watchdog"
