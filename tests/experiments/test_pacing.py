"""No clock betrays when an office looks: a short run of the study of pacing."""

import importlib
import math

import pytest

from serving.triage.capacity import most_per_day
from tests.counts import in_full_alone

pacing = importlib.import_module("experiments.2026-11-27-figures-that-hold.pacing")
TRAFFIC = {traffic.name: traffic for traffic in pacing.TRAFFIC}


@pytest.mark.parametrize(
    "name",
    [
        "even over 24 h",
        "08-16 UTC",
        "00-08 UTC (Singapore)",
        "16-24 UTC (Los Angeles)",
        "20-04 UTC, zone not named",
        "half as many at weekends",
        "two workers",
    ],
)
@pytest.mark.faults
@in_full_alone
def test_high_scores_are_inspected_as_surely_in_every_quarter_of_the_day(name: str) -> None:
    used = pacing.studied(TRAFFIC[name], seeds=2, days=35)

    # Some 60 high scores a quarter: the study itself, with five times as many, is within .05.
    assert min(used.by_quarter) > 0.85
    assert max(used.by_quarter) - min(used.by_quarter) < 0.12
    assert 0.93 < used.used_ratio(5) < 1.01
    assert max(used.by_day) <= most_per_day(5) + 1


@pytest.mark.faults
@in_full_alone
def test_a_day_with_a_hard_limit_leaves_whoever_declares_late_uninspected() -> None:
    for load in (pacing.HardDays, pacing.HardDaysByClock):
        used = pacing.studied(TRAFFIC["16-24 UTC (Los Angeles)"], seeds=1, days=35, load=load)

        assert used.by_quarter[0] - used.by_quarter[3] > 0.3


@pytest.mark.faults
@in_full_alone
def test_what_a_watch_list_selects_leaves_less_to_the_score_and_capacity_holds() -> None:
    used = pacing.studied(TRAFFIC["2 % on a watch-list"], seeds=2, days=35)

    assert 0.93 < used.used_ratio(5) < 1.03
    assert max(used.by_quarter) - min(used.by_quarter) < 0.2


@pytest.mark.faults
@in_full_alone
@pytest.mark.parametrize("name", ["even over 24 h", "bursts of vessels", "two workers"])
def test_the_stored_probabilities_are_those_of_the_mechanism(name: str) -> None:
    made = list(pacing.placements(TRAFFIC[name], 5, 100, 35, pacing.RecentLoad, 3))

    for lane in ("inspect", "control", "release"):
        stored = [placement.probabilities[lane] for *_, placement in made]
        came = sum(placement.lane == lane for *_, placement in made)
        spread = math.sqrt(sum(each * (1 - each) for each in stored))
        assert spread > 0
        assert abs(came - sum(stored)) / spread < 3.5
