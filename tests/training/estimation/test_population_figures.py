"""Figures of all traffic, beside those that everybody's inspection would give."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from training.estimation.inspected_sample import inspected_sample
from training.estimation.population_figures import population_figures
from training.outcomes import Texts
from training.ranking import ScoreRanking, at_capacity, roc_auc

STUDY: Any = import_module("experiments.2026-11-27-figures-that-hold.population")
REDRAWS = 40


def test_where_everyone_is_inspected_figures_are_those_of_the_ranking() -> None:
    traffic = STUDY.Traffic.invented(3_000, np.random.default_rng(3))
    ways: Texts = np.full(3_000, "random", dtype=object)
    sample = inspected_sample(traffic.truth, ways, np.ones(3_000))
    figures = population_figures(sample, traffic.scores, (0.05,))
    ranking = ScoreRanking.from_scores(traffic.truth, traffic.scores)
    at = figures.at_share[0]
    wanted = at_capacity(ranking, 0.05)
    assert figures.prevalence.value == pytest.approx(ranking.prevalence)
    assert figures.roc_auc.value == pytest.approx(roc_auc(ranking))
    assert at.precision.value == pytest.approx(wanted["precision"])
    assert at.recall.value == pytest.approx(wanted["recall"])
    assert at.lift.value == pytest.approx(wanted["lift"])


def test_a_refused_sample_gives_no_figure() -> None:
    nobody: Texts = np.full(500, None, dtype=object)
    sample = inspected_sample(np.full(500, np.nan), nobody, np.full(500, np.nan))
    figures = population_figures(sample, np.arange(500.0), (0.05,))
    assert figures.refusal is not None
    assert figures.prevalence.value is None
    assert figures.at_share[0].precision.value is None
    assert figures.roc_auc.value is None


@pytest.mark.parametrize("design", STUDY.DESIGNS, ids=lambda design: design.__name__)
def test_intervals_of_prevalence_hold_under_every_design(design: Any) -> None:
    rows = {row.figure: row for row in STUDY.studied(design, 20_000, REDRAWS)}
    prevalence = rows["prevalence"]
    # Five standard errors of forty redraws: what held 77 of 100 times is found out.
    assert prevalence.held >= 0.8
    assert abs(prevalence.bias) < 0.2
    assert rows["roc_auc"].held >= 0.8
