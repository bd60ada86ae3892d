"""The control draw is enough for its count, and bounded while more is explored."""

import pytest

from serving.triage.control_probability import control_probability, explored


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
