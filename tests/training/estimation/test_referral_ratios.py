"""Ratios of a group against the stated model summed over a fine grid, and what is too little."""

import numpy as np
import pytest
from scipy import stats

from training.confidence_intervals import Estimate
from training.estimation.referral_ratios import (
    ANYWHERE,
    ANYWHERE_SHARE,
    LIKE_ALL,
    RISK,
    ReferredGroup,
    chance_above,
    is_too_wide,
    precision_ratio,
    referral_ratio,
)

GROUPS = [
    ReferredGroup(90.0, 30.0, 40.0, 4.0, 12.0, False),
    ReferredGroup(90.0, 30.0, 40.0, 4.0, 12.0, True),
    ReferredGroup(4.0, 9.0, 0.0, 0.0, 0.0, False),
    ReferredGroup(60.0, 40.0, 30.0, 20.0, 8.0, True),
]


@pytest.mark.parametrize("group", GROUPS)
def test_figures_of_a_group_are_those_of_its_model_summed_over_a_fine_grid(
    group: ReferredGroup,
) -> None:
    ratio = np.linspace(0.001, 20, 40_000)
    chance = stats.poisson.pmf(group.referred, ratio * group.expected) * (
        ANYWHERE_SHARE * stats.gamma.pdf(ratio, ANYWHERE, scale=1 / ANYWHERE)
        + (1 - ANYWHERE_SHARE) * stats.gamma.pdf(ratio, LIKE_ALL, scale=1 / LIKE_ALL)
    )
    chance /= chance.sum()
    # An operator that is new or small is as risky as it is referred, until results say otherwise.
    prior = RISK / ratio if group.is_risky_by_experience else RISK
    risk = stats.gamma(RISK + group.confirmed, scale=1 / (prior + group.usual / ratio))
    places = np.searchsorted(np.cumsum(chance), [0.025, 0.975])

    found, precision = referral_ratio(group), precision_ratio(group)

    assert found.value == pytest.approx(chance @ ratio, rel=0.01)
    assert (found.low, found.high) == pytest.approx(ratio[places], rel=0.02)
    assert precision.value == pytest.approx(chance @ (risk.mean() / ratio), rel=0.05)
    assert precision.low is not None
    assert precision.high is not None
    assert precision.low < precision.value < precision.high
    above = chance @ np.where(ratio > 1.5, risk.cdf(ratio / 1.5), 0.0)
    assert chance_above(group) == pytest.approx(above, rel=0.05, abs=0.005)


def test_twice_the_traffic_is_twice_every_number() -> None:
    assert GROUPS[0].times(2.0) == ReferredGroup(180.0, 60.0, 80.0, 8.0, 24.0, False)


@pytest.mark.parametrize(
    ("low", "high", "is_wide"),
    [
        (0.09, 0.12, False),
        (0.07, 0.15, False),
        (0.07, 0.16, True),
        (0.06, 0.11, True),
        (0.11, 0.90, False),
        (0.01, 0.09, False),
        (0.10, 0.16, True),
        (0.06, 0.10, True),
        (None, None, True),
    ],
)
def test_a_share_is_too_wide_where_it_may_be_that_of_all_and_half_as_much_again(
    low: float | None, high: float | None, is_wide: bool
) -> None:
    assert is_too_wide(Estimate(0.1, low, high), 0.1) is is_wide
