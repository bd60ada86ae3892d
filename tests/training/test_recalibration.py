"""A recalibration keeps the trees, and learns from what they have not seen."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.planted import INPUTS, QUICK
from training.data.training_set import TrainingSet
from training.errors import WindowUnusable
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.reevaluation import scored_window, unseen_window
from training.gates.comparison_gate import RANKS_ALIKE
from training.gates.gates import (
    golden_vectors,
    holds_on_the_control_lane,
    no_worse_than_champion,
    well_recalibrated,
)
from training.model.manifest import Calibration
from training.model.risk_model import RiskModel
from training.parameters import TrainingParameters, TreeParameters
from training.train import recalibrate_model, train_model


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


@pytest.fixture(scope="module")
def trained(data: TrainingSet) -> RiskModel:
    trees = TreeParameters(trees=30, leaves=6)
    return train_model(data, TrainingParameters(**QUICK, trees=trees)).model


def promising(model: RiskModel, times: float) -> RiskModel:
    """The model with odds so many times as high."""
    line = model.manifest.calibration
    changed = Calibration(slope=line.slope, intercept=line.intercept + float(np.log(times)))
    manifest = model.manifest.model_copy(update={"calibration": changed})
    files = {
        "booster.txt": model.booster_text.encode(),
        "report.json": model.report_json,
        "usual.parquet": model.peers.content,
    }
    return RiskModel.from_files(manifest, files, INPUTS)


@pytest.fixture(scope="module")
def overstated(trained: RiskModel) -> RiskModel:
    return promising(trained, 4)


@pytest.fixture(scope="module")
def recalibrated(overstated: RiskModel, data: TrainingSet) -> RiskModel:
    return recalibrate_model(overstated, data).model


def test_the_trees_stay_and_probabilities_become_true(
    trained: RiskModel, overstated: RiskModel, recalibrated: RiskModel, data: TrainingSet
) -> None:
    assert recalibrated.booster_text == trained.booster_text
    assert recalibrated.manifest.recalibrates == overstated.digest
    assert trained.manifest.recalibrates is None
    assert golden_vectors(recalibrated).verdict == "passed"
    scored = scored_window(recalibrated, data, unseen_window(recalibrated, data)).subjects(
        labelled_only=True
    )
    assert scored.probability.sum() == pytest.approx(scored.labels.sum(), rel=0.15)


def test_it_learns_from_results_that_the_trees_have_not_seen_and_not_from_the_newest(
    overstated: RiskModel, recalibrated: RiskModel, data: TrainingSet
) -> None:
    before, now = overstated.manifest.training_window, recalibrated.manifest.training_window

    assert now.fit.begins == before.fit.begins
    assert now.fit.ends == now.calibration.begins == before.evaluation.begins
    assert now.calibration.ends == now.evaluation.begins
    assert now.evaluation.ends == before.evaluation.ends
    assert now.evaluation.confirmed == pytest.approx(before.evaluation.confirmed / 2, abs=5)
    assert now.calibration.confirmed > 20
    report = EvaluationReport.model_validate_json(recalibrated.report_json)
    assert report.window == now.evaluation


def test_the_next_one_learns_from_all_that_the_trees_have_not_seen(
    recalibrated: RiskModel, data: TrainingSet
) -> None:
    again = recalibrate_model(recalibrated, data).model

    assert again.manifest.training_window == recalibrated.manifest.training_window
    assert again.manifest.calibration == recalibrated.manifest.calibration
    assert again.manifest.recalibrates == recalibrated.digest


def test_its_gate_compares_it_with_the_champion_that_it_recalibrates(
    trained: RiskModel, overstated: RiskModel, recalibrated: RiskModel, data: TrainingSet
) -> None:
    assert well_recalibrated(recalibrated, overstated, data).verdict == "passed"
    for gate in (no_worse_than_champion, holds_on_the_control_lane):
        told = gate(recalibrated, overstated, data)
        assert (told.verdict, told.reason) == ("passed", RANKS_ALIKE)
    for other in (None, trained):
        told = well_recalibrated(recalibrated, other, data)
        assert told.verdict == "refused"
        assert "no longer champion" in told.reason
    assert well_recalibrated(recalibrated, overstated, None).verdict == "undecided"


def test_without_newer_results_there_is_nothing_to_learn(
    overstated: RiskModel, data: TrainingSet
) -> None:
    window = overstated.manifest.training_window
    far = window.evaluation.model_copy(update={"begins": window.evaluation.ends})
    manifest = overstated.manifest.model_copy(
        update={"training_window": window.model_copy(update={"evaluation": far})}
    )
    files = {
        "booster.txt": overstated.booster_text.encode(),
        "report.json": overstated.report_json,
        "usual.parquet": overstated.peers.content,
    }
    of_everything = RiskModel.from_files(manifest, files, INPUTS)

    with pytest.raises(WindowUnusable, match="no subject is confirmed of those declared from"):
        recalibrate_model(of_everything, data)
