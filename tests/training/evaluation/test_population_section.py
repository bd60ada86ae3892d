"""What an evaluation says of all traffic, and of the effort without a model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.planted import INPUTS
from training.data.time_split import TimeWindow
from training.data.training_set import TrainingSet
from training.estimation.result_delays import settled_until
from training.evaluation.evaluation_report import PopulationSection
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


def section(data: TrainingSet) -> PopulationSection:
    window = window_of(data)
    rows = data.declared_between(window.begins, window.ends)
    log_odds = data.frame["late_payments_30d"].to_numpy()[rows] - 3.0
    everyone = LabelledWindow(data, rows, 1 / (1 + np.exp(-log_odds)))
    return population_section(everyone, log_odds, window, SHARES)


def test_all_traffic_is_spoken_of_with_its_days_and_what_it_rests_on(data: TrainingSet) -> None:
    told = section(data)
    assert told.figures.refusal is None
    assert told.figures.drawn + told.figures.certain <= told.figures.subjects
    assert f"all {told.figures.subjects:,} subjects declared from" in told.in_words
    assert "would be confirmed" in told.in_words


def test_without_draws_nothing_is_said_of_all_traffic(data: TrainingSet) -> None:
    outcomes = data.outcomes
    noticed = np.where(np.equal(outcomes.selected_by, None), None, "discretion")  # type: ignore[call-overload]  # an object column
    told = section(replace(data, outcomes=replace(outcomes, selected_by=noticed)))
    assert told.figures.prevalence.value is None
    assert told.calibration.slope.value is None
    assert told.in_words.startswith("Nothing can be said of all")


def test_a_window_ends_before_results_that_have_not_come_yet(data: TrainingSet) -> None:
    window = window_of(data)
    horizon = data.declared_at[-1] + np.timedelta64(1, "D")
    outcomes = data.outcomes
    is_known = outcomes.known_at < horizon
    seen_then = replace(
        outcomes,
        label=np.where(is_known, outcomes.label, np.nan),
        known_at=np.where(is_known, outcomes.known_at, np.datetime64("NaT")),
    )
    until = settled_until(replace(data, outcomes=seen_then), window)
    # Nine in ten of delays of 1 to 24 days come within 22.
    late = (horizon - until).astype("timedelta64[D]").astype(int)
    assert 20 <= late <= 26
    assert section(data).ends > section(replace(data, outcomes=seen_then)).ends


def test_finds_that_take_longer_than_the_rest_make_all_wait_or_are_told_as_still_to_come(
    data: TrainingSet,
) -> None:
    outcomes, window = data.outcomes, window_of(data)
    slow = np.where(outcomes.label == 1, np.timedelta64(60, "D"), np.timedelta64(1, "D"))
    known_at = np.where(outcomes.is_labelled, data.declared_at + slow, outcomes.known_at)
    horizon = window.ends + np.timedelta64(1, "D")

    def seen(days: int) -> TrainingSet:
        is_known = known_at < horizon + np.timedelta64(days, "D")
        return replace(
            data,
            outcomes=replace(
                outcomes,
                label=np.where(is_known, outcomes.label, np.nan),
                known_at=np.where(is_known, known_at, np.datetime64("NaT")),
            ),
        )

    all_came, some_came = seen(60), seen(0)
    assert settled_until(all_came, window) > window.ends - np.timedelta64(5, "D")
    newest = np.nanmax(known_at[known_at < horizon])
    half = window.begins + (window.ends - window.begins) / 2
    assert settled_until(some_came, window) == max(half, newest - np.timedelta64(60, "D"))
    waited = newest - data.declared_at[data.declared_between(window.begins, half)]
    part = float((waited < np.timedelta64(60, "D")).mean())
    assert section(some_came).unknown_share >= part
    assert section(all_came).unknown_share < 0.05


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
        "share that smuggles",
        "recall at 5%",
    }
    for bound in told.bounds:
        assert bound.low <= bound.high
        assert bound.assumption
        assert bound.instead
