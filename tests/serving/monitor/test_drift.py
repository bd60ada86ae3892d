"""Drift is seen where something moved, and seldom where nothing did."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from serving.monitor.arrivals import decisions
from serving.monitor.day_summary import DaySummary, cells
from serving.monitor.drift import (
    REFERENCE_WEEKS,
    SPAN_WEEKS,
    DailySummaries,
    drift,
    week_of,
)
from tests.counts import count

MONDAY = date(2026, 11, 16)
Measures = dict[str, dict[str, Counter[str]]]


def history(
    lots: np.random.Generator, weeks: int = REFERENCE_WEEKS + 1, a_day: int = 40
) -> Measures:
    """Twelve measures of weeks in which nothing moves, though subjects of one day are alike."""
    first = MONDAY - timedelta(weeks=weeks - 1)
    measures: Measures = {f"number {n}": {} for n in range(8)} | {f"name {n}": {} for n in range(4)}
    for day in range(7 * weeks):
        at = (first + timedelta(days=day)).isoformat()
        for measure, days in measures.items():
            days[at] = cells(some(lots, measure, a_day))
    return measures


def some(lots: np.random.Generator, measure: str, size: int) -> list[float | str | None]:
    """A day's values; weekdays of a kind have a mood of their own, drawn anew each day."""
    mood = lots.normal(0, 0.15)
    if measure.startswith("number"):
        return [*lots.lognormal(mood, 1, size - 3).tolist(), None, None, None]
    weights = np.exp(lots.normal(0, 0.15, 6))
    return [f"c{n}" for n in lots.choice(6, size, p=weights / weights.sum())]


def a_week(monday: date, values: Sequence[float | str | None]) -> dict[str, Counter[str]]:
    """The values, spread over the days of a week."""
    days = [(monday + timedelta(days=day)).isoformat() for day in range(7)]
    return {day: cells(values[place::7]) for place, day in enumerate(days)}


def test_weeks_in_which_nothing_moves_seldom_alarm() -> None:
    weeks = count(24, 400)
    alarms = 0
    for number in range(weeks):
        found = drift(history(np.random.default_rng(number)), MONDAY)
        alarms += any(moved.is_drift for moved in found)

    # At 5 % more than this many come up once in a thousand times.
    assert alarms <= {24: 6, 400: 34}[weeks]


@pytest.mark.parametrize(
    ("measure", "move"),
    [
        ("number 3", lambda lots: (lots.lognormal(0.5, 1, 40)).tolist()),
        ("number 5", lambda lots: [None] * 12 + lots.lognormal(0, 1, 28).tolist()),
        ("name 2", lambda lots: ["new"] * 4 + [f"c{n}" for n in lots.integers(0, 6, 36)]),
    ],
    ids=["larger numbers", "more that is missing", "a new category"],
)
def test_what_moves_is_named_within_two_weeks(measure: str, move: object) -> None:
    seen = 0
    for number in range(5):
        lots = np.random.default_rng(100 + number)
        measures = history(lots, weeks=2 * REFERENCE_WEEKS)
        moved_from = MONDAY - timedelta(weeks=1)
        for day in range(14):
            at = (moved_from + timedelta(days=day)).isoformat()
            measures[measure][at] = cells(move(lots))  # type: ignore[operator]  # a function, as listed
        for monday in (moved_from, MONDAY):
            named = [m.measure for m in drift(measures, monday) if m.is_drift]
            if measure in named:
                seen += 1
                break

    assert seen == 5


def test_what_grows_every_week_by_nature_is_as_usual() -> None:
    lots = np.random.default_rng(6)
    growing: dict[str, Counter[str]] = {}
    for week in range(-SPAN_WEEKS, 1):
        values = lots.normal(400 + 7 * week, 20, 399).tolist()
        growing |= a_week(MONDAY + timedelta(weeks=week), values)

    found = drift({"growing": growing}, MONDAY)

    assert found[0].size > 1
    assert not found[0].is_drift


def test_what_wanders_from_week_to_week_by_nature_seldom_alarms() -> None:
    lots, weeks = np.random.default_rng(8), count(12, 200)
    mondays = [MONDAY + timedelta(weeks=n) for n in range(-SPAN_WEEKS, weeks)]
    measures: Measures = {f"number {n}": {} for n in range(20)}
    for place, days in enumerate(measures.values()):
        level = 0.0
        for monday in mondays:
            # Of every fourth the past wanders, mostly a little and now and then much.
            level += 0.12 * lots.standard_t(4) if place % 4 == 0 else 0.0
            days.update(a_week(monday, lots.lognormal(level, 1, 399).tolist()))

    judged = [drift(measures, monday) for monday in mondays[-weeks:]]

    # At 5 % more than this many come up once in a thousand times.
    alarms = sum(any(moved.is_drift for moved in found) for found in judged)
    assert alarms <= {12: 4, 200: 20}[weeks]


def test_a_week_of_fewer_decisions_is_a_fall_of_their_number_and_of_nothing_else() -> None:
    lots = np.random.default_rng(9)
    sizes = {MONDAY + timedelta(weeks=week): 490 for week in range(-20, 0)} | {MONDAY: 98}
    measures: Measures = {f"name {n}": {} for n in range(40)}
    for monday, size in sizes.items():
        for days in measures.values():
            days.update(a_week(monday, [f"c{n}" for n in lots.integers(0, 8, size)]))

    volume = decisions(_summaries(sizes), MONDAY)

    assert [moved.measure for moved in drift(measures, MONDAY) if moved.is_drift] == []
    assert volume is not None
    assert volume.is_drift
    assert volume.times_usual == pytest.approx(0.2, abs=0.01)
    before = decisions(_summaries(sizes), MONDAY - timedelta(weeks=1))
    assert before is not None
    assert not before.is_drift


def test_a_feed_that_stops_is_a_fall_of_the_number_of_decisions() -> None:
    sizes = {MONDAY + timedelta(weeks=week): 500 + week for week in range(-20, 0)}

    volume = decisions(_summaries(sizes), MONDAY)

    assert volume is not None
    assert volume.is_drift
    assert volume.times_usual == pytest.approx(0, abs=0.01)


def test_decisions_that_begin_again_after_a_long_time_are_told_as_a_number() -> None:
    idle = {MONDAY + timedelta(weeks=week): 0 for week in range(-9, 0)}
    sizes = {MONDAY - timedelta(weeks=12): 60, **idle, MONDAY: 60}

    volume = decisions(_summaries(sizes), MONDAY)

    assert volume is not None
    assert volume.times_usual == pytest.approx(121)


def _summaries(sizes: dict[date, int]) -> dict[str, DaySummary]:
    return {
        monday.isoformat(): DaySummary(sizes=Counter({("all", "all", "-"): size}))
        for monday, size in sizes.items()
    }


def test_too_short_a_past_is_not_judged() -> None:
    measures: dict[str, DailySummaries] = dict(history(np.random.default_rng(7), weeks=6))

    assert drift(measures, MONDAY) == []
    assert drift(measures, MONDAY + timedelta(weeks=1)) == []


def test_a_week_begins_on_its_monday() -> None:
    assert week_of(date(2026, 11, 22)) == MONDAY == week_of(MONDAY)
