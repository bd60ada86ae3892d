"""Subjects that were looked at stand for as many as their probability says."""

import numpy as np
import pytest

from training.inverse_probability import inverse_probability_weight


@pytest.mark.parametrize(
    ("probability", "clip", "weight"),
    [
        (0.25, 50.0, 4.0),
        (1.0, 50.0, 1.0),
        (0.02, 50.0, 50.0),
        (0.001, 50.0, 50.0),
        (0.001, float("inf"), 1_000.0),
        (0.0, 50.0, 50.0),
        # A probability that was never recorded.
        (float("nan"), 50.0, 1.0),
    ],
)
def test_each_stands_for_one_over_its_probability_within_the_clip(
    probability: float, clip: float, weight: float
) -> None:
    assert inverse_probability_weight(np.array([probability]), clip=clip).tolist() == [weight]


def test_draws_of_any_probability_stand_for_all_there_were_on_average() -> None:
    random = np.random.default_rng(7)
    probability = random.uniform(0.05, 1.0, 200_000)
    is_drawn = random.random(len(probability)) < probability

    drawn = inverse_probability_weight(probability[is_drawn], clip=float("inf"))

    assert drawn.sum() == pytest.approx(len(probability), rel=0.01)
