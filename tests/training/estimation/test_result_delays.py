"""Delays of results against counting by hand."""

import numpy as np
import pytest

from training.estimation.result_delays import ResultDelays


def delays(finds: int) -> ResultDelays:
    """A thousand that were nothing take 1 to 10 days, finds 11 to 20."""
    nothing, found = np.arange(1_000) % 10 + 1.0, np.arange(finds) % 10 + 11.0
    confirmed = np.repeat([0.0, 1.0], [1_000, finds])
    return ResultDelays.from_delays(np.concatenate([nothing, found]), confirmed)


def test_the_kind_that_takes_longest_is_waited_for_where_it_was_seen_often_enough() -> None:
    assert delays(30).slow == pytest.approx(19, abs=0.2)
    assert delays(29).slow == pytest.approx(9, abs=1)


def test_what_is_still_to_come_is_that_of_the_slowest_kind() -> None:
    assert delays(30).still_to_come(np.array([15.0])) == pytest.approx(0.5)
    assert delays(30).still_to_come(np.array([10.0, 20.0])) == pytest.approx(0.5)
    assert delays(30).still_to_come(np.array([20.0])) == 0
    assert delays(0).still_to_come(np.array([5.0])) == pytest.approx(0.5)
    assert delays(30).still_to_come(np.array([])) == 0
