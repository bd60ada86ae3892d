"""The recipes of CONTRIBUTING.md as data: edits of files, and commands to run afterwards."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECIPE = re.compile(r"^### (.+?)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
WHERE = re.compile(r"# (\S+), (?:a new file|at the end|(after|in place of) `(.+)`)\n")


class RecipeBroken(Exception):
    """An edit that does not apply to the code as it is."""


@dataclass(frozen=True)
class Edit:
    """Lines to add to a file: a new one, at its end, after one line of it or in place of it."""

    file: str
    side: str | None
    line: str | None
    added: str

    def apply(self, root: Path) -> None:
        """Make the edit in a copy of the project."""
        file = root / self.file
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        file.unlink(missing_ok=True)  # a copy may share its files with what it was made of
        file.write_text(self.edited(text), encoding="utf-8")

    def edited(self, text: str) -> str:
        """The text of the file with the edit made; RecipeBroken where its place is not there."""
        if self.line is None:
            return text + self.added
        lines = text.splitlines(keepends=True)
        places = [place for place, line in enumerate(lines) if line.rstrip("\n") == self.line]
        if len(places) != 1:
            raise RecipeBroken(f"{self.file} has {len(places)} lines {self.line!r}; want one")
        (place,) = places
        kept_until = place + 1 if self.side == "after" else place
        return "".join([*lines[:kept_until], self.added, *lines[place + 1 :]])


@dataclass(frozen=True)
class Recipe:
    """What to add where, and the commands that show it."""

    name: str
    edits: tuple[Edit, ...]
    commands: tuple[str, ...]


def recipes() -> list[Recipe]:
    """Every recipe of CONTRIBUTING.md."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, _, part = page.partition("\n## Recipes\n")
    return [_recipe(name, text) for name, text in RECIPE.findall(part)]


def _recipe(name: str, text: str) -> Recipe:
    blocks = [(sort, textwrap.dedent(code)) for _, sort, code in BLOCK.findall(text)]
    return Recipe(
        name=name,
        edits=tuple(_edit(code) for sort, code in blocks if sort != "console"),
        commands=tuple(
            command
            for sort, code in blocks
            if sort == "console"
            for command in re.findall(r"^\$ (.*)$", code, re.MULTILINE)
        ),
    )


def _edit(code: str) -> Edit:
    where = WHERE.match(code)
    if where is None:
        raise RecipeBroken(f"the first line does not say where this goes:\n{code}")
    return Edit(where[1], where[2], where[3], code[where.end() :])
