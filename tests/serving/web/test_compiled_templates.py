"""Compiled templates are kept for the next process, and never answer for others."""

from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment

from serving.web.compiled_templates import CompiledTemplates


def rendered(folder: Path | None, source: str, compiler: bytes = b"one") -> str:
    """What a new process makes of a template that keeps its code in a folder."""
    kept = CompiledTemplates(folder, compiler)
    environment = Environment(loader=DictLoader({"page": source}), bytecode_cache=kept)
    return environment.get_template("page").render(value=2)


@pytest.fixture
def compiles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that are compiled from now on."""
    seen: list[str] = []
    generate = Environment._generate

    def counted(self: Environment, source: Any, name: str, *others: Any, **more: Any) -> str:
        seen.append(name)
        return generate(self, source, name, *others, **more)

    monkeypatch.setattr(Environment, "_generate", counted)
    return seen


def test_a_template_is_compiled_once_for_all_processes(tmp_path: Path, compiles: list[str]) -> None:
    assert [rendered(tmp_path, "is {{ value }}") for _ in range(3)] == ["is 2"] * 3
    assert compiles == ["page"]
    assert len(list(tmp_path.iterdir())) == 1


def test_another_source_or_another_compiler_makes_it_anew(
    tmp_path: Path, compiles: list[str]
) -> None:
    rendered(tmp_path, "is {{ value }}")

    assert rendered(tmp_path, "is {{ 3 * value }}") == "is 6"
    assert rendered(tmp_path, "is {{ 3 * value }}", b"two") == "is 6"
    assert len(compiles) == 3
    assert len(list(tmp_path.iterdir())) == 1, "what is outdated is not kept"


@pytest.mark.parametrize(
    "damaged", [lambda content: b"", lambda content: content[:-9], lambda content: content[::-1]]
)
def test_code_that_was_damaged_is_made_anew(
    tmp_path: Path, compiles: list[str], damaged: Any
) -> None:
    rendered(tmp_path, "is {{ value }}")
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damaged(whole))

    assert rendered(tmp_path, "is {{ value }}") == "is 2"
    assert len(compiles) == 2
    assert kept.read_bytes() == whole


@pytest.mark.parametrize("folder", [None, Path("/proc/no/such/folder")])
def test_pages_are_shown_where_nothing_can_be_kept(folder: Path | None) -> None:
    assert rendered(folder, "is {{ value }}") == "is 2"


def test_a_disk_that_fills_up_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)

    assert rendered(tmp_path, "is {{ value }}") == "is 2"
    assert list(tmp_path.iterdir()) == []
