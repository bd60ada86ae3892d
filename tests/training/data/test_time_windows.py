"""Windows and cuts to the day, where one subject is declared a day."""

from dataclasses import FrozenInstanceError, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.planted import INPUTS, instant
from training.data.time_split import FAR_FUTURE, TimeSplit, TimeWindow, require_labels
from training.data.training_set import TrainingSet
from training.errors import WindowUnusable
from training.model.manifest import WindowFigures
from training.outcomes import Outcomes
from training.parameters import SplitParameters


def day(number: float) -> np.datetime64:
    return np.datetime64("2025-01-01T00:00:00", "us") + np.timedelta64(round(number * 24), "h")


def date(number: int) -> datetime:
    return instant("2025-01-01") + timedelta(days=number)


def one_a_day(rows: int, *, hours: float = 0, known_after_days: float = 0.5) -> TrainingSet:
    """A subject declared every day at one hour, every other of them confirmed."""
    declared_at = np.array([day(number + hours / 24) for number in range(rows)])
    nothing = np.full(rows, None)
    outcomes = Outcomes(
        label=(np.arange(rows) % 2).astype(float),
        known_at=declared_at + np.timedelta64(round(known_after_days * 24), "h"),
        selected_by=nothing,
        selection_probability=np.full(rows, np.nan),
        typology=nothing,
        author=nothing,
        offences=nothing,
        examination=nothing,
        inspected_at=np.full(rows, np.datetime64("NaT", "us")),
    )
    names = [f"S-{number}" for number in range(rows)]
    subjects = pd.DataFrame({"operator_id": [f"k{number}" for number in range(rows)]})
    return TrainingSet(
        INPUTS,
        pd.DataFrame(index=names),
        pd.Index(names),
        declared_at,
        outcomes,
        subjects,
        "none",
        Path(),
    )


def days_of(window: TimeWindow) -> tuple[list[int], list[int]]:
    """Of `one_a_day`: the days with a label in use, and those without."""
    return window.rows.tolist(), window.unlabelled.tolist()


@pytest.mark.parametrize(
    ("gap_days", "labelled", "unlabelled"),
    [(0, [2, 3, 4], [5]), (1, [2, 3, 4], []), (2, [2, 3], []), (1.5, [2, 3, 4], [])],
)
def test_a_window_begins_with_its_first_instant_and_ends_before_its_last(
    gap_days: float, labelled: list[int], unlabelled: list[int]
) -> None:
    """A label that is known with the beginning of the next window came too late for this one."""
    data = one_a_day(20, known_after_days=1)
    gap = np.timedelta64(round(gap_days * 24), "h")

    window = TimeWindow.between("fit", data, (day(2), day(6)), known_before=day(6), gap=gap)

    assert days_of(window) == (labelled, unlabelled)
    assert window.labels.tolist() == [number % 2 for number in labelled]


@pytest.mark.parametrize(
    ("gap_days", "fit", "calibration"),
    [(0, 60, 80), (0.5, 60, 80), (0.8, 59, 79), (1.2, 59, 79), (1.8, 58, 78), (5, 55, 75)],
)
def test_shares_are_of_labelled_subjects_and_cut_at_midnight(
    gap_days: float, fit: int, calibration: int
) -> None:
    data = one_a_day(100, hours=6, known_after_days=0.25)

    split = TimeSplit.from_training_set(
        data, SplitParameters(label_gap_days=gap_days, minimum_labels=5)
    )

    assert days_of(split.fit) == ([*range(fit)], [])
    assert days_of(split.calibration) == ([*range(60, calibration)], [])
    assert days_of(split.evaluation) == ([*range(80, 100)], [])
    figures = split.figures
    assert figures.fit == WindowFigures(
        begins=date(0), ends=date(60), labelled=fit, confirmed=fit // 2
    )
    assert (figures.calibration.begins, figures.calibration.ends) == (date(60), date(80))
    assert figures.evaluation == WindowFigures(
        begins=date(80), ends=date(100), labelled=20, confirmed=10
    )


def test_labels_of_the_evaluation_may_be_known_at_any_time_and_others_only_before_the_next() -> (
    None
):
    data = one_a_day(100, known_after_days=3.5)

    split = TimeSplit.from_training_set(data, SplitParameters(label_gap_days=0, minimum_labels=5))
    whole = split.before_evaluation(data, SplitParameters(label_gap_days=2))

    assert days_of(split.fit) == ([*range(57)], [57, 58, 59])
    assert days_of(split.calibration) == ([*range(60, 77)], [77, 78, 79])
    assert days_of(split.evaluation) == ([*range(80, 100)], [])
    assert days_of(whole) == ([*range(77)], [77])
    assert (whole.name, whole.begins, whole.ends) == ("refit", day(0), day(80))


def test_only_labelled_subjects_within_the_bounds_are_shared_out() -> None:
    """81 from the tenth day to the ninetieth; 80 or 82 would be cut elsewhere."""
    data = one_a_day(120)
    asked = SplitParameters(fit_from=date(10), evaluation_until=date(91), label_gap_days=0)

    figures = TimeSplit.from_training_set(
        data, asked.model_copy(update={"minimum_labels": 5})
    ).figures

    assert [figures.fit.begins, figures.calibration.begins] == [date(10), date(58)]
    assert [figures.evaluation.begins, figures.evaluation.ends] == [date(74), date(91)]


def test_a_share_without_a_label_moves_no_cut() -> None:
    data = one_a_day(100)
    later = np.where(np.arange(100) < 50, np.nan, data.outcomes.label)
    data = replace(data, outcomes=replace(data.outcomes, label=later))

    split = TimeSplit.from_training_set(data, SplitParameters(label_gap_days=0, minimum_labels=5))

    assert (split.fit.begins, split.calibration.begins, split.evaluation.begins) == (
        day(0),
        day(80),
        day(90),
    )
    assert days_of(split.fit) == ([*range(50, 80)], [*range(50)])


def test_the_latest_cut_is_the_day_of_the_last_labelled_subject() -> None:
    asked = SplitParameters(fit_share=0.5, calibration_share=0.49, label_gap_days=0)

    with pytest.raises(
        WindowUnusable, match="the evaluation window, 2025-04-10 to 2025-04-11, has 1 confirmed"
    ):
        TimeSplit.from_training_set(one_a_day(100), asked)


def test_an_instant_is_the_same_in_every_time_zone() -> None:
    east = timezone(timedelta(hours=8))
    data = one_a_day(100)
    begins = datetime(2025, 1, 3, 8, tzinfo=east)

    split = TimeSplit.from_training_set(data, SplitParameters(fit_from=begins, label_gap_days=0))

    assert split.fit.begins == day(2)


def test_where_no_labelled_subject_lies_within_the_bounds_they_are_named() -> None:
    with pytest.raises(WindowUnusable, match="no labelled subject was declared from 2026-01-01"):
        TimeSplit.from_training_set(one_a_day(100), SplitParameters(fit_from=instant("2026-01-01")))


@pytest.mark.parametrize(
    ("confirmed", "cleared", "is_enough"), [(3, 3, True), (2, 9, False), (9, 2, False)]
)
def test_a_window_needs_the_minimum_of_both_sorts(
    confirmed: int, cleared: int, is_enough: bool
) -> None:
    labels = np.repeat([1.0, 0.0], [confirmed, cleared])
    rows = np.arange(len(labels))
    window = TimeWindow("fit", day(0), day(9), rows, labels, rows[:0])

    if is_enough:
        require_labels(window, 3)
    else:
        with pytest.raises(WindowUnusable, match=f"{confirmed} confirmed and {cleared} not"):
            require_labels(window, 3)


@pytest.mark.parametrize("microseconds", [0, -1])
def test_a_gap_and_an_end_are_exact_to_the_microsecond(microseconds: int) -> None:
    """Declared at midnight, a subject is of the day that begins; just before, of the one before."""
    data = one_a_day(100)
    shifted = data.declared_at + np.timedelta64(microseconds, "us")
    data = replace(data, declared_at=shifted)
    asked = SplitParameters(
        fit_from=date(1),
        calibration_from=date(50),
        evaluation_from=date(70),
        evaluation_until=date(90),
        label_gap_days=1,
        minimum_labels=5,
    )

    split = TimeSplit.from_training_set(data, asked)

    first, beyond = (1, 0) if microseconds == 0 else (2, 1)
    assert days_of(split.fit)[0] == [*range(first, 49 + beyond)]
    assert days_of(split.calibration)[0] == [*range(49 + first, 69 + beyond)]
    assert days_of(split.evaluation)[0] == [*range(69 + first, 90 + beyond)]
    whole = split.before_evaluation(data, asked)
    assert days_of(whole)[0] == [*range(first, 69 + beyond)]


def test_operators_of_one_subject_each_are_apart_from_the_start() -> None:
    data = one_a_day(100)
    asked = SplitParameters(label_gap_days=0, minimum_labels=5)

    mixed = TimeSplit.from_training_set(data, asked)
    apart = TimeSplit.from_training_set(data, asked.model_copy(update={"operators": "apart"}))

    assert apart.figures == mixed.figures
    assert [apart.fit.name, apart.calibration.name, apart.evaluation.name] == [
        "fit",
        "calibration",
        "evaluation",
    ]


@pytest.mark.parametrize(("name", "first"), [("fit", 0), ("calibration", 60), ("evaluation", 80)])
def test_every_window_is_asked_for_enough_of_both_sorts(name: str, first: int) -> None:
    data = one_a_day(100)
    label = data.outcomes.label.copy()
    label[first : first + 20] = 1
    label[first + 20 : 60] = 1  # the rest of the fit window, where it is that which is thin
    thin = replace(data, outcomes=replace(data.outcomes, label=label))

    with pytest.raises(WindowUnusable, match=f"the {name} window, .* and 0 not confirmed .* alike"):
        TimeSplit.from_training_set(thin, SplitParameters(label_gap_days=0, minimum_labels=5))


def test_windows_and_splits_do_not_change() -> None:
    split = TimeSplit.from_training_set(
        one_a_day(100), SplitParameters(label_gap_days=0, minimum_labels=5)
    )

    for part, name in ((split, "fit"), (split.fit, "rows")):
        with pytest.raises(FrozenInstanceError):
            setattr(part, name, None)


def test_an_operator_of_the_very_first_subject_is_known_ever_after() -> None:
    data = one_a_day(20)
    operators = data.subjects["operator_id"].copy()
    operators[[12, 15]] = operators[0]
    operators[[13, 16]] = operators[1]
    label = data.outcomes.label.copy()
    label[[14, 15, 16]] = np.nan
    label[1] = np.nan
    data = replace(
        data,
        subjects=data.subjects.assign(operator_id=operators),
        outcomes=replace(data.outcomes, label=label),
    )
    nothing = np.timedelta64(0)
    window = TimeWindow.between(
        "evaluation", data, (day(10), day(18)), known_before=FAR_FUTURE, gap=nothing
    )

    apart = window.without_operators_before(data)

    assert days_of(window) == ([10, 11, 12, 13, 17], [14, 15, 16])
    assert days_of(apart) == ([10, 11, 13, 17], [14, 16])
    assert apart.labels.tolist() == [0, 1, 1, 1]
