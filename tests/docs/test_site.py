"""The documentation as a site: every page is there, is listed, and needs no network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from deploy.site.__main__ import described_api, navigation, notebook_page, reachable_pages
from tests.browser.conftest import browser
from tests.docs.named_places import ROOT

__all__ = ["browser"]

TOOLS = ROOT / ".venv" / "site"
LOADED = re.compile(r"<(?:script|img|link|iframe)\b[^>]*?\b(?:src|href)=\"?(https?://[^\" >]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site in a folder; a link or anchor that leads nowhere ends this."""
    assert TOOLS.is_dir(), "what makes the site is missing: run `make site`"
    target = tmp_path_factory.mktemp("site")
    made = subprocess.run(
        [sys.executable, "-m", "deploy.site", target],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{TOOLS}{os.pathsep}{ROOT / 'data'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return target


def places(entries: list[object]) -> list[str]:
    """Every page of a navigation, in its order."""
    found: list[str] = []
    for entry in entries:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        found += places(value) if isinstance(value, list) else [str(value)]
    return found


def test_every_page_is_listed_once_and_made(site: Path) -> None:
    listed = places([*navigation()])
    repository = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")}

    assert len(listed) == len({*listed})
    assert repository <= {*listed}
    assert len(listed) == len(reachable_pages()) + 3  # and the reference pages
    for place in listed:
        page = (site / place.replace("README.md", "index.md")).with_suffix(".html")
        assert page.exists(), place


def test_sections_and_titles_are_those_of_the_index() -> None:
    sections = {title: pages for each in navigation() for title, pages in each.items()}

    assert [*sections][1:6] == ["Learn", "Use", "Operate", "Answer for it", "Change it"]
    assert {"Alerts": "docs/operations/alerts.md"} in sections["Operate"]
    decisions = next(each["Decisions"] for each in sections["Change it"] if "Decisions" in each)
    assert decisions[0] == "docs/adr/README.md"
    assert "docs/adr/0001-own-as-of-engine.md" in decisions


def test_no_page_loads_anything_from_a_host(site: Path) -> None:
    loaded = {
        (page.name, link)
        for page in site.rglob("*.html")
        for link in LOADED.findall(page.read_text(encoding="utf-8"))
    }
    assert loaded == set()


def test_references_have_every_command_call_and_name(site: Path) -> None:
    import tidegate
    from serving.cli.main import COMMANDS

    reference = site / "docs" / "reference"
    commands, calls, library = (
        re.sub(r"<[^>]+>", "", (reference / f"{name}.html").read_text(encoding="utf-8"))
        for name in ("commands", "http_api", "python")
    )
    assert [name for name in COMMANDS if f"tidegate {name}" not in commands] == []
    paths = described_api()["paths"]
    described = [f"{method.upper()} {path}" for path in paths for method in paths[path]]
    assert "POST /v1/scores" in described
    assert [call for call in described if call not in calls] == []
    headings = {line.strip() for line in library.splitlines()}
    named = [name for name in tidegate.__all__ if name != "__version__"]
    assert [name for name in named if not any(line.startswith(name) for line in headings)] == []


def test_a_reader_without_a_network_finds_a_word(site: Path, browser: Browser) -> None:
    context = browser.new_context(offline=True)
    page, refused = context.new_page(), list[str]()
    page.on("requestfailed", lambda request: refused.append(request.url))
    page.goto(f"file://{site}/index.html")
    page.fill(".md-search__input", "coordination centre")
    first = page.locator(".md-search-result__link").first
    expect(first).to_be_visible()
    first.click()

    expect(page.locator("article")).to_contain_text("coordination centre", ignore_case=True)
    assert refused == []
    context.close()


def test_a_notebook_becomes_a_page_with_what_its_cells_printed_and_drew() -> None:
    outputs = [
        {"text": ["two\n"], "output_type": "stream"},
        {"data": {"image/png": "iVBORw==", "text/plain": "<figure>"}},
        {"data": {"text/html": "<table></table>", "text/plain": "a table"}},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "Text."]},
        {"cell_type": "code", "source": ["print('two')"], "outputs": outputs},
    ]
    assert notebook_page({"cells": cells}, "own.ipynb") == (
        "# Title\nText.\n\n[Download this notebook](own.ipynb)\n\n"
        "```python\nprint('two')\n```\n\n```text\ntwo\n```\n\n"
        "![Figure](data:image/png;base64,iVBORw==)\n\n<table></table>"
    )
