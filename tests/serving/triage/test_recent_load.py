"""What an office lately saw: which scores count, for how long, and what belongs to today."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.triage.capacity import carried_over
from serving.triage.recent_load import (
    MAX_SCORES,
    MIN_SCORES,
    REMEMBERED,
    RecentLoad,
    RecentPlacement,
)

AT = datetime(2026, 3, 2, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def placed(
    at: datetime = AT,
    probability: float | None = 0.5,
    lane: Any = "release",
    kind: Any = "shipment",
    office_id: str | None = "A",
) -> RecentPlacement:
    return RecentPlacement(kind, office_id, at, probability, lane)


def test_two_hundred_scores_set_a_threshold_and_fewer_do_not() -> None:
    recent = RecentLoad.of_placements(placed() for _ in range(199))

    assert recent.scores("shipment", "A") is None
    recent.count(placed(probability=None))
    assert recent.scores("shipment", "A") is None
    recent.count(placed(probability=0.1))
    assert recent.scores("shipment", "A") == [0.1] + [0.5] * 199
    assert (MIN_SCORES, MAX_SCORES) == (200, 5_000)


def test_scores_are_of_their_own_kind_and_office() -> None:
    recent = RecentLoad.of_placements(placed() for _ in range(200))

    assert recent.scores("route", "A") is None
    assert recent.scores("shipment", "B") is None
    assert recent.scores("shipment", None) is None
    nowhere = RecentLoad.of_placements(placed(office_id=None) for _ in range(200))
    assert nowhere.scores("shipment", None) == [0.5] * 200


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=200, max_size=210))
def test_scores_ascend(probabilities: list[float]) -> None:
    recent = RecentLoad.of_placements(placed(probability=each) for each in probabilities)

    assert recent.scores("shipment", "A") == sorted(probabilities)


def test_a_score_is_remembered_for_fourteen_days_and_then_forgotten() -> None:
    assert timedelta(days=14) == REMEMBERED
    old = [placed(AT, 0.9), placed(AT + TICK, 0.1), placed(AT + TICK, None)]
    recent = RecentLoad.of_placements([*old, *(placed(AT + TICK, 0.5) for _ in range(199))])

    recent.count(placed(AT + REMEMBERED, 0.5))
    assert recent.scores("shipment", "A") == [0.1, *[0.5] * 200, 0.9]
    recent.count(placed(AT + REMEMBERED + TICK, 0.5))
    assert recent.scores("shipment", "A") == [0.1] + [0.5] * 201
    recent.count(placed(AT + REMEMBERED + 2 * TICK, 0.5))
    assert recent.scores("shipment", "A") is None


def test_the_newest_five_thousand_are_remembered() -> None:
    recent = RecentLoad.of_placements(
        [placed(probability=0.9), *(placed() for _ in range(MAX_SCORES - 1))]
    )

    assert recent.scores("shipment", "A") == [0.5] * (MAX_SCORES - 1) + [0.9]
    recent.count(placed())
    assert recent.scores("shipment", "A") == [0.5] * MAX_SCORES
    assert recent.usual_per_day("A", AT) == MAX_SCORES


@pytest.mark.parametrize(
    ("hours", "per_day"), [(0.0, 12.0), (12.0, 12.0), (24.0, 12.0), (36.0, 8.0)]
)
def test_without_a_whole_day_arrivals_are_over_the_time_since_the_first_and_at_least_a_day(
    hours: float, per_day: float
) -> None:
    recent = RecentLoad.of_placements(
        placed(AT + timedelta(hours=11) + n * TICK, None) for n in range(12)
    )

    assert recent.usual_per_day("A", AT + timedelta(hours=11 + hours)) == per_day


def test_arrivals_of_both_kinds_at_one_office_are_one_load() -> None:
    recent = RecentLoad.of_placements(
        [
            *(placed() for _ in range(3)),
            *(placed(kind="route") for _ in range(4)),
            *(placed(office_id="B") for _ in range(9)),
        ]
    )

    assert recent.usual_per_day("A", AT) == 7
    assert recent.usual_per_day("B", AT) == 9
    assert recent.usual_per_day("C", AT) == 0


def whole_days(*arrivals: int, **of: Any) -> list[RecentPlacement]:
    """Days that end at AT with so many arrivals at noon, after one whose morning nobody knows."""
    begin = AT - timedelta(days=len(arrivals)) + timedelta(hours=12)
    first = placed(begin - timedelta(days=1), None, office_id=of.get("office_id", "A"))
    days = (
        [placed(begin + timedelta(days=day), **of)] * count for day, count in enumerate(arrivals)
    )
    return [first, *(each for day in days for each in day)]


def test_a_workday_counts_what_the_lane_of_the_office_took_today() -> None:
    noon = AT + timedelta(hours=12)
    recent = RecentLoad.of_placements(
        [
            *whole_days(6, 10, lane="inspect"),
            placed(AT, lane="inspect"),
            placed(noon, lane="inspect", kind="route"),
            placed(noon, lane="document_check"),
            placed(noon, lane="inspect", office_id="B"),
        ]
    )

    workday = recent.workday("A", "inspect", 10, noon)

    assert (workday.capacity, workday.taken, workday.usual_per_day) == (10, 2, 8)
    # Sixteen came at noon and one may come at any hour: half of that one has come by now.
    assert workday.expected == pytest.approx((8 / 2 + 3) / (1 / 2 + 0.5 / 17))
    assert workday.carried_over == carried_over(10, [(6, 6), (10, 10)])
    assert recent.workday("A", "document_check", 5, noon).taken == 1
    assert recent.workday("A", "control", 5, noon).taken == 0
    assert recent.workday("B", "inspect", 5, noon).taken == 1


def test_a_workday_is_that_of_the_offices_time_zone() -> None:
    evening = AT - timedelta(hours=8)
    placements = [placed(evening - TICK, lane="inspect"), placed(evening, lane="inspect")]
    zones = {"A": ZoneInfo("Asia/Singapore")}

    def taken(recent: RecentLoad, at: datetime) -> int:
        return recent.workday("A", "inspect", 10, at).taken

    assert taken(RecentLoad.of_placements(placements, zones), AT) == 1
    assert taken(RecentLoad.of_placements(placements, zones), evening - TICK) == 1
    assert taken(RecentLoad.of_placements(placements), evening) == 2
    assert taken(RecentLoad.of_placements(placements), AT) == 0


def test_the_arrivals_of_a_weekday_are_known_from_its_last_one() -> None:
    recent = RecentLoad.of_placements(whole_days(30, 2, 2, 2, 2, 2, 2))

    assert recent.usual_per_day("A", AT) == 18
    assert recent.usual_per_day("A", AT - timedelta(days=1)) < 10


@pytest.mark.parametrize("later", [timedelta(days=1), timedelta(days=-1)])
def test_what_was_taken_on_another_day_is_not_taken_of_this_one(later: timedelta) -> None:
    recent = RecentLoad.of_placements([placed(lane="inspect")])

    assert recent.workday("A", "inspect", 10, AT + later).taken == 0


def test_what_is_heard_of_after_midnight_counts_for_the_day_it_was_placed_on() -> None:
    recent = RecentLoad.of_placements(
        [placed(AT, lane="inspect"), placed(AT - TICK, lane="inspect"), placed(AT, lane="inspect")]
    )

    assert recent.workday("A", "inspect", 10, AT).taken == 2
    assert recent.workday("A", "inspect", 10, AT - TICK).taken == 1


def test_a_new_day_begins_with_nothing_taken() -> None:
    recent = RecentLoad.of_placements([placed(AT, lane="inspect")] * 3)

    recent.count(placed(AT + timedelta(days=1), lane="inspect"))

    assert recent.workday("A", "inspect", 10, AT + timedelta(days=1)).taken == 1


def test_what_came_into_a_lane_below_any_score_that_selects_is_certain() -> None:
    low = [placed(AT, 0.0, "inspect")] * 3 + [placed(AT, None, "inspect")] * 2
    selected = [placed(AT, 0.9, "inspect")] * 5
    others = [placed(AT, n / 1_000) for n in range(1, 191)]
    recent = RecentLoad.of_placements([*low, *selected, *others])

    # Three times ten of two hundred: the lowest of thirty scores is .166.
    assert recent.workday("A", "inspect", 10, AT).certain_share == 5 / 200
    assert recent.workday("A", "inspect", 0, AT).certain_share == 10 / 200
    assert recent.workday("A", "inspect", 90, AT).certain_share == 2 / 200
    assert recent.workday("A", "document_check", 10, AT).certain_share == 0


def test_a_lane_after_another_selects_by_lower_scores() -> None:
    checked = [placed(AT, score, "document_check") for score in (0.5, 0.15, 0.14, 0.05)]
    others = [placed(AT, n / 1_000) for n in range(196)]
    recent = RecentLoad.of_placements([*checked, *others])

    def certain(above: float) -> float:
        return recent.workday("A", "document_check", 10, AT, above=above).certain_share * 200

    assert [certain(above) for above in (0.0, 0.1, 0.55)] == [3, 2, 1]
    assert certain(1.0) == 0


def test_certain_placements_of_both_kinds_count_and_are_forgotten_with_their_scores() -> None:
    old = [placed(AT, 0.0, "inspect"), placed(AT, None, "inspect", kind="route")]
    later = AT + REMEMBERED
    recent = RecentLoad.of_placements([*old, *[placed(later, 0.5)] * 199])
    assert recent.workday("A", "inspect", 0, later).certain_share == 2 / 201

    recent.count(placed(later + TICK, 0.5))
    assert recent.workday("A", "inspect", 0, later).certain_share == 1 / 201
    recent.count(placed(later + TICK, 0.5, kind="route"))
    assert recent.workday("A", "inspect", 0, later).certain_share == 0


def test_the_use_of_capacity_is_that_of_whole_days_at_the_offices_of_the_plan() -> None:
    recent = RecentLoad.of_placements(
        [
            *whole_days(6, 2, lane="inspect"),
            *whole_days(9, lane="inspect", office_id="B"),
            *whole_days(50, lane="inspect", office_id="C"),
            placed(AT, lane="inspect"),
        ]
    )

    assert recent.used_ratio("inspect", {"A": 10}, AT) == 8 / 20
    assert recent.used_ratio("inspect", {"A": 10, "B": 5}, AT) == 17 / 25
    assert recent.used_ratio("document_check", {"A": 10}, AT) == 0
    assert recent.used_ratio("inspect", {"D": 10}, AT) is None
    assert recent.used_ratio("inspect", {"A": 0}, AT) is None
    assert recent.used_ratio("inspect", {}, AT) is None
