"""One small world with trained models, made once; every test gets a copy of its own to serve."""

import shutil
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from features.history.rebuild import rebuild_store
from serving.access.api_keys import new_key
from serving.access.roles import Scope
from serving.app import create_app
from serving.container import Services
from serving.scoring.message_readers import MessageReaders, ReaderProcess
from serving.settings import Settings
from serving.web.routes_on_demand import RoutesOnDemand
from tests.conftest import MadeOnce
from tests.counts import count
from tests.serving.access.trusted import KEY, published, signed
from tests.serving.postgres import Server, postgresql
from tests.serving.read_models import ReadModels
from tests.serving.world import train_and_promote, write_world

ISSUER = "https://login.example"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def app_of(client: TestClient) -> FastAPI:
    """The application that a client talks to."""
    return cast(FastAPI, client.app)


def routes_of(client: TestClient) -> list[BaseRoute]:
    """The routes that a client reaches, with those of pages, which the first page loads."""
    client.get("/problems")
    # The calls of partner agencies are those of a satellite, whose own tests try them.
    return [route for route in app_of(client).routes if not isinstance(route, RoutesOnDemand)]


def services_of(client: TestClient) -> Services:
    """The parts of the application that a client talks to."""
    services: Services = app_of(client).state.services
    return services


@dataclass
class Service:
    """A running service, its home, and a way to call it as someone."""

    client: TestClient
    services: Services
    home: Path
    posted: int = field(default=0)

    def key(self, *scopes: Scope, offices: tuple[str, ...] = ()) -> dict[str, str]:
        """The headers of a caller with a fresh key."""
        self.posted += 1
        kept, shown = new_key(f"caller-{self.posted}", scopes, offices, self.services.clock())
        self.services.api_keys.add_key(kept)
        return {"Authorization": f"Bearer {shown}"}

    def person(self, name: str, *scopes: Scope, offices: tuple[str, ...] = ()) -> dict[str, str]:
        """The headers of a human being, whose token the service believes (`trusting`)."""
        claims = {"iss": ISSUER, "sub": name, "client_id": "an application", "aud": "tidegate"}
        claims |= {"scope": " ".join(scopes), "offices": list(offices) or None}
        ends_at = int((NOW + timedelta(minutes=30)).timestamp())
        return {"Authorization": f"Bearer {signed(claims | {'exp': ends_at})}"}

    def score(self, body: Any, caller: dict[str, str], key: str | None = None) -> Any:
        """Post a body under a fresh idempotency key, or the one given."""
        self.posted += 1
        headers = {**caller, "Idempotency-Key": key or f"request-{self.posted}"}
        return self.client.post("/v1/scores", json=body, headers=headers)


_MODELS = ReadModels()


@pytest.fixture(autouse=True)
def read_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let services share a model of which every byte is the same; reading is tried by `models`."""
    monkeypatch.setattr("serving.models.model_pool.LoadedModel.read", _MODELS.read)


_READERS: list[ReaderProcess] = []


@pytest.fixture(autouse=True)
def message_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the services of all tests read messages in the same processes, one after the other."""
    start, close = ReaderProcess.start, MessageReaders.close

    def keep(readers: MessageReaders) -> None:
        _READERS.extend(readers._idle)
        readers._idle.clear()
        close(readers)

    monkeypatch.setattr(ReaderProcess, "start", lambda: _READERS.pop() if _READERS else start())
    monkeypatch.setattr(MessageReaders, "close", keep)


@pytest.fixture(autouse=True)
def nobody_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody acts and nobody reads when a test begins, whatever ran before it in this process."""
    monkeypatch.setattr("serving.access.acting._acting", ContextVar("_acting", default=None))
    monkeypatch.setattr("serving.language._reading", ContextVar("_reading"))


@pytest.fixture(autouse=True)
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time since a start pass as the clock says: a slow test is no jump of the clock."""
    monkeypatch.setattr(
        "serving.container.StartClock.drift_s", lambda self, now: (now - self.at).total_seconds()
    )


@pytest.fixture(scope="session")
def trained_home(made_once: MadeOnce) -> Path:
    """A home with records, their history and a champion for each kind; not to be changed."""
    return made_once("trained", make_trained_home) / "home"


def make_trained_home(folder: Path) -> None:
    """Make it in a folder."""
    home = folder / "home"
    write_world(home / "records")
    rebuild_store(home / "records", home / "state")
    for kind in ("route", "shipment"):
        train_and_promote(home, kind, "1")
    draw_the_same_controls(home)


def draw_the_same_controls(home: Path) -> None:
    """Give a new home a seed of draws, so that a test's subjects get the same lanes every time."""
    seed = home / "keys" / "draw.seed"
    seed.parent.mkdir(mode=0o700, exist_ok=True)
    seed.write_bytes(bytes(32))
    seed.chmod(0o600)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for all tests that need one; each makes a database of its own."""
    with postgresql() as server:
        yield server


ENGINE_FIXTURES = ("where", "nine_weeks")
TRIED_ON_BOTH_ENGINES = frozenset(
    """
    test_acting_at_once test_backup test_binding test_case_identities test_case_search
    test_covered_tables test_daily_report test_database_move test_decision_log test_engines
    test_foreign_table test_lanes_of_workers test_log_check test_retention_at_once
    test_schema_check
    """.split()
)
"""Modules of tests of code that asks which engine it runs on, or relies on its locks."""


@pytest.hookimpl(tryfirst=True)  # before `-m faults` selects by markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave PostgreSQL to `make faults` where the code is the same for both engines."""
    repeated = {item for item in items if _repeats_on_postgresql(item)}
    if count(0, 1):
        for item in repeated:
            item.add_marker(pytest.mark.faults)
    else:
        config.hook.pytest_deselected(items=[*repeated])
        items[:] = [item for item in items if item not in repeated]


def _repeats_on_postgresql(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    engines = {callspec.params.get(name) for name in ENGINE_FIXTURES} if callspec else set()
    return "postgresql" in engines and item.path.stem not in TRIED_ON_BOTH_ENGINES


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """An empty database, of either engine in turn."""
    if request.param == "sqlite":
        return tmp_path / "log.db"
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the services of a test believe the tokens of `Service.person`."""
    keys = tmp_path / "token_keys.json"
    keys.write_bytes(published(KEY))
    monkeypatch.setenv("TIDEGATE_TOKEN_KEYS", str(keys))


@pytest.fixture
def home(trained_home: Path, tmp_path: Path) -> Path:
    """A copy of the trained home that a test may change."""
    return Path(shutil.copytree(trained_home, tmp_path / "home"))


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    """A service over the home, at a fixed instant."""
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(client, app.state.services, home)
