"""Homes with periods of retention, whose service comes and goes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from typer.testing import CliRunner

from serving.app import create_app
from serving.audit.clock_check import ClockCheck
from serving.audit.retention import Retention, WaitingErasure
from serving.cli.main import app as tidegate
from serving.history.client import rebuild_history
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.postgres_state import shared_state
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from tests.serving.canaries import decided, ended
from tests.serving.conftest import NOW, Service

ANY_CLOCK = ClockCheck(dict)
"""Nothing was written that a clock could disagree with."""

LATER = NOW + timedelta(days=365 * 6)
PERIODS = """
[decisions]
mask_after_days = 180
erase_after_days = 1825
[records]
erase_after_days = 1825
[files]
erase_after_days = 1825
[erasure]
wait_days = 0
"""


@dataclass
class Installation:
    """A home over either engine, whose service comes and goes."""

    settings: Settings
    times_served: int = 0

    @contextmanager
    def serving(self, at: datetime = NOW) -> Iterator[Service]:
        """The service at an instant; what it decided is sealed when it ends."""
        app = create_app(self.settings, clock=lambda: at)
        self.times_served += 1
        with TestClient(app, raise_server_exceptions=False) as client:
            posted = 1_000 * self.times_served  # names of keys are taken once
            yield Service(client, app.state.services, self.settings.home, posted)

    def retention(self) -> Retention:
        """What ends its data."""
        engine = self.engine()
        log, records, shared = (
            DecisionRepository(engine),
            RecordRepository(engine),
            shared_state(engine),
        )
        return Retention(
            self.settings,
            DatabaseErasure(engine),
            RetentionRepository(engine),
            lambda: rebuild_history(self.settings, log, records, shared),
            ANY_CLOCK,
        )

    def engine(self) -> Any:
        """Its database, opened anew."""
        settings = self.settings
        return open_database(settings.database, is_service=False, keys=settings.keys)

    def erased(self, at: datetime = LATER) -> dict[str, Any]:
        """Propose and erase what is over; the certificate."""
        number = self.retention().propose("ada", "the time is over", at)
        file = certificate(self.retention().erase(number, "grace", "as proposed", at))
        return dict(json.loads(file.read_text()))

    def record(self, decision_id: str) -> str | None:
        """A record as it is read now."""
        return DecisionRepository(self.engine()).record(decision_id)


def certificate(done: Path | WaitingErasure) -> Path:
    """The certificate of an erasure that did not wait."""
    assert isinstance(done, Path)
    return done


def closed_case(place: Installation) -> str:
    with place.serving() as service:
        case_id = decided(service)
        ended(service, case_id)
    return case_id


def seal(place: Installation, case_id: str) -> None:
    """Seal the account of a case for a court, in the home."""
    given = ("--for", "court", "--recipient", "a court", "--by", "ada", "--because", "its order")
    done = command(place, "export", "case", case_id, *given)
    assert done.exit_code == 0, done.exception


def command(place: Installation, *arguments: str) -> Any:
    home = str(place.settings.home)
    url = place.settings.database_url
    given = ["--database-url", url.get_secret_value()] if url else []
    return CliRunner().invoke(tidegate, [*arguments, "--home", home, *given])
