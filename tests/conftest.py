"""What holds in every room of the tests."""

import gc
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, and nothing of the code. The examples are
# the same in every run, so that what fails does so for whoever changed something.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

HERE = Path(__file__).parent
LONG = {"agreement", "browser", "deploy", "docs", "experiments", "faults", "test_demo.py"}
"""Rooms and files of few tests that take long: begun last, one would be waited for alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first."""
    items.sort(key=lambda item: not _is_long(item.path))


def pytest_collection_finish() -> None:
    """Let no test wait until all that was collected is looked through for what may go."""
    gc.collect()
    gc.freeze()


def _is_long(path: Path) -> bool:
    return path.is_relative_to(HERE) and path.relative_to(HERE).parts[0] in LONG
