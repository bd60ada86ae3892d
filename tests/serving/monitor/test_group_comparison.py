"""Comparisons of groups: what is said, of whom first, and from what."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from serving.monitor.day_summary import DaySummary
from serving.monitor.group_comparison import KnownResults, compare_selection, worst_first
from training.confidence_intervals import proportion
from training.estimation.referral_ratios import ReferredGroup, referral_ratio

# Group, size and number that counts of a traffic of which one in ten counts, and what is said.
GROUPS = {
    "often": (400, 120, "more"),
    "bit more": (300, 42, "perhaps more"),
    "like all": (5_000, 490, "alike"),
    "seldom": (2_000, 60, "less"),
    "bit less": (300, 15, "perhaps less"),
    "tiny": (8, 2, "too few"),
    "none of three": (3, 0, "too few"),
}
COUNTS = {group: (size, counted) for group, (size, counted, _) in GROUPS.items()}


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_judged_by_the_ratio_of_the_gate_and_its_interval(group: str) -> None:
    found = {each.group: each for each in worst_first("mode", COUNTS)}

    size, counted, verdict = GROUPS[group]
    of, own = (sum(each[place] for each in COUNTS.values()) for place in (0, 1))
    one = found[group]
    assert (one.verdict, one.subjects, one.counted) == (verdict, size, counted)
    assert one.share == proportion(counted, size)
    assert one.ratio == referral_ratio(ReferredGroup(counted, own / of * size, 0, 0, 0, False))
    assert (one.explained, one.results) == (None, None)


def test_the_worst_group_is_first_and_those_of_which_too_little_is_known_are_last() -> None:
    order = [each.group for each in worst_first("mode", COUNTS)]

    assert order[:5] == ["often", "bit more", "like all", "bit less", "seldom"]
    assert set(order[5:]) == {"tiny", "none of three"}


@pytest.mark.parametrize(
    ("results", "explained"),
    [
        ((100, 4, 100), "no"),
        ((100, 60, 100), "yes"),
        ((2, 1, 2), "unclear"),
        ((90, 60, 1), "unclear"),
    ],
)
def test_more_is_explained_where_as_many_are_confirmed_in_independent_inspections(
    results: tuple[int, int, int], explained: str
) -> None:
    counts = {"often": (400, 120), "others": (10_000, 900)}
    known = {"often": KnownResults(*results), "others": KnownResults(900, 180, 900)}

    worst, _ = worst_first("mode", counts, known)

    assert (worst.group, worst.explained, worst.results) == ("often", explained, results[0])


def test_groups_of_which_nothing_is_counted_are_no_better_than_others() -> None:
    assert {each.verdict for each in worst_first("mode", {"a": (900, 0), "b": (9, 0)})} == {
        "too few"
    }
    assert worst_first("mode", {}) == worst_first("mode", {"a": (0, 0)}) == ()


def test_selection_is_counted_over_days_by_group_and_random_checks_are_none() -> None:
    lanes = {
        ("mode", "sea", "inspect"): 3,
        ("mode", "sea", "control"): 5,
        ("age", "x", "inspect"): 3,
    }
    days = [
        DaySummary(lanes=Counter(lanes)),
        DaySummary(lanes=Counter({("mode", "air", "release"): 4})),
    ]
    seen = {"lane": ["inspect", "inspect", "inspect", "control"], "mode": "sea"}
    visits = pd.DataFrame({**seen, "confirmed": [1.0, 0.0, np.nan, 1.0], "together": [0, 0, 2, 3]})

    found = compare_selection(days, visits)

    assert [(one.by, one.group, one.subjects, one.counted, one.results) for one in found] == [
        ("age", "x", 3, 3, None),
        ("mode", "sea", 8, 3, 2),
        ("mode", "air", 4, 0, 0),
    ]


def test_a_day_of_an_earlier_release_counts_by_office_alone() -> None:
    now = DaySummary(lanes=Counter({("office", "DE-1", "inspect"): 2})).as_json()

    earlier = now.replace("office\\tDE-1\\tinspect", "DE-1\\tinspect")

    assert earlier != now
    assert DaySummary.read(earlier).lanes == DaySummary.read(now).lanes
