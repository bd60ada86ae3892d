from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.planted import INPUTS, instant, planted_world, write_training_set
from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.errors import WindowUnusable
from training.parameters import SplitParameters


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


@settings(max_examples=25)
@given(fit=st.floats(0.2, 0.7), calibration=st.floats(0.1, 0.25), gap=st.floats(0, 20))
def test_every_label_was_known_before_the_next_window_began(
    data: TrainingSet, fit: float, calibration: float, gap: float
) -> None:
    split = TimeSplit.from_training_set(
        data, SplitParameters(fit_share=fit, calibration_share=calibration, label_gap_days=gap)
    )

    for window, following in (
        (split.fit, split.calibration),
        (split.calibration, split.evaluation),
    ):
        rows = window.rows
        assert window.ends == following.begins
        assert (data.outcomes.known_at[rows] < following.begins).all()
        assert (data.declared_at[rows] >= window.begins).all()
        latest = following.begins - np.timedelta64(round(gap * 86_400e6), "us")
        assert (data.declared_at[rows] < latest).all()
    assert not set(split.fit.rows) & set(split.calibration.rows)
    assert (data.declared_at[split.evaluation.rows] >= split.evaluation.begins).all()
    assert data.outcomes.is_labelled[split.evaluation.rows].all()


def test_given_days_cut_where_they_say(data: TrainingSet) -> None:
    split = TimeSplit.from_training_set(
        data,
        SplitParameters(
            fit_from=instant("2025-02-01"),
            calibration_from=instant("2025-08-01"),
            evaluation_from=instant("2025-10-01"),
            evaluation_until=instant("2025-11-15"),
        ),
    ).figures

    assert split.fit.begins == instant("2025-02-01")
    assert split.calibration.begins == split.fit.ends == instant("2025-08-01")
    assert split.evaluation.begins == instant("2025-10-01")
    assert split.evaluation.ends == instant("2025-11-15")


def test_the_refit_window_uses_labels_that_came_too_late_for_the_fit_window(
    data: TrainingSet,
) -> None:
    parameters = SplitParameters(label_gap_days=0)
    split = TimeSplit.from_training_set(data, parameters)
    whole = split.before_evaluation(data, parameters)

    assert set(split.fit.rows) | set(split.calibration.rows) < set(whole.rows)
    assert (data.outcomes.known_at[whole.rows] < split.evaluation.begins).all()


def test_operators_apart_are_judged_on_operators_that_no_earlier_label_spoke_of(
    data: TrainingSet,
) -> None:
    mixed = TimeSplit.from_training_set(data, SplitParameters())
    apart = TimeSplit.from_training_set(data, SplitParameters(operators="apart", minimum_labels=2))
    operators = data.subjects["operator_id"]

    assert apart.evaluation.begins == mixed.evaluation.begins
    for window in (apart.calibration, apart.evaluation):
        earlier = data.outcomes.is_labelled & (data.declared_at < window.begins)
        assert not set(operators.iloc[window.rows]) & set(operators[earlier])
    assert 0 < len(apart.evaluation.rows) < len(mixed.evaluation.rows)


def test_a_window_with_too_few_confirmed_is_named_with_its_days(data: TrainingSet) -> None:
    with pytest.raises(
        WindowUnusable, match="the calibration window, 2025-12-01 to 2025-12-02, has"
    ):
        TimeSplit.from_training_set(
            data,
            SplitParameters(
                calibration_from=instant("2025-12-01"),
                evaluation_from=instant("2025-12-01") + timedelta(days=1),
                label_gap_days=0,
            ),
        )


def test_a_set_without_any_label_is_refused(tmp_path: Path) -> None:
    features, outcomes, subjects = planted_world(50, seed=2)
    folder = write_training_set(tmp_path, features, outcomes.iloc[:0], subjects)

    with pytest.raises(WindowUnusable, match="no labelled subject"):
        TimeSplit.from_training_set(TrainingSet.read(folder, "shipment", INPUTS), SplitParameters())
