"""What an office can look at: shares, the pace of a day, and the bounds of the control draw."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.settings import Settings
from serving.triage.capacity import Shares, Workday, control_probability, explored
from serving.triage.cutoffs import Cutoff
from serving.triage.lane_rule import LaneCutoffs

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
        # An even day: ten of a hundred.
        (Workday(10, 0, 0, 100.0, 1.0), 0.1),
        # Noon: (100 x 1/4 + 40) / (1/4 + 1/2) are 86.7 a day, of which half are to come.
        (Workday(10, 4, 40, 100.0, 0.5), 6 / (65 / 0.75 / 2)),
        (Workday(10, 9, 50, 100.0, 0.5), 1 / 50),
        # Full, and more than full.
        (Workday(10, 10, 50, 100.0, 0.5), 0.0),
        (Workday(10, 11, 50, 100.0, 0.5), 0.0),
        (Workday(0, 0, 0, 100.0, 1.0), 0.0),
        # An evening that has taken nothing: three times an even day, and no more.
        (Workday(10, 0, 100, 100.0, 0.01), 3 * 10 / (125 / 1.24)),
        # More capacity than subjects, or none that are usual: all, and no more.
        (Workday(200, 0, 0, 100.0, 1.0), 1.0),
        (Workday(1, 0, 0, 0.0, 1.0), 1.0),
        # Fewer than one a day counts as one, and so does less than one that is to come.
        (Workday(1, 0, 0, 0.5, 1.0), 1.0),
        (Workday(2, 1, 1, 1.0, 0.25), 1.0),
        (Workday(1, 0, 1, 40.0, 0.5), 1 / (11 / 0.75 / 2)),
        (Workday(1, 0, 0, 5.0, 0.5), min(1 / 1, 3 * 0.6)),
        (Workday(1, 0, 30, 40.0, 1 / 40), 3 / (40 / 1.225)),
    ],
)
def test_the_share_of_a_day_is_what_is_left_over_what_is_to_come(
    workday: Workday, share: float
) -> None:
    assert workday.share() == pytest.approx(share)


@given(
    st.integers(0, 500),
    st.integers(0, 500),
    st.integers(0, 5_000),
    st.floats(0, 5_000),
    st.floats(0, 1),
)
def test_a_day_never_takes_beyond_its_capacity_and_less_the_more_it_took(
    capacity: int, taken: int, arrived: int, usual: float, part_left: float
) -> None:
    workday = Workday(capacity, taken, arrived, usual, part_left)

    assert 0 <= workday.share() <= 1
    assert (workday.share() > 0) == (taken < capacity)
    assert replace(workday, taken=taken + 1).share() <= workday.share()
    assert replace(workday, capacity=capacity + 1).share() >= workday.share()


@pytest.mark.parametrize(
    ("floor", "per_day", "unselected_per_day", "probability"),
    [
        (0.01, 0, 500.0, 0.01),
        (0.01, 5, 500.0, 0.01),
        (0.01, 6, 500.0, 0.012),
        (0.01, 20, 500.0, 0.04),
        (0.01, 1, 2.0, 0.5),
        (0.01, 1, 1.0, 1.0),
        (0.01, 1, 0.5, 1.0),
        (0.01, 0, 0.0, 0.01),
        (0.01, 20, 5.0, 1.0),
        (1.0, 0, 5.0, 1.0),
    ],
)
def test_the_control_draw_is_enough_for_its_count_and_never_under_its_floor(
    floor: float, per_day: int, unselected_per_day: float, probability: float
) -> None:
    found = control_probability(floor, per_day, unselected_per_day)

    assert found == pytest.approx(probability)


@pytest.mark.parametrize(
    ("usual", "factor", "probability"),
    [
        (0.01, 1.0, 0.01),
        (0.01, 3.0, 0.03),
        (0.05, 3.9, 0.195),
        (0.05, 4.1, 0.2),
        (0.3, 2.0, 0.3),
        (0.01, 0.5, 0.01),
    ],
)
def test_exploring_multiplies_the_draw_up_to_a_fifth_and_never_lowers_it(
    usual: float, factor: float, probability: float
) -> None:
    assert explored(usual, factor) == pytest.approx(probability)
