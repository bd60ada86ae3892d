"""The demonstration as a stranger runs it, twice in the same place, and what it leaves behind."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from features.catalogue import features_by_name
from serving.app import create_app
from serving.settings import Settings
from tests.ports import free_port
from tests.true_reasons import untrue_reasons

EXPLAINED_OF_EACH = 260

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


@pytest.fixture(scope="module")
def explained(shown: list[subprocess.CompletedProcess[str]], home: Path) -> list[dict[str, Any]]:
    """Explained answers about the world's last subjects, as many of each kind."""
    from features.ingest.record_files import read_records
    from features.records import SUBJECT_KINDS
    from features.replay_submissions import submissions_of
    from serving.access.api_keys import new_key

    assert shown
    newest = read_records(home / "world", "shipments")["declared_at"].to_pandas().max()
    since = (newest - timedelta(days=6)).to_pydatetime()
    app = create_app(Settings(home=home), clock=lambda: datetime.now(UTC))
    kept, key = new_key("reader", ("score", "explain"), (), datetime.now(UTC))
    app.state.services.api_keys.add_key(kept)
    answers = []
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
        for kind in SUBJECT_KINDS:
            chosen = islice(submissions_of(home / "world", kind, since), EXPLAINED_OF_EACH)
            bodies = [submission.model_dump_json(exclude_none=True) for submission in chosen]
            assert len(bodies) == EXPLAINED_OF_EACH
            answers += _scored(client, bodies)
    return answers


def test_no_reason_of_five_hundred_decisions_is_untrue(explained: list[dict[str, Any]]) -> None:
    assert [fault for answer in explained for fault in untrue_reasons(answer)] == []
    assert sum(len(answer["reasons"]) for answer in explained) > 2 * len(explained)


def test_an_untrue_reason_would_be_found(explained: list[dict[str, Any]]) -> None:
    every = [(answer, reason) for answer in explained for reason in answer["reasons"]]
    of, one = next((answer, reason) for answer, reason in every if reason["effect"] == "for")

    def faults(**changed: Any) -> list[str]:
        lead = next(e for e in one["evidence"] if e["contribution"] > 0)
        reason = {**one, "evidence": [{**lead, **changed}]}
        return [*untrue_reasons({**of, "reasons": [reason]})]

    def under(indicator: str) -> list[str]:
        return [*untrue_reasons({**of, "reasons": [{**one, "indicator": indicator}]})]

    scale = next(f for f in features_by_name().values() if f.indicator is None)
    rate = next(name for name in features_by_name() if name.endswith("_confirmed_rate"))
    assert faults() == []
    assert faults(value=None)
    assert faults(feature=scale.name)
    assert faults(feature=rate, sentence="Of inspected ones, 30 % were confirmed")
    assert under("D99")


def test_a_comfort_of_which_nothing_is_known_would_be_found(
    explained: list[dict[str, Any]],
) -> None:
    unpaid = next(a for a in explained if "transactions" in a["missing"] and a["reasons"])
    like = unpaid["reasons"][0]
    evidence = {"feature": "payer_count", "value": 0.0, "contribution": -0.1, "sentence": "0 paid"}
    evidence |= {"comparison": {"percentile": 7.5}}
    comfort = like | {"indicator": "T15", "effect": "against", "evidence": [evidence]}

    faults = [*untrue_reasons({**unpaid, "reasons": [comfort]})]

    assert len(faults) == 1
    assert "nothing is known" in faults[0]


def _scored(client: Any, bodies: list[str]) -> Iterator[dict[str, Any]]:
    body = "\n".join(bodies)
    headers = {
        "Idempotency-Key": sha256(body.encode()).hexdigest(),
        "Content-Type": "application/x-ndjson",
    }
    answered = client.post("/v1/scores/batch", content=body, headers=headers)
    for line in answered.text.splitlines():
        part = json.loads(line)
        assert part["status"] == 200, line
        yield part["answer"]


def decision_id(record: str) -> str:
    found: str = json.loads(record)["decision_id"]
    return found
