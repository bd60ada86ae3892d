"""The arithmetic that features share, at the edges where it must not become infinite."""

from math import exp, log

import numpy as np
import pytest

from features.engine.expressions.arithmetic import ratio, ratio_of_logs, smoothed_rate
from features.reference.geography.distances import great_circle_km
from tests.features.families.globe import MEAN_EARTH_RADIUS_KM, ROTTERDAM, SHANGHAI, Point, km


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (1.0, 4.0, 0.25),
        (0.0, 4.0, 0.0),
        (-1.0, 4.0, -0.25),
        (1.0, 0.5**1_000, 2.0**1_000),
        (1.0, 0.0, np.nan),
        (0.0, 0.0, np.nan),
        (1.0, -4.0, np.nan),
        (np.nan, 4.0, np.nan),
        (1.0, np.nan, np.nan),
    ],
)
def test_a_ratio_is_missing_where_the_whole_is_not_above_zero(
    part: float, whole: float, expected: float
) -> None:
    np.testing.assert_equal(ratio(np.array([part]), np.array([whole])), [expected])


@pytest.mark.parametrize(
    ("confirmed", "inspected", "all_inspected", "expected"),
    [
        # Of all, a tenth is confirmed, which counts like eight inspections: (3 + 0.8) / (12 + 8).
        (3.0, 12.0, 100.0, 0.19),
        (0.0, 0.0, 100.0, np.nan),  # of what was never inspected nothing is said
        (0.0, 12.0, 100.0, 0.04),
        (np.nan, np.nan, 100.0, np.nan),
        (0.0, 0.0, 0.0, np.nan),
    ],
)
def test_a_rate_of_few_inspections_is_drawn_towards_that_of_all(
    confirmed: float, inspected: float, all_inspected: float, expected: float
) -> None:
    columns = [np.array([n]) for n in (confirmed, inspected, all_inspected / 10, all_inspected)]

    assert smoothed_rate(*columns) == pytest.approx([expected], nan_ok=True)


@pytest.mark.parametrize(
    ("number", "usual", "expected"),
    [(3.0, 1.0, 3.0), (1.0, 4.0, 0.25), (1e30, 1.0, exp(50)), (1.0, 1e30, exp(-50))],
)
def test_a_ratio_of_logarithms_is_that_of_the_numbers_within_bounds(
    number: float, usual: float, expected: float
) -> None:
    logs = [np.array([log(n) * 1e6]) for n in (number, usual)]

    assert ratio_of_logs(*logs) == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (SHANGHAI, ROTTERDAM),
        (ROTTERDAM, SHANGHAI),
        ((-33.9, 18.4), (-34.6, -58.4)),  # over the Atlantic, south of the equator
        ((51.95, 179.0), (51.95, -179.0)),  # over the date line
        ((51.95, 4.142), (51.9501, 4.1421)),  # some metres
        ((90.0, 0.0), (90.0, 77.0)),  # the pole, by any longitude
    ],
)
def test_a_great_circle_is_as_long_as_the_angle_between_its_ends(start: Point, end: Point) -> None:
    assert great_circle_km(*start, *end) == pytest.approx(km(start, end), rel=1e-6, abs=1e-6)


def test_the_way_to_the_other_side_of_the_globe_is_half_its_circumference() -> None:
    half = np.pi * MEAN_EARTH_RADIUS_KM

    assert great_circle_km(10.0, 20.0, -10.0, -160.0) == pytest.approx(half, rel=1e-7)
