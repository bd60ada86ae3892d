"""Population figures: unbiased, with intervals that hold the truth as often as they say."""

import numpy as np
import pytest

from serving.monitor.population import FEWEST_OUTCOMES, Stratum, recall, share

REDRAWS = 400


@pytest.mark.parametrize(
    ("released", "found_in_released", "control_probability"),
    [(19_600, 0.01, 0.02), (19_600, 0.02, 0.05), (3_800, 0.05, 0.02), (19_600, 0.10, 0.02)],
)
def test_shares_are_unbiased_and_their_intervals_hold_where_the_naive_share_is_far_off(
    released: int, found_in_released: float, control_probability: float
) -> None:
    lots = np.random.default_rng(20261124)
    selected = lots.random(400) < 0.3
    rest = lots.random(released) < found_in_released
    truth = (selected.sum() + rest.sum()) / (400 + released)
    true_recall = selected.sum() / (selected.sum() + rest.sum())

    estimates, held, recall_held, naive = [], 0, 0, []
    for _ in range(REDRAWS):
        is_drawn = lots.random(released) < control_probability
        control = Stratum("rest", released, int(is_drawn.sum()), int(rest[is_drawn].sum()))
        inspected = Stratum("selected", 400, 400, int(selected.sum()))
        estimate = share([inspected, control]).estimate
        caught = recall([inspected], [control]).estimate
        assert estimate.value is not None
        estimates.append(estimate.value)
        held += estimate.low <= truth <= estimate.high  # type: ignore[operator]  # has an interval
        recall_held += caught.low <= true_recall <= caught.high  # type: ignore[operator]  # has an interval
        naive.append((selected.sum() + rest[is_drawn].sum()) / (400 + is_drawn.sum()))

    assert abs(np.mean(estimates) - truth) < 0.002
    assert abs(np.mean(naive) - truth) > 0.05
    assert 0.92 * REDRAWS <= held <= 0.985 * REDRAWS
    assert 0.92 * REDRAWS <= recall_held <= 0.99 * REDRAWS


def test_a_stratum_of_which_too_few_were_looked_at_is_refused_by_name() -> None:
    told = Stratum("told", 1_000, 200, 5)
    untold = Stratum("untold", 1_000, FEWEST_OUTCOMES - 1, 2)

    figure = share([told, untold])

    assert figure.estimate.value is None
    assert figure.too_few_outcomes == ("untold",)
    assert share([told, Stratum("untold", 1_000, FEWEST_OUTCOMES, 2)]).estimate.value is not None


def test_a_small_stratum_that_was_looked_at_as_a_whole_is_known_exactly() -> None:
    figure = share([Stratum("all", 7, 7, 2)]).estimate

    assert (figure.value, figure.low, figure.high) == (2 / 7, 2 / 7, 2 / 7)


def test_no_findings_are_not_taken_for_certainty() -> None:
    figure = share([Stratum("control", 10_000, 100, 0)]).estimate

    assert figure.value == 0
    assert figure.high is not None
    assert 0.01 < figure.high < 0.06


def test_nothing_is_said_about_no_subjects() -> None:
    assert share([]).estimate.value is None
    assert recall([], []).estimate.value is None
