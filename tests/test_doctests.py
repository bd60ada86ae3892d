"""The examples in docstrings hold.

Pytest could collect them by itself (`--doctest-modules`), but would import and search all 1,100
source files in every worker to find the 50 that have an example.
"""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "tidegate": ROOT,
    "features": ROOT,
    "training": ROOT,
    "serving": ROOT,
    "synthetic": ROOT / "data",
}
WITH_EXAMPLES = [
    file.relative_to(parent).with_suffix("").as_posix()
    for folder, parent in FOLDERS.items()
    for file in sorted((parent / folder).rglob("*.py"))
    if ">>> " in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("file", WITH_EXAMPLES)
def test_the_examples_of_a_module_hold(file: str) -> None:
    tried = doctest.testmod(importlib.import_module(file.replace("/", ".")))

    assert tried.attempted
    assert not tried.failed
