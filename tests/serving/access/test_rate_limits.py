"""Permits of a caller: used up, refilled steadily, and never more than at once."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.access.rate_limits import MAX_CALLERS, RateLimits
from tests.serving.access.trusted import Clock
from tests.serving.refusals import refused_with


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("serving.access.rate_limits.time.monotonic", clock)
    return clock


def refused_for_s(limits: RateLimits, permits: float = 1) -> int:
    with refused_with("too-often") as refusal:
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
    assert MAX_CALLERS == 10_000

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


@pytest.fixture(params=["own", "shared"])
def five(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RateLimits]:
    limits = RateLimits(
        per_s=1, burst=5, shared_folder=tmp_path / "limits" if request.param == "shared" else None
    )
    yield limits
    limits.close()


def test_what_is_left_is_told_as_the_draft_of_the_ietf_has_it(
    five: RateLimits, clock: Clock
) -> None:
    five.take("a", 1.5)
    clock.now_s += 0.25

    assert five.take("a").headers() == {
        "RateLimit-Policy": '"caller";q=5;w=5',
        "RateLimit": '"caller";r=2;t=3',
    }
    with refused_with("too-often") as refusal:
        five.take("a", 4)
    assert refusal.value.headers["RateLimit"] == '"caller";r=2;t=3'
    assert refusal.value.retry_after_s == 2


def test_shared_permits_come_back_and_belong_to_one_caller(five: RateLimits, clock: Clock) -> None:
    five.take("a", 5)
    assert refused_for_s(five) == 1
    five.take("b", 5)
    clock.now_s += 2
    five.take("a", 2)
    assert refused_for_s(five) == 1


def test_of_too_many_callers_that_share_a_file_all_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.access.rate_limits.MAX_CALLERS", 3)
    limits = RateLimits(per_s=0.001, burst=1, shared_folder=tmp_path / "limits")
    for caller in ("a", "b", "c"):
        limits.take(caller)
    assert refused_for_s(limits) == 1000
    limits.take("d")
    limits.take("a")
    limits.close()


TAKES_THREE = """
import sys
from pathlib import Path
from serving.access.rate_limits import RateLimits
limits = RateLimits(per_s=0.001, burst=7, shared_folder=Path(sys.argv[1]))
print(limits.take("a", 3).left)
"""


def test_processes_that_share_a_file_share_permits(tmp_path: Path) -> None:
    def taken() -> str:
        command = [sys.executable, "-c", TAKES_THREE, str(tmp_path / "limits")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout[:1] or done.stderr.strip().rpartition("\n")[2].partition(":")[0]

    assert [taken() for _ in range(3)] == ["4", "1", "serving.errors.ServingError"]
