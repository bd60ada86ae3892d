"""Means of units of unequal weight, and what is said of how sure they are."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import optimize, stats

from training.estimation.weighted_mean import (
    ConfidenceDistribution,
    difference_of,
    part_of_both,
    weighted_mean,
)


def mid_p(found: int, of: int) -> tuple[float, float]:
    """Clopper and Pearson's interval in its mid-P version, by its definition."""

    def tail(share: float) -> float:
        binomial = stats.binom(of, share)
        return float(binomial.cdf(found - 1) + binomial.pmf(found) / 2)

    low = optimize.brentq(lambda share: tail(share) - 0.975, 0, 1) if found else 0.0
    high = optimize.brentq(lambda share: tail(share) - 0.025, 0, 1) if found < of else 1.0
    return float(low), float(high)


@pytest.mark.parametrize(
    ("found", "of"), [(0, 40), (1, 40), (3, 200), (20, 60), (59, 60), (40, 40)]
)
def test_with_equal_weights_the_interval_is_the_mid_p_interval(found: int, of: int) -> None:
    values = np.r_[np.ones(found), np.zeros(of - found)]
    estimate = weighted_mean(values, np.full(of, 7.0), is_this_traffic=False).estimate
    assert estimate.value == pytest.approx(found / of)
    assert (estimate.low, estimate.high) == pytest.approx(mid_p(found, of), abs=0.002)


def test_where_everyone_was_inspected_nothing_is_in_doubt() -> None:
    estimate = weighted_mean(np.array([1.0, 0.0, 0.0, 1.0]), np.ones(4)).estimate
    assert (estimate.value, estimate.low, estimate.high) == (0.5, 0.5, 0.5)


def test_what_weighs_most_and_was_never_found_widens_the_interval_upwards() -> None:
    found_among_light = np.r_[np.ones(10), np.zeros(190)]
    light = np.full(200, 2.0)
    alone = weighted_mean(found_among_light, light).estimate
    beside_heavy = weighted_mean(
        np.r_[found_among_light, np.zeros(50)], np.r_[light, np.full(50, 100.0)]
    ).estimate
    assert alone.high is not None
    assert beside_heavy.value is not None
    assert beside_heavy.high is not None
    assert beside_heavy.value < 0.01
    # Fifty of a hundred each, none found: up to 3 of 51 of five thousand may be, by the draws.
    assert beside_heavy.high > 0.04


@example([(1.0, 1.00001), (1.0, 335.5)])
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.floats(1, 500)), min_size=1, max_size=80))
def test_an_interval_lies_within_0_and_1_around_plausible_values(
    units: list[tuple[float, float]],
) -> None:
    values, weights = np.array(units).T
    for is_this_traffic in (True, False):
        estimate = weighted_mean(values, weights, is_this_traffic=is_this_traffic).estimate
        assert estimate.value is not None
        assert estimate.low is not None
        assert estimate.high is not None
        assert 0 <= estimate.low <= estimate.high <= 1
        assert estimate.low <= estimate.value + 1e-9
        assert estimate.value <= estimate.high + 1e-9


def test_the_part_of_both_is_that_of_their_counts_where_those_are_sure() -> None:
    one = weighted_mean(np.array([1.0, 0.0]), np.ones(2)).scaled(30)
    other = weighted_mean(np.array([1.0, 0.0, 0.0, 0.0]), np.ones(4)).scaled(20)
    assert part_of_both(one, other).estimate.value == pytest.approx(15 / 20)


def test_the_part_of_both_is_unknown_where_nothing_was_found() -> None:
    nothing = weighted_mean(np.zeros(40), np.full(40, 9.0)).scaled(360)
    assert np.isnan(part_of_both(nothing, nothing).value)


def counts(found: int, of: int, weight: float) -> ConfidenceDistribution:
    """A count that is known from `of` units, `found` of which have what is counted."""
    values = np.r_[np.ones(found), np.zeros(of - found)]
    return weighted_mean(values, np.full(of, weight)).scaled(of * weight)


def test_the_part_of_both_is_right_on_average_where_few_are_found() -> None:
    rng = np.random.default_rng(20261127)
    found = counts(100, 400, 1.0)
    # Two hundred of twenty thousand are missed, and one in thirty-three is drawn.
    draws = rng.hypergeometric(200, 19_800, 600, 400)
    parts = [part_of_both(found, counts(int(missed), 600, 20_000 / 600)).value for missed in draws]

    assert float(np.mean(parts)) == pytest.approx(1 / 3, rel=0.05)
    assert all(0 < part < 1 for part in parts)
    plain = [100 / (100 + missed * 20_000 / 600) for missed in draws]
    assert float(np.mean(plain)) > 1.03 / 3


def test_the_part_of_both_is_not_pulled_to_nothing_where_the_missed_are_hardly_known() -> None:
    rng = np.random.default_rng(20261202)
    found = counts(80, 300, 1.0)
    # A third of the traffic is drawn at .005, a third at .03 and a third at .10.
    weights = np.repeat([200.0, 33.3, 10.0], [10, 60, 200])
    parts = []
    for _ in range(200):
        missed = weighted_mean((rng.random(270) < 0.024).astype(np.float64), weights)
        parts.append(part_of_both(found, missed.scaled(6_000)).value)

    assert float(np.mean(parts)) == pytest.approx(80 / (80 + 0.024 * 6_000), rel=0.2)


@given(st.integers(0, 30), st.integers(1, 30), st.floats(1, 300), st.floats(1, 300))
def test_the_part_of_both_never_leaves_its_interval(
    found: int, missed: int, one: float, other: float
) -> None:
    part = part_of_both(counts(found, 40, one), counts(missed, 40, other)).estimate
    assert part.value is not None
    assert part.low is not None
    assert part.high is not None
    assert part.low - 1e-9 <= part.value <= part.high + 1e-9


def test_the_parts_of_both_make_one_whole() -> None:
    one, other = counts(30, 300, 10.0), counts(4, 300, 10.0)
    assert part_of_both(one, other).value + part_of_both(other, one).value == pytest.approx(1)
    assert part_of_both(one, one).value == pytest.approx(0.5)


def test_a_part_of_less_than_one_subject_and_of_none_is_a_part_too() -> None:
    sure = weighted_mean(np.array([1.0, 0.0]), np.ones(2))
    small = part_of_both(sure.scaled(0.6), sure.scaled(0.2))
    assert small.value == pytest.approx(0.75)
    assert small.points == pytest.approx(0.75)
    assert (part_of_both(sure.scaled(0.0), sure.scaled(0.0)).points == 0).all()


def test_the_part_of_both_is_as_unsure_as_pairs_of_plausible_counts() -> None:
    one, other = counts(30, 300, 10.0), counts(4, 300, 10.0)
    rng = np.random.default_rng(5)
    first, second = (rng.choice(each.points, 100_000) for each in (one, other))

    told = part_of_both(one, other).estimate

    wanted = np.quantile(first / (first + second), [0.025, 0.975])
    assert (told.low, told.high) == pytest.approx(tuple(wanted), abs=0.005)


def test_a_difference_is_as_unsure_as_both_together() -> None:
    one, other = counts(30, 300, 10.0), counts(20, 300, 10.0)
    difference = difference_of(one, other)

    assert difference.value == pytest.approx(one.value - other.value)
    assert difference.points.mean() == pytest.approx(difference.value, rel=0.05)
    spreads = one.points.std(), other.points.std()
    assert difference.points.std() == pytest.approx(np.hypot(*spreads), rel=0.05)
    back = difference_of(other, one)
    assert back.estimate.low == pytest.approx(-(difference.estimate.high or 0), rel=1e-6)


def test_a_figure_is_scaled_on_top_of_what_is_known_with_all_its_plausible_values() -> None:
    share = weighted_mean(np.r_[np.ones(10), np.zeros(30)], np.full(40, 5.0))

    count = share.scaled(200.0, 7.0)

    assert count.value == pytest.approx(7 + 50)
    assert count.points == pytest.approx(7 + 200 * share.points)


def none_found(*weights: float) -> float:
    """The upper end where nothing was found in fifty units of each weight."""
    every = np.repeat(weights, 50)
    high = weighted_mean(np.zeros(len(every)), every, is_this_traffic=False).estimate.high
    assert high is not None
    return high


def test_units_of_like_weight_are_one_sample_and_of_far_apart_weights_are_several() -> None:
    assert none_found(10.0, 10.5) == pytest.approx(none_found(10.0, 10.0), rel=0.03)
    # From four times on, the heavy ones are a sample of their own: half as large, twice as unsure.
    assert none_found(10.0, 40.0) > 1.1 * none_found(10.0, 39.9)


def test_samples_of_several_weights_are_added_up_as_independent_ones_are() -> None:
    rng = np.random.default_rng(3)
    light, heavy = np.r_[np.ones(20), np.zeros(80)], np.r_[np.ones(5), np.zeros(45)]
    weights = np.r_[np.full(100, 2.0), np.full(50, 16.0)]

    told = weighted_mean(np.r_[light, heavy], weights, is_this_traffic=False)

    alone = [
        rng.choice(
            weighted_mean(values, np.ones(len(values)), is_this_traffic=False).points, 200_000
        )
        for values in (light, heavy)
    ]
    mixed = (200 * alone[0] + 800 * alone[1]) / 1_000
    for share in (0.025, 0.1, 0.5, 0.9, 0.975):
        assert np.quantile(told.points, share) == pytest.approx(np.quantile(mixed, share), rel=0.02)


def test_of_this_traffic_a_unit_that_stands_for_itself_alone_leaves_no_doubt() -> None:
    values = np.r_[np.ones(5), np.zeros(15)]
    widths = []
    for weight in (1.0, 1.5, 4.0, 1e6):
        told = weighted_mean(values, np.full(20, weight)).estimate
        widths.append((told.high or 0) - (told.low or 0))
    of_all = weighted_mean(values, np.ones(20), is_this_traffic=False).estimate

    assert widths[0] == 0
    assert widths == sorted(widths)
    assert widths[-1] == pytest.approx((of_all.high or 0) - (of_all.low or 0), rel=1e-3)
    # A draw of one in four leaves 1 - 1/4 of the variance of one from all of their kind.
    assert widths[2] / widths[-1] == pytest.approx(np.sqrt(3 / 4), rel=0.05)


def test_what_is_inspected_together_and_alike_says_as_much_as_one() -> None:
    rng = np.random.default_rng(20261202)
    alike = (rng.random(60) < 0.2).astype(np.float64)

    shared = weighted_mean(
        alike.repeat(6), np.full(360, 5.0), np.arange(60).repeat(6), is_this_traffic=False
    )

    each = weighted_mean(alike, np.full(60, 30.0), is_this_traffic=False)
    assert shared.value == pytest.approx(each.value)
    assert shared.points == pytest.approx(each.points)
