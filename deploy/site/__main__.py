"""Write the documentation as a site that opens from a disk: `python -m deploy.site build/site`.

Pages keep their places, so that their links lead where they lead in the repository. Its navigation
is `docs/index.md`; reference pages of the commands, the API and the library are made of the code.
"""

import json
import logging
import re
import shutil
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
from fastapi import FastAPI
from typer.cli import get_docs_for_click

from serving.api import events
from serving.api.openapi_document import describe
from serving.app import RESOURCES
from serving.cli.main import COMMANDS
from serving.cli.main import app as command_line

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("mkdocs.yml")
INDEX = Path("docs", "index.md")

# A link of a page: its words, and the file that it leads to.
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+)(?:#[^)]*)?\)")
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
PAGES = (".md", ".ipynb")
# Reference pages, which exist only on the site.
MADE = {
    "Commands": "docs/reference/commands.md",
    "HTTP API": "docs/reference/http_api.md",
    "Python library": "docs/reference/python.md",
}

Navigation = list[dict[str, Any]]


def linked_files(page: Path) -> Iterator[tuple[str, Path]]:
    """Yield the words of each link of a page and the file of this project that it leads to."""
    for words, link in LINK.findall(_text(page)):
        if "://" not in link and (file := (page.parent / link).resolve()).exists():
            yield words, file.relative_to(ROOT)


def _text(page: Path) -> str:
    if page.suffix != ".ipynb":
        return page.read_text(encoding="utf-8")
    cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def reachable_pages() -> list[Path]:
    """Return every page that links lead to from the README, and it, in the order they are met."""
    found, waiting = list[Path](), [Path("README.md")]
    while waiting:
        page = waiting.pop(0)
        if page.suffix in PAGES and page not in found:
            found.append(page)
            waiting += [file for _, file in linked_files(ROOT / page)]
    return found


def stage(folder: Path, notebooks: Path) -> None:
    """Copy all pages with what they show into a folder, and write the reference pages there.

    Notebooks become pages; those of the folder `notebooks` have outputs, the stored ones have none.
    """
    for page in reachable_pages():
        pictures = (page.parent / each for each in PICTURE.findall(_text(ROOT / page)))
        linked = (file for _, file in linked_files(ROOT / page))
        for file in (page, *pictures, *linked):
            if (ROOT / file).is_file():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / file, folder / file)
    (folder / "assets").mkdir()
    shutil.copy(CONFIG.with_name("iframe-worker.js"), folder / "assets")
    for page in folder.rglob("*.md"):
        page.write_text(page.read_text("utf-8").replace(".ipynb)", ".md)"), "utf-8")
    for stored in folder.rglob("*.ipynb"):
        executed = notebooks / stored.name
        notebook = json.loads((executed if executed.exists() else stored).read_text("utf-8"))
        stored.with_suffix(".md").write_text(notebook_page(notebook, stored.name), "utf-8")
    for (title, place), text in zip(MADE.items(), (commands(), http_api(), LIBRARY), strict=True):
        (folder / place).write_text(f"# {title}\n\n{text}\n", encoding="utf-8")


def notebook_page(notebook: dict[str, Any], name: str) -> str:
    """Return a notebook as a page, with the outputs that its cells have."""
    first, *rest = notebook["cells"]
    return "\n\n".join(
        ["".join(first["source"]), f"[Download this notebook]({name})", *map(_cell, rest)]
    )


def _cell(cell: dict[str, Any]) -> str:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return source
    return "\n\n".join([f"```python\n{source}\n```", *map(_output, cell["outputs"])])


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", {"text/plain": output.get("text", "")})
    if "image/png" in data:
        return f"![Figure](data:image/png;base64,{''.join(data['image/png']).strip()})"
    if "text/html" in data:
        return "".join(data["text/html"])
    return f"```text\n{''.join(data['text/plain']).rstrip()}\n```"


def navigation() -> Navigation:
    """Return the sections and pages of the index, as mkdocs takes them, then all other pages."""
    placed = {Path("README.md"), INDEX}
    sections: Navigation = [{"Tidegate": ["README.md", {"All pages": str(INDEX)}]}]
    for section in _text(ROOT / INDEX).split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        items = "\n".join(line for line in body.splitlines() if line.startswith("- "))
        pages: list[Any] = []
        for words, link in LINK.findall(items):
            page = (ROOT / INDEX.parent / link).resolve().relative_to(ROOT)
            if page not in placed:
                below = _pages_below(page)
                placed |= {page, *below}
                pages.append({words: [*map(_place, (page, *below))] if below else _place(page)})
        if pages:
            sections.append({title: pages})
    rest = [_place(page) for page in reachable_pages() if page not in placed]
    return [
        *sections,
        {"Reference": [{title: place} for title, place in MADE.items()]},
        {"Notes": rest},
    ]


def _pages_below(page: Path) -> list[Path]:
    """Return the other pages of its folder if a page is the index of one."""
    if page.name not in {"README.md", "index.md"}:
        return []
    linked = dict.fromkeys(file for _, file in linked_files(ROOT / page))
    return [each for each in linked if each.parent == page.parent and each.suffix in PAGES]


def _place(page: Path) -> str:
    return str(page.with_suffix(".md"))


def commands() -> str:
    """Return a page of every command with its options, as `--help` prints them."""
    group = typer.main.get_group(command_line)
    context = typer.Context(group, info_name="tidegate")
    return "\n".join(
        get_docs_for_click(
            obj=group.commands[name], ctx=context, indent=1, name=name, call_prefix="tidegate"
        )
        for name in COMMANDS
    )


def described_api() -> dict[str, Any]:
    """Return the OpenAPI document, without a service or a home."""
    app = FastAPI(webhooks=events.webhooks)
    for resource in RESOURCES:
        app.router.routes.extend(resource.router.routes)
    describe(app)
    return app.openapi()


def http_api() -> str:
    """Return a page of every call of the API by topic, as `GET /openapi.json` describes it."""
    document = described_api()
    calls = [
        (call["tags"][0], f"{method.upper()} {path}", call)
        for path, operations in document["paths"].items()
        for method, call in operations.items()
    ]
    about = {tag["name"]: tag.get("description", "") for tag in document["tags"]}
    order = list(about)
    lines = ["The service gives all of it, with every field, as `GET /openapi.json`."]
    for tag, of_tag in groupby(
        sorted(calls, key=lambda call: order.index(call[0])), lambda call: call[0]
    ):
        lines += [f"## {tag}", about[tag]]
        for _, heading, call in of_tag:
            lines += [f"### `{heading}`", call["description"]]
    return "\n\n".join(lines)


LIBRARY = """`import tidegate as tg` has these names, shown at work in
[Tidegate as a library](../library.md).

::: tidegate"""


def main() -> None:
    """Write the site; exit with 1 and every broken link on stderr."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    logging.basicConfig(format="%(message)s")
    target = Path(sys.argv[1]).resolve()
    with TemporaryDirectory() as folder:
        stage(Path(folder), ROOT / "build" / "notebooks")
        build(load_config(str(CONFIG), docs_dir=folder, site_dir=str(target), nav=navigation()))
    print(f"open {target / 'index.html'}")


if __name__ == "__main__":
    main()
