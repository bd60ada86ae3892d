from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.planted import INPUTS
from training.data.time_split import TimeSplit, TimeWindow
from training.data.training_set import TrainingSet
from training.fit.sample_weights import weighted_rows
from training.parameters import SelectionParameters, SplitParameters


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


@pytest.fixture(scope="module")
def window(data: TrainingSet) -> TimeWindow:
    return TimeSplit.from_training_set(data, SplitParameters()).fit


def test_traffic_stands_for_everyone_without_a_label_however_few_are_drawn(
    data: TrainingSet, window: TimeWindow
) -> None:
    thin = SelectionParameters(traffic_per_confirmed=0.5)

    told = weighted_rows(window, data, thin)

    is_labelled = np.isin(told.rows, window.rows)
    assert (~is_labelled).sum() == round(0.5 * window.labels.sum()) < len(window.unlabelled)
    assert told.weights is not None
    assert told.weights[~is_labelled].sum() == pytest.approx(len(window.unlabelled))
    assert set(told.weights[is_labelled]) == {1.0}


def test_a_subject_of_unknown_result_is_a_target_of_nobody(
    data: TrainingSet, window: TimeWindow
) -> None:
    """Not even where its outcome was known later, as one that a model could not have read."""
    told = weighted_rows(window, data, SelectionParameters())

    assert (told.targets == np.where(np.isin(told.rows, _confirmed(window)), 1, 0)).all()
    known_later = data.outcomes.label[window.unlabelled] == 1
    assert known_later.any()
    assert (np.diff(told.rows) > 0).all()


def test_rows_taught_are_of_the_window_and_before_its_gap(
    data: TrainingSet, window: TimeWindow
) -> None:
    rows = weighted_rows(window, data, SelectionParameters()).rows

    latest = window.ends - np.timedelta64(14, "D")
    assert (data.declared_at[rows] >= window.begins).all()
    assert (data.declared_at[rows] < latest).all()
    assert len(rows) > len(window.rows)


def test_where_everything_was_inspected_traffic_adds_nothing(
    data: TrainingSet, window: TimeWindow
) -> None:
    inspected = replace(window, unlabelled=window.unlabelled[:0])

    told = weighted_rows(inspected, data, SelectionParameters())

    assert (told.rows == inspected.rows).all()
    assert (told.targets == inspected.labels).all()
    assert told.weights is not None
    assert (told.weights == 1).all()


def test_what_nobody_inspected_weighs_as_traffic_and_never_as_a_label_does(
    data: TrainingSet, window: TimeWindow
) -> None:
    """However it came that a label is lacking: not inspected, inconclusive, or not known yet."""
    told = weighted_rows(window, data, SelectionParameters())

    unlabelled = ~np.isin(told.rows, window.rows)
    assert np.isin(told.rows[unlabelled], window.unlabelled).all()
    assert np.isnan(data.outcomes.label[told.rows[unlabelled]]).any()
    assert told.weights is not None
    assert told.weights[unlabelled].sum() == pytest.approx(len(window.unlabelled))
    assert set(told.targets[unlabelled]) == {0.0}
    assert not np.isin(window.unlabelled, window.rows).any()
    assert not np.isnan(window.labels).any()
    assert len(window.rows) + len(window.unlabelled) == len(
        data.declared_between(window.begins, window.ends - np.timedelta64(14, "D"))
    )


@pytest.mark.parametrize("fit", ["equal", "inverse_probability"])
def test_other_ways_to_teach_look_at_labelled_subjects_alone(
    data: TrainingSet, window: TimeWindow, fit: str
) -> None:
    told = weighted_rows(window, data, SelectionParameters(fit=fit, fit_clip=20))

    assert (told.rows == window.rows).all()
    assert (told.targets == window.labels).all()
    if fit == "equal":
        assert told.weights is None
    else:
        assert told.weights is not None
        assert (told.weights == data.outcomes.weights(clip=20)[window.rows]).all()


def _confirmed(window: TimeWindow) -> np.ndarray:
    return window.rows[window.labels == 1]
