"""Permits of a caller: used up, refilled steadily, and never more than at once."""

import pytest

from serving.access.rate_limits import MOST_CALLERS, RateLimits
from serving.errors import TooOften
from tests.serving.access.trusted import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("serving.access.rate_limits.time.monotonic", clock)
    return clock


def refused_for_s(limits: RateLimits, permits: float = 1) -> int:
    with pytest.raises(TooOften) as refusal:
        limits.take("a", permits)
    assert refusal.value.retry_after_s is not None
    return refusal.value.retry_after_s


@pytest.mark.usefixtures("clock")
def test_as_many_permits_as_there_are_may_be_taken_at_once() -> None:
    limits = RateLimits(per_s=0.5, burst=3)

    limits.take("a", 2)
    limits.take("a")
    assert refused_for_s(limits) == 2
    assert refused_for_s(limits, 3) == 6


@pytest.mark.usefixtures("clock")
def test_less_than_one_permit_is_missed_too() -> None:
    limits = RateLimits(per_s=0.1, burst=3)

    limits.take("a", 2.5)
    assert refused_for_s(limits) == 5


def test_permits_come_back_steadily(clock: Clock) -> None:
    limits = RateLimits(per_s=4, burst=8)
    limits.take("a", 8)

    clock.now_s += 0.5
    assert refused_for_s(limits, 2.25) == 1
    limits.take("a", 2)
    assert refused_for_s(limits, 0.25) == 1
    clock.now_s += 0.25
    limits.take("a")
    assert refused_for_s(limits, 0.25) == 1


def test_a_refusal_costs_nothing(clock: Clock) -> None:
    limits = RateLimits(per_s=1, burst=2)
    limits.take("a", 2)

    assert refused_for_s(limits, 2) == 2
    clock.now_s += 2
    limits.take("a", 2)


def test_whoever_waits_for_long_has_no_more_than_the_burst(clock: Clock) -> None:
    limits = RateLimits(per_s=4, burst=8)
    limits.take("a")

    clock.now_s += 86_400
    limits.take("a", 8)
    assert refused_for_s(limits, 0.25) == 1


def test_whoever_comes_first_has_the_whole_burst_however_young_the_clock(clock: Clock) -> None:
    clock.now_s = 0.25
    limits = RateLimits(per_s=1, burst=8)

    limits.take("a", 8)
    assert refused_for_s(limits) == 1


@pytest.mark.usefixtures("clock")
def test_one_caller_uses_up_nothing_of_another() -> None:
    limits = RateLimits(per_s=1, burst=1)

    limits.take("a")
    limits.take("b")
    assert refused_for_s(limits) == 1


@pytest.mark.usefixtures("clock")
def test_of_many_callers_those_who_asked_last_are_remembered() -> None:
    limits = RateLimits(per_s=1, burst=1)
    assert MOST_CALLERS == 10_000

    limits.take("a")
    for number in range(9_999):
        limits.take(str(number))
    assert refused_for_s(limits) == 1
    limits.take("one more")  # so that the first of the numbers is forgotten, not `a`
    assert refused_for_s(limits) == 1
    limits.take("0")
    for number in range(10_000):
        limits.take(f"another {number}")
    limits.take("a")
