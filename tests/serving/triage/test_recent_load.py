"""What an office lately saw: which scores count, for how long, and what belongs to today."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.triage.recent_load import (
    FEWEST_SCORES,
    MOST_SCORES,
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
    assert (FEWEST_SCORES, MOST_SCORES) == (200, 5_000)


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
        [placed(probability=0.9), *(placed() for _ in range(MOST_SCORES - 1))]
    )

    assert recent.scores("shipment", "A") == [0.5] * (MOST_SCORES - 1) + [0.9]
    recent.count(placed())
    assert recent.scores("shipment", "A") == [0.5] * MOST_SCORES
    assert recent.per_day("A", AT) == MOST_SCORES


@pytest.mark.parametrize(
    ("days", "per_day"), [(0.0, 12.0), (0.5, 12.0), (1.0, 12.0), (2.0, 6.0), (4.0, 3.0)]
)
def test_arrivals_per_day_are_over_the_time_since_the_first_and_at_least_a_day(
    days: float, per_day: float
) -> None:
    recent = RecentLoad.of_placements(placed(AT + n * TICK, None) for n in range(12))

    assert recent.per_day("A", AT + timedelta(days=days)) == per_day


def test_arrivals_of_both_kinds_at_one_office_are_one_load() -> None:
    recent = RecentLoad.of_placements(
        [
            *(placed() for _ in range(3)),
            *(placed(kind="route") for _ in range(4)),
            *(placed(office_id="B") for _ in range(9)),
        ]
    )

    assert recent.per_day("A", AT) == 7
    assert recent.per_day("B", AT) == 9
    assert recent.per_day("C", AT) == 0


def test_a_workday_counts_what_the_lane_of_the_office_took_today() -> None:
    noon = AT + timedelta(hours=12)
    recent = RecentLoad.of_placements(
        [
            placed(AT - TICK, lane="inspect"),
            placed(AT, lane="inspect"),
            placed(noon, lane="inspect", kind="route"),
            placed(noon, lane="document_check"),
            placed(noon, lane="inspect", office_id="B"),
        ]
    )

    workday = recent.workday("A", "inspect", 10, noon)

    assert (workday.capacity, workday.taken, workday.arrived) == (10, 2, 3)
    assert (workday.usual_per_day, workday.part_left) == (4, 0.5)
    assert recent.workday("A", "document_check", 5, noon).taken == 1
    assert recent.workday("A", "control", 5, noon).taken == 0
    assert recent.workday("B", "inspect", 5, noon).arrived == 1


@pytest.mark.parametrize("later", [timedelta(days=1), timedelta(days=-1)])
def test_what_was_taken_on_another_day_is_not_taken_of_this_one(later: timedelta) -> None:
    recent = RecentLoad.of_placements([placed(lane="inspect")])

    workday = recent.workday("A", "inspect", 10, AT + later)

    assert (workday.taken, workday.arrived) == (0, 0)


def test_what_is_heard_of_after_midnight_counts_for_the_day_it_was_placed_on() -> None:
    recent = RecentLoad.of_placements(
        [placed(AT, lane="inspect"), placed(AT - TICK, lane="inspect"), placed(AT, lane="inspect")]
    )

    workday = recent.workday("A", "inspect", 10, AT)

    assert (workday.taken, workday.arrived) == (2, 2)
    assert recent.per_day("A", AT) == 3


def test_a_new_day_begins_with_nothing_taken() -> None:
    recent = RecentLoad.of_placements([placed(AT, lane="inspect")] * 3)

    recent.count(placed(AT + timedelta(days=1), lane="inspect"))

    workday = recent.workday("A", "inspect", 10, AT + timedelta(days=1))
    assert (workday.taken, workday.arrived) == (1, 1)
    assert recent.workday("A", "inspect", 10, AT).taken == 0


@pytest.mark.parametrize(
    ("since_midnight", "part_left"),
    [
        (timedelta(0), 1.0),
        (timedelta(hours=6), 0.75),
        (timedelta(hours=18), 0.25),
        (timedelta(hours=18, minutes=14, seconds=24), 0.24),
        (timedelta(microseconds=864), 1 - 1e-8),
        (timedelta(hours=23, minutes=59, seconds=59, microseconds=999_136), 1e-8),
    ],
)
def test_a_day_is_over_at_midnight_utc(since_midnight: timedelta, part_left: float) -> None:
    workday = RecentLoad().workday("A", "inspect", 10, AT + since_midnight)

    assert workday.part_left == pytest.approx(part_left, abs=1e-12)
