"""What an office can look at: shares, and the room of a day."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.settings import Settings
from serving.triage.capacity import (
    Shares,
    Workday,
    carried_over,
    most_per_day,
)
from serving.triage.cutoffs import Cutoff
from serving.triage.lane_choice import LaneCutoffs

HUNDRED = [n / 100 for n in range(100)]


def test_shares_are_those_of_the_settings_each_in_its_lane() -> None:
    settings = Settings(inspect_share=0.01, document_check_share=0.02, post_review_share=0.03)

    assert Shares.from_settings(settings) == Shares(
        inspect=0.01, document_check=0.02, post_review=0.03
    )


def test_shares_may_take_all_subjects_and_no_more() -> None:
    assert Shares(0.5, 0.25, 0.25).post_review == 0.25
    for shares in ((0.5, 0.25, 0.26), (0.51, 0.25, 0.25), (0.5, 0.26, 0.25), (0.0, 0.9, 0.2)):
        with pytest.raises(ValueError, match="more than all subjects"):
            Shares(*shares)


def test_each_lane_begins_where_the_one_before_it_ends() -> None:
    cuts = Shares(inspect=0.1, document_check=0.2, post_review=0.4).cutoffs(HUNDRED, 0.0)

    assert cuts == LaneCutoffs(
        Cutoff.for_share(0.1, HUNDRED),
        Cutoff.for_share(0.1 + 0.2, HUNDRED),
        Cutoff.for_share(0.3 + 0.4, HUNDRED),
    )
    assert (cuts.inspect.threshold, cuts.document_check.threshold) == (0.9, 0.69)


def test_lanes_after_the_draw_open_wider_by_what_it_takes_from_them() -> None:
    cuts = Shares(inspect=0.1, document_check=0.2, post_review=0.2).cutoffs(HUNDRED, 0.5)

    assert cuts.inspect == Cutoff.for_share(0.1, HUNDRED)
    assert cuts.document_check.threshold == pytest.approx(0.5)
    assert cuts.document_check.share_at_threshold == pytest.approx(1.0)
    assert cuts.post_review.threshold == pytest.approx(0.1)


def test_where_all_are_drawn_the_lanes_after_it_take_the_rest() -> None:
    cuts = Shares(inspect=0.1, document_check=0.2, post_review=0.2).cutoffs(HUNDRED, 1.0)

    assert cuts.inspect == Cutoff.for_share(0.1, HUNDRED)
    assert cuts.document_check.probability(0.0) == cuts.post_review.probability(0.0) == 1.0


@pytest.mark.parametrize(
    ("workday", "share"),
    [
        # A usual day: ten of a hundred, aimed a little below.
        (Workday(10, 0, 100.0, 100.0), 0.098),
        # Busier and quieter than usual.
        (Workday(10, 0, 100.0, 140.0), 9.8 / 140),
        (Workday(10, 0, 100.0, 50.0), 9.8 / 50),
        # What the day took does not count until it is twice the capacity.
        (Workday(10, 19, 100.0, 100.0), 0.098),
        (Workday(10, 20, 100.0, 100.0), 0.0),
        (Workday(10, 21, 100.0, 100.0), 0.0),
        (Workday(0, 0, 100.0, 100.0), 0.0),
        # A third of what earlier days left or took too many.
        (Workday(10, 0, 100.0, 100.0, carried_over=6.0), 0.118),
        (Workday(10, 0, 100.0, 100.0, carried_over=-6.0), 0.078),
        (Workday(10, 0, 100.0, 100.0, carried_over=-30.0), 0.0),
        # What comes whatever its score leaves less to the score.
        (Workday(10, 0, 100.0, 100.0, certain_share=0.04), 0.058),
        (Workday(10, 0, 100.0, 100.0, certain_share=0.2), 0.0),
        # Hardly anybody comes: three times what it is on a usual day, and no more.
        (Workday(10, 0, 100.0, 10.0), 0.3),
        # More capacity than subjects, or none that are usual: all, and no more.
        (Workday(200, 0, 100.0, 100.0), 1.0),
        (Workday(1, 0, 0.0, 0.0), 0.98),
        (Workday(2, 0, 0.5, 0.5), 1.0),
        (Workday(1, 0, 1.5, 1.0), 0.98),
        (Workday(1, 0, 6.0, 1.0), 0.5),
    ],
)
def test_the_share_of_a_day_is_its_capacity_over_what_is_expected(
    workday: Workday, share: float
) -> None:
    assert workday.share() == pytest.approx(share)


@pytest.mark.parametrize(
    ("capacity", "most"), [(0, 0), (1, 4), (4, 10), (9, 18), (16, 32), (100, 200)]
)
def test_a_day_takes_at_most_twice_its_capacity_or_what_chance_may_bring(
    capacity: int, most: float
) -> None:
    assert most_per_day(capacity) == most


@pytest.mark.parametrize(
    ("days", "left"),
    [
        ([], 0.0),
        ([(1_000, 98)], 0.0),
        ([(1_000, 90)], 8.0),
        ([(1_000, 110)], -12.0),
        ([(1_000, 90), (1_000, 100)], 6.0),
        # Whoever does not come cannot be inspected.
        ([(30, 30)], 0.0),
        ([(30, 20)], 10.0),
        ([(0, 0)], 0.0),
        # At most one day of capacity is left to later ones, and at most two are owed by them.
        ([(1_000, 0), (1_000, 0)], 100.0),
        ([(1_000, 0), (1_000, 0), (1_000, 118)], 80.0),
        ([(1_000, 1_000)], -200.0),
        ([(1_000, 1_000), (1_000, 0)], -102.0),
    ],
)
def test_what_days_left_or_took_too_many_is_carried_over_within_bounds(
    days: list[tuple[int, int]], left: float
) -> None:
    assert carried_over(100, days) == pytest.approx(left)


@given(
    st.integers(0, 500),
    st.integers(0, 1_500),
    st.floats(0, 5_000),
    st.floats(0, 5_000),
    st.floats(-1_000, 500),
    st.floats(0, 1),
)
def test_a_share_is_the_same_all_day_until_the_lane_holds_the_most_that_it_may(
    capacity: int, taken: int, usual: float, expected: float, left: float, certain: float
) -> None:
    workday = Workday(capacity, taken, usual, expected, left, certain)

    fresh = replace(workday, taken=0).share()
    assert workday.share() == (fresh if taken < most_per_day(capacity) else 0)
    assert 0 <= workday.share() <= workday.widest_share <= 1
    assert replace(workday, expected=expected + 1).share() <= workday.share()
    assert replace(workday, carried_over=left + 1).share() >= workday.share()
