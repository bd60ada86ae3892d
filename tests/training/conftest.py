"""One planted world serves the whole room; tests that change it write their own."""

from pathlib import Path

import pytest

from tests.training.planted import planted_world, write_training_set


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training-set folder of 6,000 shipments in 360 days, about 3,500 of them with a label."""
    return write_training_set(tmp_path_factory.mktemp("planted"), *planted_world(6_000, seed=3))
