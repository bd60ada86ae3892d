from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings
from tests.serving.conftest import NOW, Service
from tests.serving.review.cases.test_cases_served import PLAN


@pytest.fixture
def reviewed(home: Path, trusting: None) -> Iterator[Service]:
    """A service that sends the example shipment to inspection, whatever its score."""
    (home / "lanes.toml").write_text(PLAN)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app) as client:
        yield Service(client, app.state.services, home)
