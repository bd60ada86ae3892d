"""What is called by one name in two places: nobody finds it by that name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("tidegate", "features", "training", "serving", "data/synthetic")

# The modules of these folders are called as what they open a door to, or what they invent.
NAMED_AS_WHAT_THEY_SHOW = ("serving/api", "serving/cli", "serving/console", "data/synthetic")
# Steps are called as they were; the client speaks of what the service has, and imports none of it.
OF_OTHERS = {"migrations", "client"}
IN_EVERY_ROOM = ("__init__", "errors")


def _modules() -> Iterator[Path]:
    for room in SHIPPED:
        files = (ROOT / room).rglob("*.py")
        yield from (file for file in sorted(files) if not OF_OTHERS.intersection(file.parts))


def repeated_classes(files: Iterator[Path]) -> dict[str, list[str]]:
    """The names of classes that several modules define, with those modules."""
    found = defaultdict(list)
    for file in files:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found[node.name].append(file.name)
    return {name: places for name, places in found.items() if len(places) > 1}


def repeated_modules(files: Iterator[Path]) -> dict[str, list[str]]:
    """The names that several modules bear, but for those that show what another one holds."""
    found = defaultdict(list)
    for file in files:
        if file.stem not in IN_EVERY_ROOM and not _shows(file):
            found[file.stem].append(str(file.parent))
    return {name: places for name, places in found.items() if len(places) > 1}


def _shows(file: Path) -> bool:
    return any(room in file.as_posix() for room in NAMED_AS_WHAT_THEY_SHOW)


def test_no_class_name_stands_in_two_modules() -> None:
    assert not repeated_classes(_modules())


def test_no_module_name_stands_in_two_folders() -> None:
    assert not repeated_modules(_modules())


@pytest.mark.parametrize(
    ("finder", "name"), [(repeated_classes, "Lane"), (repeated_modules, "lane")]
)
def test_a_second_one_is_found(tmp_path: Path, finder: object, name: str) -> None:
    files = [tmp_path / room / "lane.py" for room in ("features", "serving")]
    for file in files:
        file.parent.mkdir()
        file.write_text("class Lane: ...\n")

    assert list(finder(iter(files))) == [name]  # type: ignore[operator]  # either finder
