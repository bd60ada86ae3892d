"""The command says of whom it speaks, what a policy would find, and what was found without."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from serving.cli.main import app
from tests.training.planted import INPUTS, planted_world, write_training_set
from training.model.model_inputs import ModelInputs

POLICY = """
begins = 2025-05-01
weeks = 20
capacity_share = {share}
[trees]
trees = 10
leaves = 4
early_stopping_rounds = 0
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_training_set(tmp_path_factory.mktemp("set"), *planted_world(6_000, seed=3))


def backtest(
    built: Path, share: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *options: str
) -> Any:
    monkeypatch.setattr(ModelInputs, "for_subject", lambda subject: INPUTS)
    policy = tmp_path / "top.toml"
    policy.write_text(POLICY.format(share=share))
    words = ["backtest", "--subject", "shipment", "--policy", policy, "--training-set", built]
    arguments = [str(word) for word in (*words, "--out", tmp_path / "out", *options)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result


def test_a_logged_history_is_told_with_intervals_and_the_status_quo(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (told,) = json.loads(backtest(built, 0.2, monkeypatch, tmp_path, "--json").stdout)
    assert told["hits"]["low"] < told["hits"]["value"] < told["hits"]["high"]
    assert told["precision"]["value"] == pytest.approx(told["hits"]["value"] / told["inspected"])
    assert told["inspections_made"]["hits"] > 0
    assert told["refusal"] is None
    assert json.loads((tmp_path / "out" / "backtest.json").read_text()) == [told]
    assert (tmp_path / "out" / "backtest.html").exists()


def test_words_say_of_whom_and_how_surely(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = " ".join(backtest(built, 0.2, monkeypatch, tmp_path).output.split())
    assert "shipments declared from 2025-05-01 until before 2025-09-18" in said
    assert "Brackets are 95 % intervals" in said
    assert "as it was, without a policy:" in said
    assert "assumed for top: an inspection finds what is there" in said


def test_what_cannot_be_said_is_said_so_with_the_reason(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = " ".join(backtest(built, 0.01, monkeypatch, tmp_path).output.split())
    assert "what they would find cannot be said:" in said
    assert "say too little; want 30" in said
