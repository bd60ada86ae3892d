"""What an evaluation says of all traffic, and of the effort without a model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.planted import INPUTS
from training.data.time_split import TimeWindow
from training.data.training_set import TrainingSet
from training.evaluation.evaluation_report import OF_THESE_ALONE, PopulationSection
from training.evaluation.labelled_window import LabelledWindow
from training.evaluation.population_section import population_section

SHARES = (0.05, 0.1)


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


def window_of(data: TrainingSet) -> TimeWindow:
    """The last two fifths, all of whose results are known."""
    begins, ends = data.declared_at[len(data) * 3 // 5], data.declared_at[-1]
    never = np.datetime64("9999-01-01", "us")
    no_gap = np.timedelta64(0)
    return TimeWindow.between("evaluation", data, (begins, ends), known_before=never, gap=no_gap)


def section(data: TrainingSet, knows: float = 0.0, ways: str = "random") -> PopulationSection:
    """By a score that moves those who were selected so by `knows`."""
    window = window_of(data)
    rows = data.declared_between(window.begins, window.ends)
    log_odds = data.frame["late_payments_30d"].to_numpy()[rows] - 3.0
    log_odds = log_odds + knows * np.equal(data.outcomes.selected_by[rows], ways)
    everyone = LabelledWindow(data, rows, 1 / (1 + np.exp(-log_odds)))
    return population_section(everyone, log_odds, window, SHARES)


def test_all_traffic_is_spoken_of_with_its_days_and_what_it_rests_on(data: TrainingSet) -> None:
    told = section(data)
    assert told.figures.refusal is None
    assert told.figures.drawn + told.figures.certain <= told.figures.subjects
    assert f"all {told.figures.subjects:,} subjects declared from" in told.in_words
    assert "would be confirmed" in told.in_words
    assert told.in_words.endswith(OF_THESE_ALONE)


def test_without_draws_nothing_is_said_of_all_traffic(data: TrainingSet) -> None:
    outcomes = data.outcomes
    noticed = np.where(np.equal(outcomes.selected_by, None), None, "discretion")  # type: ignore[call-overload]  # an object column
    told = section(replace(data, outcomes=replace(outcomes, selected_by=noticed)))
    assert told.figures.prevalence.value is None
    assert told.calibration.slope.value is None
    assert told.in_words.startswith("Nothing can be said of all")


def test_it_says_where_a_score_places_who_was_drawn(data: TrainingSet) -> None:
    assert section(data).draws == "in place"
    assert section(data, knows=5.0).draws == "above their lot"
    assert section(data, knows=-5.0).draws == "elsewhere"


def test_the_status_quo_stands_beside_as_many_by_the_models_order(data: TrainingSet) -> None:
    status_quo = section(data).status_quo
    assert status_quo is not None
    assert status_quo.share == pytest.approx(0.6, abs=0.03)
    assert status_quo.recall.value == pytest.approx(0.6, abs=0.08)
    assert status_quo.model_recall.value > status_quo.recall.value


def test_every_bound_names_its_assumption_and_holds_the_figure(data: TrainingSet) -> None:
    told = section(data)
    assert {bound.figure for bound in told.bounds} == {
        "prevalence",
        "precision at 5%",
        "share that smuggles",
        "recall at 5%",
    }
    for bound in told.bounds:
        assert bound.low <= bound.high
        assert bound.assumption
        assert bound.instead
