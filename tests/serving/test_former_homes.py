"""A home of an earlier commit is read as it was written: its decisions replay, its log verifies.

`former_homes/c5d7118.tar.xz` was written by that commit: two decisions on routes, the model that
made them, and the keys that open and check both.
"""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from serving import stored_names
from serving.audit.decision import Decision
from serving.cli.main import app as tidegate
from serving.explanation.reason_ranking import Reasons
from serving.monitor.monitoring_report import (
    Drift,
    MonitoringReport,
    SliceFigures,
    StratumReport,
    TypologyReport,
    WeekReport,
)
from serving.storage.engine import open_database
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.stored_names import with_current_names

ARCHIVE = Path(__file__).parent / "former_homes" / "c5d7118.tar.xz"


@pytest.fixture
def former_home(tmp_path: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    assert run("upgrade", home=tmp_path).exit_code == 0
    return tmp_path


def stored_records(home: Path) -> list[str]:
    engine = open_database(home / "tidegate.db", is_service=False, keys=home / "keys")
    return [record for record in DecisionRepository(engine).records() if record]


def run(*arguments: str, home: Path) -> Any:
    return CliRunner().invoke(tidegate, [*arguments, "--home", str(home), "--json"])


def test_its_decisions_replay_to_the_bit(former_home: Path) -> None:
    records = [json.loads(record) for record in stored_records(former_home)]

    assert len(records) == 2
    for record in records:
        result = run("replay", record["decision_id"], home=former_home)
        assert json.loads(result.stdout)["differences"] == []


def test_its_log_verifies(former_home: Path) -> None:
    result = run("verify-log", home=former_home)

    assert result.exit_code == 0
    assert json.loads(result.stdout)["size"] == 2


def test_its_decisions_are_read_under_the_names_of_now(former_home: Path) -> None:
    (record, _) = stored_records(former_home)
    stored = json.loads(record)
    assert {"attached"} <= stored.keys()
    assert {"beside"} <= stored["reasons"].keys()

    decision = Decision.model_validate_json(record)

    assert decision.linked_records == tuple(stored["attached"])
    assert decision.reasons is not None
    assert decision.reasons.comparisons.keys() == stored["reasons"]["beside"].keys()
    written = json.loads(decision.as_json())
    assert "attached" not in written
    assert "beside" not in written["reasons"]
    assert Decision.model_validate_json(decision.as_json()) == decision


@pytest.mark.parametrize(
    ("document", "former_names"),
    [
        (Decision, stored_names.DECISION),
        (Reasons, stored_names.REASONS),
        (SliceFigures, stored_names.REPORT_SLICE),
        (StratumReport, stored_names.REPORT_STRATUM),
        (TypologyReport, stored_names.REPORT_TYPOLOGY),
        (WeekReport, stored_names.REPORT_WEEK),
        (Drift, stored_names.REPORT_DRIFT),
        (MonitoringReport, stored_names.REPORT),
    ],
)
def test_every_former_name_is_a_field_under_its_name_of_now(
    document: Any, former_names: dict[str, str]
) -> None:
    assert set(former_names.values()) <= document.model_fields.keys()
    assert document.model_fields.keys().isdisjoint(former_names)


def test_a_part_of_a_former_report_is_read() -> None:
    former = {"week": "2026-11-23", "measures": 3, "moved": [], "unjudged": "everything"}

    assert Drift.model_validate(former).not_judged == "everything"


def test_a_week_and_a_stratum_of_a_former_report_are_read() -> None:
    share = {"value": 0.5, "low": 0.4, "high": 0.6}
    week = {"week": "2026-11-23", "decisions": 9, "inspected": share, "drawn": share, "unknown": 1}
    stratum = {"name": "a", "size": 9, "looked_at": 4, "unknown": 5, "confirmed": 2, "share": share}

    assert WeekReport.model_validate(week).control.value == 0.5
    assert StratumReport.model_validate(stratum).known_outcomes == 4


def test_what_has_the_names_of_now_is_left_as_it_is() -> None:
    document = {"linked_records": [], "lane": "inspect"}

    assert with_current_names(document, stored_names.DECISION) is document
