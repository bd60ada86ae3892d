from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shap

from tests.training.planted import INPUTS, QUICK
from training.data.training_set import TrainingSet
from training.evaluation.evaluation_plots import evaluation_pictures
from training.fit.booster_predict import Margins
from training.parameters import TrainingParameters, TreeParameters
from training.train import Candidate, train_model


@pytest.fixture(scope="module")
def candidate(planted: Path) -> Candidate:
    data = TrainingSet.read(planted, "shipment", INPUTS)
    return train_model(data, TrainingParameters(**QUICK, trees=TreeParameters(trees=30, leaves=6)))


def test_importance_is_the_mean_of_what_shap_says(candidate: Candidate) -> None:
    booster = Margins.from_text(candidate.model.booster_text, 1).booster
    told = np.asarray(shap.TreeExplainer(booster).shap_values(candidate.explained.rows))

    slope = candidate.model.manifest.calibration.slope
    means = dict(zip(candidate.explained.names, np.abs(slope * told).mean(axis=0), strict=True))
    for entry in candidate.report.importance:
        assert entry.mean_absolute_contribution == pytest.approx(means[entry.feature], abs=1e-12)


def test_the_swarm_has_a_dot_for_every_subject_and_feature(candidate: Candidate) -> None:
    drawn = evaluation_pictures(candidate.report, candidate.explained)

    axes = drawn["beeswarm"].axes[0]
    dots = sum(len(cloud.get_offsets()) for cloud in axes.collections)
    assert dots == candidate.explained.contributions.size
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[::-1] == [entry.feature for entry in candidate.report.importance]


def test_dependence_has_a_dot_for_every_subject_with_a_value(candidate: Candidate) -> None:
    explained = candidate.explained
    drawn = evaluation_pictures(candidate.report, explained)["dependence"]
    panels = [axes for axes in drawn.axes if axes.get_xlabel() in explained.names]

    numeric = [n for n, c in zip(explained.names, explained.is_categorical, strict=True) if not c]
    by_importance = [e.feature for e in candidate.report.importance if e.feature in numeric]
    assert [axes.get_xlabel() for axes in panels] == by_importance[: len(panels)]
    for axes in panels:
        at = explained.names.index(axes.get_xlabel())
        has_value = np.isfinite(explained.rows[:, at])
        dots = np.concatenate([np.asarray(cloud.get_offsets()) for cloud in axes.collections])
        expected = np.column_stack([explained.rows[:, at], explained.contributions[:, at]])
        assert {tuple(dot) for dot in expected[has_value]} <= {tuple(dot) for dot in dots}


def test_without_numbers_there_is_no_dependence(candidate: Candidate) -> None:
    texts = replace(candidate.explained, is_categorical=(True,) * len(candidate.explained.names))

    assert "dependence" not in evaluation_pictures(candidate.report, texts)
