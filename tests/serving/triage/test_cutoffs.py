"""Where a lane begins: the threshold, and the share of what equals it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.triage.cutoffs import Cutoff

TIED = [0.1, 0.2, 0.2, 0.2]


@pytest.mark.parametrize(
    ("share", "threshold", "share_at_threshold"),
    [
        (0.0, math.inf, 0.0),
        (-1.0, math.inf, 0.0),
        (0.25, 0.2, 1 / 3),
        (0.5, 0.2, 2 / 3),
        (0.75, 0.2, 1.0),
        (0.875, 0.1, 0.5),
        (0.999, 0.1, 0.996),
    ],
)
def test_a_cut_of_four_scores_with_three_alike(
    share: float, threshold: float, share_at_threshold: float
) -> None:
    cut = Cutoff.for_share(share, TIED)

    assert cut.threshold == threshold
    assert cut.share_at_threshold == pytest.approx(share_at_threshold)


@pytest.mark.parametrize(
    ("share", "threshold", "share_at_threshold"),
    [(0.2, 0.5, 1.0), (0.3, 0.4, 0.5), (0.4, 0.4, 1.0), (0.5, 0.3, 0.5)],
)
def test_a_cut_of_five_scores_all_different(
    share: float, threshold: float, share_at_threshold: float
) -> None:
    cut = Cutoff.for_share(share, [0.1, 0.2, 0.3, 0.4, 0.5])

    assert cut.threshold == threshold
    assert cut.share_at_threshold == pytest.approx(share_at_threshold)


@pytest.mark.parametrize("share", [1, 1.0, 1.5])
def test_a_share_of_all_takes_whatever_comes(share: float) -> None:
    cut = Cutoff.for_share(share, TIED)

    assert cut == Cutoff(-math.inf, 1.0)
    assert cut.probability(-1e9) == 1


def test_a_share_of_nothing_takes_no_score_however_high() -> None:
    nothing = Cutoff.for_share(0, TIED)

    assert [nothing.probability(score) for score in (0.0, 0.2, 1.0)] == [0.0, 0.0, 0.0]


def test_above_the_threshold_all_are_taken_at_it_a_share_and_below_it_none() -> None:
    cut = Cutoff(0.2, 0.25)

    assert [cut.probability(score) for score in (0.1999, 0.2, 0.2001)] == [0.0, 0.25, 1.0]


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_takes_every_score_at_least_as_surely(one: float, other: float) -> None:
    smaller, larger = (Cutoff.for_share(share, TIED) for share in sorted((one, other)))

    assert all(smaller.probability(score) <= larger.probability(score) for score in TIED)
