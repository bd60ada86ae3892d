"""A window speaks of days whose results have come, of finds as of what was nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.evaluation.test_population_section import section, window_of
from tests.training.planted import INPUTS
from training.data.training_set import TrainingSet
from training.evaluation.settled_results import settled_until


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


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
