"""Served homes and databases, as the tests of serving make them, and a service to do harm to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.access.api_keys import new_key
from serving.app import utc_now
from serving.storage.engine import open_database
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from tests.faults.served import Served
from tests.ports import free_port
from tests.serving.conftest import home, postgres, trained_home

__all__ = ["home", "postgres", "trained_home"]

Serve = Callable[..., Served]


@pytest.fixture
def serve(home: Path) -> Iterator[Serve]:
    """Makes a service over the home, not yet started; all are killed in the end."""
    made: list[Served] = []

    def serving(database_url: str | None = None, workers: int = 1, **settings: Any) -> Served:
        engine = open_database(database_url or home / "tidegate.db", is_service=False)
        kept, shown = new_key(f"load-{len(made)}", ("score", "explain"), (), utc_now())
        ApiKeyRepository(engine).add_key(kept)
        engine.dispose()
        made.append(Served(home, str(shown), free_port(), database_url, workers, settings))
        return made[-1]

    yield serving
    for each in made:
        each.kill()
