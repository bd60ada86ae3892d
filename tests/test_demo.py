"""The demonstration as a stranger runs it, twice in the same place, and what it leaves behind."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port

TIDEGATE = [sys.executable, "-m", "serving.cli.main"]
NUMBER_AT_THE_END = re.compile(r"([+-]\d+\.\d{3})$", flags=re.MULTILINE)


def tidegate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TIDEGATE, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def shown(home: Path) -> list[subprocess.CompletedProcess[str]]:
    arguments = ("demo", "--once", "--home", str(home), "--port", str(free_port()))
    return [tidegate(*arguments) for _ in range(2)]


def test_it_ends_well_and_does_so_again_in_the_same_place(
    shown: list[subprocess.CompletedProcess[str]],
) -> None:
    assert [ran.returncode for ran in shown] == [0, 0], shown[-1].stderr


def test_the_printed_contributions_add_up_to_the_printed_log_odds(
    shown: list[subprocess.CompletedProcess[str]],
) -> None:
    for ran in shown:
        *parts, total = (float(number) for number in NUMBER_AT_THE_END.findall(ran.stdout))
        assert len(parts) >= 4
        assert sum(parts) == pytest.approx(total, abs=1e-9)


def test_it_names_the_console_and_prints_no_log_lines(
    shown: list[subprocess.CompletedProcess[str]],
) -> None:
    assert re.search(r"Console: http://127\.0\.0\.1:\d+/console", shown[0].stdout)
    assert '"event"' not in shown[0].stdout + shown[0].stderr


@pytest.mark.usefixtures("shown")
def test_an_mlflow_client_loads_the_champion_and_predicts(home: Path) -> None:
    """In a process of its own, as a data scientist would, with the flavour's own loader."""
    program = f"""
import mlflow, pandas as pd
mlflow.set_tracking_uri("sqlite:///{home / "mlflow.db"}")
booster = mlflow.lightgbm.load_model("models:/tidegate-shipment@champion")
rows = pd.DataFrame(0.0, index=range(3), columns=booster.feature_name())
print(len(booster.predict(rows)), booster.num_feature())
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    rows, features = map(int, ran.stdout.split())
    assert rows == 3
    assert features >= 30


@pytest.mark.usefixtures("shown")
def test_every_stored_decision_replays_to_the_bit(home: Path) -> None:
    from serving.db.engine import open_database
    from serving.db.repositories.decision_repository import DecisionRepository

    records = list(
        DecisionRepository(open_database(home / "tidegate.db", is_service=False)).records()
    )
    assert len(records) >= 200

    for record in (records[0], records[-1]):
        ran = tidegate("replay", decision_id(record), "--home", str(home), "--json")
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["identical"]


@pytest.mark.usefixtures("shown")
def test_a_file_of_shipments_is_scored_offline(home: Path, tmp_path: Path) -> None:
    asked = home / "records" / "shipments.parquet"
    arguments = ("--subject", "shipment", "--home", str(home), "--json")

    ran = tidegate("score", str(asked), *arguments, "--out", str(tmp_path / "scores.parquet"))

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["subjects"] > 30_000


def decision_id(record: str) -> str:
    found: str = json.loads(record)["decision_id"]
    return found
