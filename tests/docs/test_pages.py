"""Pages for newcomers are held to the tree: what they link, name or print is there."""

import re
import tomllib
from pathlib import Path

import pytest

from deploy.site.__main__ import reachable_pages
from tests.docs.named_places import ROOT, is_there, named
from tests.docs.recipes import recipes

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("**/*.md")),
]
ROOMS = ("features", "training", "serving", "experiments", "data", "tests", "docs")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
MAX_LINES_OF_README = 50
MAX_PICTURE_BYTES = 250_000


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(page.read_text()) if "://" not in link]


def paths(page: Path) -> list[str]:
    """Files, folders and tests that a page names as code; not those with a name to fill in."""
    places = (code.rstrip("/") for code in named(page.read_text()))
    return [
        path
        for path in places
        if path.split("/")[0] in ROOMS and "/" in path and not re.search(r"[<>… ]", path)
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_and_test_that_a_page_names_exists(page: Path) -> None:
    made = {edit.file for recipe in recipes() for edit in recipe.edits}
    assert [path for path in paths(page) if not (is_there(path) or path in made)] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {ROOT / page for page in reachable_pages()}

    assert [name_of(page) for page in PAGES if page not in reached] == []


def test_every_picture_is_shown_on_a_page_with_words_for_it_and_is_small() -> None:
    shown = {
        (page.parent / place).resolve(): words
        for page in PAGES
        for words, place in PICTURE.findall(page.read_text())
    }
    pictures = [*(ROOT / "docs").glob("**/*.png")]

    assert len(pictures) > 3
    assert [name_of(picture) for picture in pictures if not shown.get(picture)] == []
    assert [name_of(each) for each in pictures if each.stat().st_size > MAX_PICTURE_BYTES] == []


def test_the_index_lists_every_page_for_operators_once_under_operate() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    section = index.partition("## Operate\n")[2].partition("\n## ")[0]
    pages = [f"operations/{page.name}" for page in (ROOT / "docs" / "operations").glob("*.md")]

    assert pages
    assert {*pages} <= {*LINK.findall(section)}
    assert index.count("](operations/") == len(pages)


def test_the_readme_fits_on_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MAX_LINES_OF_README


def test_the_architecture_names_every_folder_that_is_a_layer() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = {
        f"{container}.{layer}".replace(".", "/")
        for contract in contracts["contracts"]
        for container in contract.get("containers", ())
        for level in contract["layers"]
        for layer in re.split(r"\s*[|:]\s*", level.strip("()"))
    }
    folders = {layer for layer in layers if (ROOT / layer).is_dir()}

    assert folders
    assert {folder for folder in folders if f"`{folder}`" not in page} == set()


def test_no_page_names_a_folder_outside_the_project() -> None:
    outside = re.compile(r"\.\./\.\./|/(?:work|root|home|Users)/|\.\./shared")
    assert [name_of(page) for page in PAGES if outside.search(page.read_text())] == []


def test_hooks_before_a_commit_reach_for_no_other_host() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()

    assert re.findall(r"repo: (\S+)", hooks) == ["local"]
    assert "://" not in hooks
    for script in re.findall(r"\.venv/bin/([a-z-]+)", hooks):
        assert (ROOT / ".venv" / "bin" / script).exists(), script
