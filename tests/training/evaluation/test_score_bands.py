"""Bands of scores beside what would be confirmed of all traffic in them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.estimation.inspected_sample import InspectedSample, inspected_sample
from training.evaluation.score_bands import score_bands, traffic_bands
from training.outcomes import Texts
from training.ranking import Floats


def drawn_from(log_odds: Floats, probability: float, truth: Floats, seed: int) -> InspectedSample:
    """Labels of those that a draw with one probability took."""
    is_drawn = np.random.default_rng(seed).random(len(log_odds)) < probability
    ways: Texts = np.where(is_drawn, "random", None).astype(object)
    labels = np.where(is_drawn, truth, np.nan)
    return inspected_sample(labels, ways, np.where(is_drawn, probability, np.nan))


@settings(max_examples=40)
@given(st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0]), min_size=80, max_size=400))
def test_bands_hold_every_result_once_and_rise(scores: list[float]) -> None:
    log_odds = np.array(scores)
    bands = traffic_bands(drawn_from(log_odds, 1.0, (log_odds > 0).astype(float), 1), log_odds)

    assert sum(band.inspected for band in bands) == len(scores)
    assert sum(band.subjects for band in bands) == len(scores)
    assert sum(band.confirmed for band in bands) == (log_odds > 0).sum()
    ends = [end for band in bands for end in (band.least, band.most)]
    assert ends == sorted(ends)
    assert (ends[0], ends[-1]) == (min(scores), max(scores))
    assert all(a.most < b.least for a, b in pairwise(bands))


def test_a_band_is_as_fine_as_the_draws_allow() -> None:
    log_odds = np.random.default_rng(1).normal(size=6_000)
    for probability, most in ((0.012, 2), (0.1, 8), (1.0, 13)):
        bands = traffic_bands(drawn_from(log_odds, probability, np.zeros(6_000), 2), log_odds)
        assert most * 0.7 <= len(bands) <= most
        assert min(band.inspected for band in bands) >= 25


def test_where_nothing_can_be_said_of_all_traffic_a_share_may_be_anything() -> None:
    log_odds = np.linspace(-3, 1, 500)
    bands = traffic_bands(drawn_from(log_odds, 0.01, np.zeros(500), 3), log_odds)
    (band,) = score_bands(bands)
    assert bands[0].share.value is None
    assert (band.low, band.high) == (0.0, 1.0)


def test_the_interval_holds_the_share_of_all_traffic_as_often_as_it_says() -> None:
    lots = np.random.default_rng(20261127)
    log_odds = lots.normal(-2, 1, 8_000)
    truth = (lots.random(8_000) < 1 / (1 + np.exp(-log_odds))).astype(float)
    held = []
    for seed in range(60):
        for band in traffic_bands(drawn_from(log_odds, 0.05, truth, seed), log_odds):
            is_in = (log_odds >= band.least) & (log_odds <= band.most)
            assert band.subjects == is_in.sum()
            promised = 1 / (1 + np.exp(-log_odds[is_in]))
            assert band.mean_probability == pytest.approx(promised.mean())
            held.append(band.share.low <= truth[is_in].mean() <= band.share.high)

    assert 0.91 <= np.mean(held) <= 0.99


def test_a_band_never_rests_on_the_hits_of_a_rule_alone() -> None:
    """High scores that a rule chose are riskier than those it left, of which few are drawn."""
    lots = np.random.default_rng(8)
    log_odds = lots.normal(size=8_000)
    is_hit = (log_odds > 1.5) & (lots.random(8_000) < 0.3)
    probability = np.where(is_hit, 0.9, 0.02)
    truth = np.where(is_hit, 0.6, 0.05) > lots.random(8_000)
    held = []
    for seed in range(30):
        is_drawn = np.random.default_rng(seed).random(8_000) < probability
        ways: Texts = np.where(is_drawn, np.where(is_hit, "rule", "random"), None).astype(object)
        labels = np.where(is_drawn, truth, np.nan)
        sample = inspected_sample(labels, ways, np.where(is_drawn, probability, np.nan))
        for band in traffic_bands(sample, log_odds):
            is_in = (log_odds >= band.least) & (log_odds <= band.most)
            held.append(band.share.low <= truth[is_in].mean() <= band.share.high)

    assert len(held) > 60
    assert np.mean(held) >= 0.93
