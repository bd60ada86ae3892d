"""A real service on a real port, for programs that others wrote against its protocols."""

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from serving.access.api_keys import new_key
from serving.access.roles import Scope
from serving.api.examples import SHIPMENT
from serving.app import create_app
from serving.container import Services
from serving.settings import Settings
from tests.ports import free_port
from tests.serving.conftest import NOW, trained_home

__all__ = ["trained_home"]


@dataclass(frozen=True)
class Site:
    """A served home, and its address."""

    address: str
    services: Services

    @property
    def host(self) -> str:
        """Name and port, as some clients want them."""
        return self.address.removeprefix("http://")

    def key(self, *scopes: Scope, offices: tuple[str, ...] = ()) -> str:
        """A fresh key with these scopes, for some offices or all."""
        known = len(self.services.api_keys.all())
        kept, shown = new_key(f"client-{known}", scopes, offices, NOW)
        self.services.api_keys.add_key(kept)
        return str(shown)

    def headers(self, *scopes: Scope) -> dict[str, str]:
        """The headers of a caller with a fresh key."""
        return {"Authorization": f"Bearer {self.key(*scopes)}"}


@pytest.fixture(scope="module")
def site(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service on a free port, at a fixed instant; its tests share what they decide."""
    home = shutil.copytree(trained_home, tmp_path_factory.mktemp("site") / "home")
    app = create_app(Settings(home=home), clock=lambda: NOW)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Site(f"http://127.0.0.1:{port}", app.state.services)
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def document(site: Site) -> Any:
    """The description of the service."""
    return httpx2.get(f"{site.address}/openapi.json").json()


@pytest.fixture(scope="module")
def decided(site: Site) -> dict[str, Any]:
    """A decision with its explanation: what the same vector must score."""
    headers = site.headers("score", "explain") | {"Idempotency-Key": "decided"}
    answer = httpx2.post(f"{site.address}/v1/scores", json=SHIPMENT, headers=headers, timeout=60)
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


@pytest.fixture(scope="module")
def vector(decided: dict[str, Any]) -> dict[str, Any]:
    """The value of each feature of that decision, None where it was missing."""
    return {each["feature"]: each["value"] for each in decided["contributions"]}
