"""What holds in every room of the tests."""

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, and nothing of the code. The examples are
# the same in every run, so that what fails does so for whoever changed something.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

BROWSER = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a second time what waits for a browser or for a killed process; the run's end names it.

    On a busy machine either can be later than any wait allows for. What is broken fails twice.
    """
    for item in items:
        if BROWSER in item.path.parents or item.get_closest_marker("faults"):
            item.add_marker(pytest.mark.flaky(reruns=1))
