"""Bands of scores beside what inspections found in them."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.model.score_bands import MOST_BANDS, SMALLEST_BAND, score_bands


@given(st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0]), min_size=1, max_size=400))
def test_bands_hold_every_subject_once_and_rise(scores: list[float]) -> None:
    log_odds = np.array(scores)
    labels = (log_odds > 0).astype(float)

    bands = score_bands(log_odds, labels)

    assert sum(band.inspected for band in bands) == len(scores)
    assert sum(band.confirmed for band in bands) == labels.sum()
    ends = [end for band in bands for end in (band.least, band.most)]
    assert ends == sorted(ends)
    assert (ends[0], ends[-1]) == (min(scores), max(scores))
    assert all(a.most < b.least for a, b in pairwise(bands))
    for band in bands:
        assert band.low - 1e-12 <= band.confirmed / band.inspected <= band.high + 1e-12


def test_bands_are_no_finer_than_the_labels_allow() -> None:
    lots = np.random.default_rng(1)
    for rows in (10, 3 * SMALLEST_BAND, 100 * SMALLEST_BAND):
        bands = score_bands(lots.normal(size=rows), np.zeros(rows))
        assert len(bands) == min(max(rows // SMALLEST_BAND, 1), MOST_BANDS)
        assert min(band.inspected for band in bands) >= min(SMALLEST_BAND, rows)


def test_the_interval_covers_the_true_rate_as_often_as_it_says() -> None:
    lots = np.random.default_rng(20261124)
    covered = []
    for _ in range(300):
        log_odds = lots.normal(-2, 1, 1_000)
        truth = 1 / (1 + np.exp(-log_odds))
        for band in score_bands(log_odds, (lots.random(1_000) < truth).astype(float)):
            own = truth[(log_odds >= band.least) & (log_odds <= band.most)]
            rate = own.mean()
            covered.append(band.low <= rate <= band.high)

    assert 0.93 <= np.mean(covered) <= 0.99
