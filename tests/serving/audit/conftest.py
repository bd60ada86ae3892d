"""Homes with periods, over either engine."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from serving.settings import Settings
from tests.serving.audit.installation import PERIODS, Installation
from tests.serving.canaries import PLAN


@pytest.fixture
def place(home: Path, where: Path | str) -> Installation:
    """A home with periods, over either engine."""
    (home / "lanes.toml").write_text(PLAN)
    (home / "retention.toml").write_text(PERIODS)
    url = None if isinstance(where, Path) else SecretStr(where)
    return Installation(Settings(home=home, database_url=url, max_rescores_per_subject=0))


@pytest.fixture
def file_place(home: Path) -> Installation:
    """The same, over a file only."""
    (home / "lanes.toml").write_text(PLAN)
    (home / "retention.toml").write_text(PERIODS)
    return Installation(Settings(home=home, max_rescores_per_subject=0))
