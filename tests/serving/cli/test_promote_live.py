"""What a promotion hears of live traffic, from the database of the home."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from serving.cli.main import app as tidegate
from serving.cli.promote import _live
from serving.settings import Settings, settings_of
from serving.storage.engine import open_database
from tests.serving.monitor.invented_log import BEGIN, DELAY, Invented, invent, opine
from tests.serving.postgres import Server
from training.gates.waivable import Waivable
from training.model.model_home import ModelHome
from training.model.model_registration import REGISTRATION, Registration

NAME = "tidegate-shipment"


@pytest.fixture
def models(tmp_path: Path) -> ModelHome:
    models = ModelHome(tmp_path)
    folder = models.folder_of(NAME, "2")
    folder.mkdir(parents=True)
    registration = Registration(
        name=NAME,
        version="2",
        digest="-",
        trainer="ada",
        registered_at=BEGIN,
        run_id="-",
        tracking_uri="-",
    )
    (folder / REGISTRATION).write_text(registration.model_dump_json())
    return models


def asked(models: ModelHome, first: int | None, database_url: str | None = None) -> Invented:
    """A log of decisions that version 2, which knows nothing, was asked about from a number on."""
    settings = settings_of(models.home, database_url)
    engine = open_database(settings.database, is_service=False, keys=settings.keys)
    invented = invent(engine, days=42, a_day=100, control=0.5)
    if first is not None:
        opine(engine, invented, knows=False, first=first)
    return invented


def heard(models: ModelHome, now: datetime, settings: Settings | None = None) -> str | None:
    verdict = _live(models, f"{NAME}/2", settings or settings_of(models.home), now)
    return verdict and verdict.verdict


def test_where_no_service_was_ever_started_live_traffic_is_not_asked(models: ModelHome) -> None:
    assert heard(models, BEGIN) is None


def test_a_version_that_finds_less_is_refused_once_results_are_there(models: ModelHome) -> None:
    invented = asked(models, first=0)
    assert heard(models, invented.end + 2 * DELAY) == "refused"


def test_a_version_that_was_asked_since_yesterday_is_undecided(models: ModelHome) -> None:
    invented = asked(models, first=4_100)
    assert heard(models, invented.end + timedelta(hours=1)) == "undecided"


def test_a_version_that_nobody_asked_hears_nothing(models: ModelHome) -> None:
    invented = asked(models, first=None)
    assert heard(models, invented.end + 2 * DELAY) is None


def test_the_database_that_a_promotion_names_is_the_one_that_is_asked(
    models: ModelHome, postgres: Server
) -> None:
    settings = settings_of(models.home, postgres.new_database())
    invented = asked(models, first=0, database_url=str(settings.database))

    assert heard(models, invented.end + 2 * DELAY, settings) == "refused"


@pytest.mark.parametrize(
    "command",
    [["promote", "--model", "x@challenger"], ["approvals", "propose", "--dry-run", "waive", "x/1"]],
)
def test_a_command_takes_every_gate_that_a_waiver_can_name_and_no_other(
    command: list[str], tmp_path: Path
) -> None:
    def waiving(*gates: str) -> str:
        waived = (word for gate in gates for word in ("--waive", gate))
        told = [*command, "--home", str(tmp_path), *waived]
        return CliRunner().invoke(tidegate, told).output

    assert "is not one of" not in waiving(*get_args(Waivable))
    assert "'artefact' is not one of" in " ".join(waiving("artefact").split())
