"""What an office learns of its arrivals: by weekday, by hour, and how many are still to come."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.triage.arrival_profile import HOURS, ArrivalProfile

MONDAY = date(2026, 3, 2)
NIGHT = [0] * HOURS


def at_hours(**counts: int) -> list[int]:
    """A day with these arrivals by hour, as `at_hours(h8=3)`."""
    return [counts.get(f"h{hour}", 0) for hour in range(HOURS)]


def clock(hour: int, minute: int = 0, weekday: int = 0, **more: int) -> datetime:
    return datetime(2026, 3, 2 + weekday, hour, minute, **more, tzinfo=UTC)  # type: ignore[arg-type]  # whole numbers all


def test_a_usual_day_is_the_mean_of_all_whole_days_empty_ones_included() -> None:
    days = {MONDAY: at_hours(h8=10), MONDAY + timedelta(days=1): NIGHT}

    assert ArrivalProfile.from_days(days).usual_per_day == 5


def test_a_weekday_is_its_own_mean_beside_one_usual_day() -> None:
    days = {MONDAY + timedelta(days=n): at_hours(h8=20 if n % 7 == 0 else 6) for n in range(14)}

    profile = ArrivalProfile.from_days(days)

    usual = (2 * 20 + 12 * 6) / 14
    assert profile.by_weekday == pytest.approx([(40 + usual) / 3] + 6 * [(12 + usual) / 3])


def test_a_weekday_that_no_day_was_is_as_usual() -> None:
    profile = ArrivalProfile.from_days({MONDAY: at_hours(h8=12)})

    assert profile.by_weekday == (12,) * 7


def test_the_hours_are_those_of_all_days_with_one_arrival_at_any_hour() -> None:
    days = {MONDAY: at_hours(h8=3), MONDAY + timedelta(days=1): at_hours(h8=3, h20=3)}

    until = ArrivalProfile.from_days(days).until_hour

    assert len(until) == 25
    assert (until[0], until[24]) == (0, pytest.approx(1))
    assert until[8] == pytest.approx(8 / 24 / 10)
    assert until[9] == pytest.approx((6 + 9 / 24) / 10)
    assert until[20] == pytest.approx((6 + 20 / 24) / 10)
    assert until[21] == pytest.approx((9 + 21 / 24) / 10)


@pytest.mark.parametrize(
    ("local", "elapsed"),
    [
        (clock(0), 0.0),
        (clock(6), 0.25),
        (clock(6, 30), 0.25 + 1 / 48),
        (clock(23, 59, second=59, microsecond=999_136), 1 - 1e-8),
        (clock(0, second=36), 36 / 86_400),
    ],
)
def test_within_an_hour_arrivals_are_even(local: datetime, elapsed: float) -> None:
    assert ArrivalProfile.even(10).elapsed(local) == pytest.approx(elapsed, abs=1e-12)


def test_without_a_whole_day_all_weekdays_and_hours_are_alike() -> None:
    profile = ArrivalProfile.even(24.0)

    assert (profile.usual_per_day, profile.by_weekday) == (24.0, (24.0,) * 7)
    assert profile.until_hour == tuple(hour / 24 for hour in range(25))


@pytest.mark.parametrize(
    ("local", "arrived", "expected"),
    [
        # At midnight only the weekday speaks: Tuesdays bring 20, Mondays 10.
        (clock(0, weekday=0), 0, 10),
        (clock(0, weekday=1), 0, 20),
        # At noon half of a day has come: (10 / 2 + 8) / (1/2 + 1/2).
        (clock(12, weekday=0), 8, 13),
        (clock(12, weekday=0), 5, 10),
        (clock(12, weekday=1), 0, 10),
    ],
)
def test_a_day_is_judged_by_its_weekday_and_by_what_came_so_far(
    local: datetime, arrived: int, expected: float
) -> None:
    even = ArrivalProfile.even(10)
    profile = ArrivalProfile(10, (10, 20, 10, 10, 10, 10, 10), even.until_hour)

    assert profile.expected(local, arrived) == pytest.approx(expected)


@given(st.lists(st.lists(st.integers(0, 50), min_size=24, max_size=24), min_size=1, max_size=14))
def test_a_day_that_goes_as_usual_is_expected_to_end_as_usual(days: list[list[int]]) -> None:
    profile = ArrivalProfile.from_days(
        {MONDAY + timedelta(days=n): by_hour for n, by_hour in enumerate(days)}
    )

    for hour in range(24):
        local = clock(hour, weekday=6)
        came = profile.by_weekday[6] * profile.elapsed(local)
        # Arrivals are whole numbers; the profile itself does not mind.
        assert profile.expected(local, came) == pytest.approx(profile.by_weekday[6])  # type: ignore[arg-type]  # a mean
