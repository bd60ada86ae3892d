"""Figures of all traffic, beside those that everybody's inspection would give."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from training.estimation.inspected_sample import inspected_sample
from training.estimation.population_figures import (
    confirmed_among,
    found_among,
    population_figures,
    share_found,
)
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


def test_of_a_part_where_only_a_rules_hits_were_drawn_nothing_is_said() -> None:
    """Forty hits of a rule, each of which stands for one or two, are no sample of a thousand."""
    ways: Texts = np.full(5_000, None, dtype=object)
    labels, probability = np.full(5_000, np.nan), np.full(5_000, np.nan)
    ways[:40], labels[:40], probability[:40] = "rule", 1.0, 0.8
    ways[1_000:1_100], labels[1_000:1_100], probability[1_000:1_100] = "random", 0.0, 0.02
    sample = inspected_sample(labels, ways, probability)
    first_thousand = (np.arange(5_000) < 1_000).astype(np.float64)

    assert sample.refusal is None
    assert confirmed_among(sample, first_thousand) is None
    assert confirmed_among(sample, np.ones(5_000)) is not None


@pytest.mark.parametrize("design", STUDY.DESIGNS, ids=lambda design: design.__name__)
def test_intervals_of_prevalence_hold_under_every_design(design: Any) -> None:
    rows = {row.figure: row for row in STUDY.studied(design, 20_000, REDRAWS)}
    prevalence = rows["prevalence"]
    # Five standard errors of forty redraws: what held 77 of 100 times is found out.
    assert prevalence.held >= 0.8
    assert abs(prevalence.bias) < 0.2
    assert rows["roc_auc"].held >= 0.8


def test_a_part_of_the_traffic_is_counted_exactly_where_everybody_was_inspected() -> None:
    truth = (np.arange(600) % 10 == 0).astype(np.float64)
    ways: Texts = np.full(600, "random", dtype=object)
    part = (np.arange(600) < 100).astype(np.float64)
    found = found_among(inspected_sample(truth, ways, np.ones(600)), part)
    assert found.confirmed.value == pytest.approx(10)
    assert found.precision.value == pytest.approx(0.1)
    assert found.recall.value == pytest.approx(1 / 6)
    assert found.lift.value == pytest.approx(1)


def test_a_part_where_few_were_drawn_is_refused_in_words() -> None:
    truth = (np.arange(600) % 10 == 0).astype(np.float64)
    drawn = np.arange(600) >= 80
    ways: Texts = np.where(drawn, "random", None)
    sample = inspected_sample(np.where(drawn, truth, np.nan), ways, np.full(600, 0.9))
    found = found_among(sample, (np.arange(600) < 100).astype(np.float64))
    assert found.confirmed.value is None
    assert found.refusal is not None
    assert found.refusal.startswith("20 results drawn with a probability among 100 subjects")


def test_what_was_found_is_a_share_of_what_would_be_and_never_more_than_all() -> None:
    truth = (np.arange(3_000) % 10 == 0).astype(np.float64)
    ways: Texts = np.full(3_000, "random", dtype=object)
    sample = inspected_sample(truth, ways, np.ones(3_000))
    assert share_found(sample, 150.0).value == pytest.approx(0.5, abs=0.01)
    assert share_found(sample, 400.0).value == 1.0
