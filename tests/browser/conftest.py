"""A real service on a real port, and a real Chromium to read its pages."""

import json
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
from playwright.sync_api import Browser, Error, Page, sync_playwright

from serving.access.api_keys import new_key
from serving.api.examples import ROUTE, SHIPMENT
from serving.app import create_app, utc_now
from serving.container import Services
from serving.request_parsing import read_submission
from serving.settings import Settings
from tests.ports import free_port
from tests.serving.conftest import home, trained_home

__all__ = ["home", "trained_home"]

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass(frozen=True)
class Site:
    """A served home, the key of one caller, and its address."""

    address: str
    services: Services
    key: str

    def score(self, body: dict[str, Any], idempotency_key: str) -> dict[str, Any]:
        """The answer to a submission."""
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": idempotency_key}
        response = httpx2.post(f"{self.address}/v1/scores", json=body, headers=headers)
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium from the system, or Playwright's own.

    Not for longer than a module: while it is open, a loop of Playwright's runs in this thread, and
    no other test could run one.
    """
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=found, args=SWITCHES)
        except Error:
            pytest.fail("no Chromium: run `.venv/bin/playwright install --with-deps chromium`")
        yield started
        started.close()


@pytest.fixture
def settings(home: Path) -> Settings:
    """Those of a trained home."""
    return Settings(home=home)


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    """A service, on a free port."""
    port = free_port()
    app = create_app(settings)
    # As `tidegate serve` does, so that no first request waits for kernels to be compiled.
    examples = [read_submission(json.dumps(body).encode()) for body in (ROUTE, SHIPMENT)]
    app.state.services.assessor.warm_up(examples)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    kept, shown = new_key("Post Hamburg", ("score", "explain"), (), utc_now())
    app.state.services.api_keys.add_key(kept)
    yield Site(f"http://127.0.0.1:{port}", app.state.services, str(shown))
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A fresh page, closed before its site; whatever the browser complains of fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []
