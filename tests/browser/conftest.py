"""A real service on a real port, and a real Chromium to read its pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from serving.settings import Settings
from tests.browser.busy_site import PLAN, BusySite
from tests.browser.served_site import Site, served
from tests.serving.conftest import NOW, home, trained_home
from tests.serving.review.letters.remedies import lay_down_remedies

__all__ = ["Site", "home", "trained_home"]

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first takes a third less of a processor, and is the same engine without windows."""

PATIENCE_MS = 20_000
"""How long what a page is to show is waited for: on a busy machine an answer takes seconds."""

SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium from the system, or Playwright's own.

    Not for longer than a module: while it is open, a loop of Playwright's runs in this thread, and
    no other test could run one.
    """
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    expect.set_options(timeout=PATIENCE_MS)
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
    with served(settings) as started:
        yield started


@pytest.fixture(scope="session")
def busy_site(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusySite]:
    """A service at a fixed instant, with something on every page; shared by tests that read."""
    home = Path(shutil.copytree(trained_home, tmp_path_factory.mktemp("busy") / "home"))
    (home / "lanes.toml").write_text(PLAN)
    lay_down_remedies(home)
    shares = {"inspect_share": 1.0, "document_check_share": 0.0, "post_review_share": 0.0}
    settings = Settings(home=home, max_attachment_bytes=100_000, **shares)  # type: ignore[arg-type]  # names of fields
    with served(settings, lambda: NOW) as started:
        yield BusySite.filled(started, home)


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
