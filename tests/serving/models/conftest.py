"""Here models are read as they are by a service: every time."""

import pytest


@pytest.fixture(autouse=True)
def read_models() -> None:
    """Nothing is kept of what was read."""
