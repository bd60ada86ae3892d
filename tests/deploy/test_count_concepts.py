"""The counts of the project's concepts follow their stated rules."""

from pathlib import Path

import pytest

from deploy.count_concepts import commands, concepts

CORE = '''"""What it is for."""
# Why it is so.
import os  # noqa


class Refused(ValueError):
    """Which one."""


class Late(Refused):
    """A late one."""


class Store(Protocol[int]):
    def read(self) -> int: ...


def main():
    """Run."""


def _hidden(): ...
'''


@pytest.fixture
def counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    monkeypatch.chdir(tmp_path)
    files = {
        "serving/a.py": CORE,
        "training/b.py": "def main(): ...\ndef _hidden(): ...\n",
        "serving/client/c.py": "class Refused(ValueError): ...\n",
        "tests/test_a.py": "def test(): ...\n",
        "tests/rows.toml": "a = 1\nb = 2\n",
        "docs/adr/0001-a.md": "",
        "docs/index.md": "",
        "docs/configuration.md": "|\n| `TIDEGATE_HOME` | path |\n| `TIDEGATE_A`, `_B` | x |\n",
    }
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    return concepts([Path(name) for name in files])


def test_each_rule_counts_what_it_states(counts: dict[str, float]) -> None:
    assert counts["functions and classes"] == 8
    assert counts["duplicate public function names"] == 1
    assert counts["duplicate class names"] == 0
    assert counts["error classes"] == 2
    assert counts["protocols"] == 1
    assert counts["docstrings that ask, share"] == pytest.approx(1 / 3)
    assert counts["comments per 100 lines"] == pytest.approx(100 / counts["lines of the core"])
    assert counts["lines of tests"] == 3
    assert counts["pages of docs"] == 3
    assert counts["settings"] == 2
    assert counts["pages of decisions"] == 1


def test_a_command_is_counted_with_its_group_and_once() -> None:
    found = commands()

    assert {"serve", "keys create", "retention due"} <= {*found}
    assert "keys" not in found
    assert len(found) == len({*found})
