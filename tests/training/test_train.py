from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.planted import INPUTS, planted_world, write_training_set
from training.data.training_set import TrainingSet
from training.errors import TrainingError, WindowUnusable
from training.fit.booster_predict import Margins
from training.fit.fit_trees import tree_count
from training.gates.gates import better_than_random
from training.parameters import (
    SelectionParameters,
    SplitParameters,
    TrainingParameters,
    TreeParameters,
)
from training.train import Candidate, train_model

PARAMETERS = TrainingParameters(threads=1, trees=TreeParameters(trees=80, leaves=8))


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


@pytest.fixture(scope="module")
def candidate(data: TrainingSet) -> Candidate:
    return train_model(data, PARAMETERS)


def test_the_same_data_parameters_and_seed_give_the_same_digest(
    planted: Path, candidate: Candidate
) -> None:
    again = train_model(TrainingSet.read(planted, "shipment", INPUTS), PARAMETERS)
    reseeded = train_model(
        TrainingSet.read(planted, "shipment", INPUTS), PARAMETERS.model_copy(update={"seed": 99})
    )

    assert again.model.digest == candidate.model.digest
    assert reseeded.model.digest != candidate.model.digest


def test_the_planted_signal_is_found_and_the_noise_is_not(candidate: Candidate) -> None:
    auc = candidate.report.inspected.roc_auc
    order = [entry.feature for entry in candidate.report.importance]

    assert auc.low is not None
    assert auc.low > 0.65
    assert order[-1] == "noise_ratio"


def test_golden_rows_are_real_rows_whose_contributions_add_up(
    candidate: Candidate, data: TrainingSet
) -> None:
    manifest = candidate.model.manifest
    names = [column.name for column in manifest.features]
    known = {tuple(row) for row in data.frame.replace({np.nan: None}).itertuples(index=False)}

    assert len(manifest.golden) >= 20
    for golden in manifest.golden:
        assert tuple(golden.values) in known
        total = manifest.base_log_odds + sum(golden.contributions)
        assert total == pytest.approx(golden.log_odds, abs=1e-9)
        row, _ = candidate.model.encode(dict(zip(names, golden.values, strict=True)))
        margin = Margins.from_text(candidate.model.booster_text, 1).predict(row[None, :])[0]
        line = manifest.calibration
        assert line.slope * margin + line.intercept == pytest.approx(golden.log_odds, abs=1e-12)
    assert any(None in golden.values for golden in manifest.golden)


def test_score_quantiles_and_references_describe_the_windows(
    candidate: Candidate, data: TrainingSet
) -> None:
    manifest = candidate.model.manifest
    quantiles = np.array(manifest.score_quantiles)
    late = manifest.reference["late_payments_30d"]
    corridor = manifest.reference["corridor"]

    assert (np.diff(quantiles) >= 0).all()
    assert 0 <= quantiles[0] < quantiles[-1] <= 1
    assert len(late.quantiles) == 21
    assert late.missing_share == 0
    assert sum(corridor.shares.values()) + corridor.missing_share == pytest.approx(1)
    assert manifest.reference["value_per_kg_ratio"].missing_share == pytest.approx(0.1, abs=0.03)


def test_shuffled_labels_leave_no_model_that_beats_the_lot(data: TrainingSet) -> None:
    labels = data.outcomes.label.copy()
    known = np.flatnonzero(data.outcomes.is_labelled)
    labels[known] = np.random.default_rng(4).permutation(labels[known])
    shuffled = replace(data, outcomes=replace(data.outcomes, label=labels))

    try:
        manifest = train_model(shuffled, PARAMETERS).model.manifest
    except TrainingError:
        return
    assert better_than_random(manifest).verdict != "passed"


def test_a_refit_grows_as_many_trees_as_are_best_in_the_mean_of_the_folds(
    candidate: Candidate, data: TrainingSet
) -> None:
    once = train_model(data, PARAMETERS.model_copy(update={"split": SplitParameters(refit=False)}))

    for trained in (candidate, once):
        losses = trained.losses
        assert tree_count(trained.model.booster_text) == min(losses, key=lambda n: losses[n])
    assert once.losses != candidate.losses
    assert once.model.booster_text != candidate.model.booster_text
    assert once.model.manifest.calibration != candidate.model.manifest.calibration


def test_many_labels_are_grown_and_calibrated_by_the_calibration_window_alone(
    data: TrainingSet, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trees are those of any refit; their number and the line are of the calibration window."""
    monkeypatch.setattr("training.fit.fit_calibrated.MAX_CROSS_FITTED", 1_000)

    many = train_model(data, PARAMETERS)

    trees, folded = (trees_of(trained.model.booster_text) for trained in (many, candidate))
    assert len(trees) == min(many.losses, key=lambda n: many.losses[n])
    assert trees[: len(folded)] == folded[: len(trees)]
    assert many.losses != candidate.losses
    assert many.model.manifest.calibration != candidate.model.manifest.calibration
    slope = many.report.population.calibration.slope
    assert slope.low < 1 < slope.high


def trees_of(booster_text: str) -> list[str]:
    """The trees as they are written, without their numbers."""
    trees = booster_text.split("\nend of trees", maxsplit=1)[0].split("\nTree=")[1:]
    return [tree.split("\n", 1)[1].strip() for tree in trees]


def test_weights_bring_probabilities_back_from_the_inspected_to_the_population(
    data: TrainingSet,
) -> None:
    """Confirmed subjects are inspected five times as often; the record says so."""
    lots = np.random.default_rng(3)
    label = data.outcomes.label
    probability = np.where(label == 1, 0.9, 0.18)
    is_drawn = (lots.random(len(data)) < probability) & ~np.isnan(label)
    outcomes = replace(
        data.outcomes,
        label=np.where(is_drawn, label, np.nan),
        selected_by=np.where(is_drawn, "random", None),
        selection_probability=probability,
    )
    chosen = replace(data, outcomes=outcomes)
    equal = SelectionParameters(fit="equal", calibration="equal")

    weighted = train_model(chosen, PARAMETERS)
    naive = train_model(chosen, PARAMETERS.model_copy(update={"selection": equal}))

    truth = np.nanmean(label)
    assert mean_probability(weighted) == pytest.approx(truth, abs=0.05)
    assert mean_probability(naive) > truth + 0.15
    # Those without a result in the first place had no chance to be drawn, and that is found out.
    assert "stand for" in weighted.report.population.figures.refusal


def mean_probability(candidate: Candidate) -> float:
    """Of all traffic of the evaluation window."""
    return float(np.mean(candidate.model.manifest.score_quantiles))


def test_traffic_that_nobody_inspected_is_in_no_figure_and_lowers_no_probability(
    data: TrainingSet,
) -> None:
    """Trees are set against it; the line and every figure look at labelled subjects alone."""
    halved = np.where(np.random.default_rng(4).random(len(data)) < 0.5, np.nan, data.outcomes.label)
    thinned = replace(data, outcomes=replace(data.outcomes, label=halved))
    even = SelectionParameters(fit="traffic", calibration="equal")
    parameters = PARAMETERS.model_copy(update={"selection": even})

    told = train_model(thinned, parameters)

    window = told.model.manifest.training_window.evaluation
    begins = np.datetime64(window.begins.replace(tzinfo=None), "us")
    labels = halved[(data.declared_at >= begins) & ~np.isnan(halved)]
    report = told.report
    assert (window.labelled, window.confirmed) == (len(labels), int(labels.sum()))
    assert (report.inspected.labelled, report.inspected.confirmed) == (len(labels), labels.sum())
    for by in {group.by for group in report.groups}:
        assert sum(g.labelled for g in report.groups if g.by == by) == len(labels)
    assert report.inspected.mean_probability == pytest.approx(labels.mean(), abs=0.05)


def test_a_category_of_too_few_rows_has_no_code(candidate: Candidate) -> None:
    corridor = candidate.model.manifest.features[2]

    assert corridor.categories == ("CN-DE", "MA-ES", "TR-DE", "US-NL")
    assert candidate.report.never_seen["corridor"] > 0


def test_a_world_with_too_few_confirmed_is_refused(tmp_path: Path) -> None:
    features, outcomes, subjects = planted_world(800, seed=5)
    clean = outcomes.assign(result="not_confirmed")
    folder = write_training_set(tmp_path, features, clean, subjects)

    with pytest.raises(WindowUnusable, match="0 confirmed"):
        train_model(TrainingSet.read(folder, "shipment", INPUTS), PARAMETERS)
