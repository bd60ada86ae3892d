"""In review, people act: every service believes their tokens."""

import pytest


@pytest.fixture(autouse=True)
def _believing(trusting: None) -> None:
    """Let every service here believe the tokens of people."""
