"""Gates on scores, whoever gave them, beside what they say of the model that gave them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.planted import INPUTS, planted_world, write_training_set
from training.data.training_set import TrainingSet
from training.errors import TrainingSetError
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.reevaluation import parameters_of, scored_window, unseen_window
from training.gates.score_gates import (
    ScoredSubjects,
    champion_verdicts,
    report_on,
    traffic_verdicts,
)
from training.gates.verdict import Verdict
from training.model.risk_model import RiskModel
from training.parameters import TrainingParameters, TreeParameters
from training.ranking import Floats
from training.train import train_model


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


@pytest.fixture(scope="module")
def model(data: TrainingSet) -> RiskModel:
    trees = TreeParameters(trees=60, leaves=6, early_stopping_rounds=0)
    return train_model(data, TrainingParameters(threads=1, trees=trees)).model


@pytest.fixture(scope="module")
def scored(model: RiskModel, data: TrainingSet) -> ScoredSubjects:
    """The evaluation window with the model's own scores."""
    window = unseen_window(model, data)
    return ScoredSubjects(data, window, scored_window(model, data, window).log_odds)


def own_report(model: RiskModel) -> EvaluationReport:
    return EvaluationReport.model_validate_json(model.report_json)


def test_scores_of_a_model_give_the_figures_of_its_own_evaluation(
    model: RiskModel, scored: ScoredSubjects
) -> None:
    told, own = scored.report(parameters_of(model)), own_report(model)

    assert told.population == own.population
    for name in ("roc_auc", "population_roc_auc", "population_calibration_slope"):
        assert told.metrics[name] == own.metrics[name]
    assert [*traffic_verdicts(told)] == [*traffic_verdicts(own)]
    assert [verdict.gate for verdict in traffic_verdicts(told)] == [
        "better than random",
        "calibration",
        "groups",
    ]


def test_scores_the_wrong_way_round_pass_neither_as_a_ranking_nor_as_probabilities(
    model: RiskModel, scored: ScoredSubjects
) -> None:
    told = turned(scored, -scored.log_odds).report(parameters_of(model))

    answers = {verdict.gate: verdict.verdict for verdict in traffic_verdicts(told)}
    assert answers["better than random"] == "refused"
    assert answers["calibration"] == "refused"


def test_subjects_are_scored_by_a_model_as_it_would_score_them(
    model: RiskModel, scored: ScoredSubjects
) -> None:
    nobody = replace(scored, log_odds=np.zeros(len(scored.log_odds)))

    assert nobody.scored_by(model).log_odds.tolist() == scored.log_odds.tolist()
    of_routes = replace(model, manifest=model.manifest.model_copy(update={"subject": "route"}))
    with pytest.raises(TrainingSetError):
        nobody.scored_by(of_routes)


def test_a_report_on_another_set_tells_of_the_traffic_there(
    model: RiskModel, data: TrainingSet, tmp_path: Path
) -> None:
    write_training_set(tmp_path, *planted_world(6_000, seed=4))
    elsewhere = TrainingSet.read(tmp_path, "shipment", INPUTS)

    own, other = report_on(model, data), report_on(model, elsewhere)

    assert own == own_report(model)
    assert other.population is not None
    assert other.population != own.population
    window = unseen_window(model, elsewhere)
    assert other.population.figures.subjects == len(
        elsewhere.declared_between(window.begins, window.ends)
    )
    assert other.model_copy(update={"population": own.population}) == own


def turned(scored: ScoredSubjects, log_odds: Floats) -> ScoredSubjects:
    return replace(scored, log_odds=log_odds)


def test_the_champion_is_compared_on_the_same_subjects(scored: ScoredSubjects) -> None:
    worse = turned(scored, -scored.log_odds)

    of_worse, of_better = (
        {verdict.gate: verdict for verdict in champion_verdicts(*pair)}
        for pair in ((worse, scored), (scored, worse))
    )

    assert [*of_worse] == [*of_better] == ["no worse than the champion", "control lane"]
    assert of_worse["no worse than the champion"].verdict == "refused"
    assert of_better["no worse than the champion"].verdict == "passed"
    assert of_worse["control lane"].verdict != "passed"


def test_without_a_champion_no_comparison_is_passed(scored: ScoredSubjects) -> None:
    why = "there is no champion to compare with; once there is one, its successor is compared"

    verdicts = [*champion_verdicts(scored, None)]

    assert [replace(verdict, cases=None) for verdict in verdicts] == [
        Verdict("no worse than the champion", "undecided", why),
        Verdict("control lane", "undecided", why),
    ]
    labels, by_lot = scored.everyone.labels, scored.everyone.in_random_lane
    known = [verdict.cases.known for verdict in verdicts if verdict.cases]
    assert known == [np.nansum(labels), np.nansum(labels[by_lot])]
