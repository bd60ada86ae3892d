"""Whoever must answer for a model finds all that is on file about it in one place."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from features.catalogue import features_of
from features.errors import Tampered
from serving.cli.main import app as commands
from tests.serving.world import train_and_promote
from training.dossier.dossier_page import render_dossier
from training.dossier.gathered import Dossier
from training.errors import TrainingError
from training.gates.verdict import Verdict, write_verdicts
from training.model.model_home import ModelHome

REFERENCE = "tidegate-shipment@champion"


def told(home: Path) -> Dossier:
    return Dossier.gather(REFERENCE, ModelHome(home))


def run(home: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(commands, ["dossier", *arguments, "--home", str(home), "--json"])
    if result.exception:
        raise result.exception
    return json.loads(result.stdout)


def test_the_file_tells_of_data_inputs_measures_and_versions(home: Path) -> None:
    html = render_dossier(told(home))
    manifest = told(home).model.manifest
    assert all(f"<td>{feature.name}</td>" in html for feature in features_of("shipment"))
    assert manifest.training_set_digest in html
    assert f"{manifest.training_window.fit.labelled:,}" in html
    assert told(home).report.population_in_words in html
    assert html.count("data:image/png") >= 4


def test_every_version_is_listed_and_the_champion_named(home: Path) -> None:
    train_and_promote(home, "shipment", "2", seed=8)
    gathered = told(home)
    assert [v.registration.version for v in gathered.versions] == ["1", "2"]
    assert [v.is_champion for v in gathered.versions] == [False, True]
    assert "2 (champion)" in render_dossier(gathered)


def test_what_every_gate_said_at_the_promotion_is_in_the_file(home: Path) -> None:
    assert "it was never promoted" in render_dossier(told(home))
    undecided = Verdict("canaries", "undecided", "there are none").waived("waived by grace")
    write_verdicts(ModelHome(home).find(REFERENCE), (undecided,))

    html = render_dossier(told(home))

    for cell in ("canaries", "undecided, waived", "there are none; waived by grace"):
        assert f"<td>{cell}</td>" in html
    assert told(home).as_json["verdicts"] == [
        {
            "gate": "canaries",
            "verdict": "undecided",
            "reason": "there are none; waived by grace",
            "is_waived": True,
            "cases": None,
            "not_required_in": None,
        }
    ]


def test_the_command_writes_both_forms_and_prints_one(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "file"
    printed = run(home, REFERENCE, "--out", str(out))
    assert json.loads((out / "dossier.json").read_text()) == printed
    assert printed["digest"] == told(home).model.digest
    assert "golden" not in printed["manifest"]
    assert (out / "dossier.html").read_text().startswith("<!doctype html>")


def test_an_unknown_or_a_damaged_model_has_no_file(home: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError):
        run(home, "tidegate-shipment/99")
    report = ModelHome(home).find(REFERENCE) / "report.json"
    report.write_bytes(report.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(Tampered):
        run(home, REFERENCE, "--out", str(tmp_path / "file"))
    assert not (tmp_path / "file").exists()
