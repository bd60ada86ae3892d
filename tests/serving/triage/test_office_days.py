"""The days of an office: where they begin, which are whole, and what they teach."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from serving.triage.arrival_profile import ArrivalProfile
from serving.triage.office_days import WHOLE_DAYS, OfficeDays

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = NOON.date()
DAY = timedelta(days=1)


def counted(*instants: datetime, zone: str = "UTC") -> OfficeDays:
    days = OfficeDays(ZoneInfo(zone))
    for at in instants:
        days.count(at, "inspect")
    return days


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("UTC", "2026-03-02T23:59:59Z", date(2026, 3, 2)),
        ("Asia/Singapore", "2026-03-02T15:59:59Z", date(2026, 3, 2)),
        ("Asia/Singapore", "2026-03-02T16:00:00Z", date(2026, 3, 3)),
        ("America/Los_Angeles", "2026-03-02T07:59:59Z", date(2026, 3, 1)),
        # Summer time begins on 8 March: midnight is at 07:00 UTC from then on.
        ("America/Los_Angeles", "2026-03-09T07:00:00Z", date(2026, 3, 9)),
    ],
)
def test_a_day_begins_at_midnight_where_the_office_is(zone: str, at: str, day: date) -> None:
    days = counted(datetime.fromisoformat(at), zone=zone)

    assert (days.arrived(day), days.taken(day, "inspect")) == (1, 1)
    assert days.arrived(day - DAY) == days.arrived(day + DAY) == 0


def test_each_lane_has_what_it_took_itself_and_arrivals_are_of_all_lanes() -> None:
    days = counted(NOON, NOON)
    days.count(NOON, "release")

    assert (days.arrived(TODAY), days.taken(TODAY, "inspect")) == (3, 2)
    assert days.taken(TODAY, "release") == 1
    assert days.taken(TODAY, "control") == days.taken(TODAY - DAY, "inspect") == 0


def test_the_first_day_counted_and_today_are_not_whole() -> None:
    assert counted().whole_days_before(TODAY) == []
    assert counted(NOON).whole_days_before(TODAY) == []
    assert counted(NOON - DAY).whole_days_before(TODAY) == []
    assert counted(NOON - 2 * DAY, NOON).whole_days_before(TODAY) == [TODAY - DAY]


def test_a_fortnight_is_known_oldest_first_and_days_without_arrivals_are_whole() -> None:
    days = counted(NOON - 20 * DAY, NOON)

    assert WHOLE_DAYS == 14
    assert days.whole_days_before(TODAY) == [TODAY - age * DAY for age in range(14, 0, -1)]


def test_a_day_older_than_a_fortnight_is_forgotten() -> None:
    days = counted(NOON - 15 * DAY, NOON - 14 * DAY, NOON)

    assert days.arrived(TODAY - 15 * DAY) == 0
    assert days.arrived(TODAY - 14 * DAY) == 1
    days.count(NOON + DAY, "inspect")
    assert days.arrived(TODAY - 14 * DAY) == 0


def test_the_profile_is_that_of_the_whole_days_in_local_hours() -> None:
    first, second = NOON - 2 * DAY, NOON - DAY
    days = counted(first - DAY, first, second, second, NOON, zone="Asia/Singapore")

    by_hour = [[(hour == 20) * count for hour in range(24)] for count in (1, 2)]
    assert days.profile(TODAY) == ArrivalProfile.from_days(
        {TODAY - 2 * DAY: by_hour[0], TODAY - DAY: by_hour[1]}
    )


def test_without_a_whole_day_there_is_no_profile() -> None:
    assert counted().profile(TODAY) is None
    assert counted(NOON - DAY, NOON).profile(TODAY) is None


def test_what_is_read_after_midnight_counts_for_its_day_and_changes_the_profile() -> None:
    days = counted(NOON - 2 * DAY, NOON - DAY, NOON)
    before = days.profile(TODAY)
    assert days.loads_before(TODAY, "inspect") == [(1, 1)]
    days.count(NOON, "release")
    assert days.profile(TODAY) is before

    days.count(NOON - DAY, "inspect")

    assert before is not None
    after = days.profile(TODAY)
    assert after is not None
    assert (before.usual_per_day, after.usual_per_day) == (1, 2)
    assert days.loads_before(TODAY, "inspect") == [(2, 2)]


def test_the_loads_of_a_lane_are_those_of_the_whole_days_oldest_first() -> None:
    days = counted(NOON - 4 * DAY, NOON - 3 * DAY, NOON - 3 * DAY, NOON - DAY, NOON)
    days.count(NOON - DAY, "control")

    assert days.loads_before(TODAY, "inspect") == [(2, 2), (0, 0), (2, 1)]
    assert days.loads_before(TODAY, "control") == [(2, 0), (0, 0), (2, 1)]
    assert days.loads_before(TODAY - DAY, "inspect") == [(2, 2), (0, 0)]


def test_the_profile_of_the_next_day_knows_today() -> None:
    days = counted(NOON - 2 * DAY, NOON - DAY, NOON, NOON, NOON)
    assert days.profile(TODAY) is not None

    tomorrow = days.profile(TODAY + DAY)

    assert tomorrow is not None
    assert tomorrow.usual_per_day == 2


def test_what_came_before_the_first_known_day_makes_that_day_whole() -> None:
    days = counted(NOON - DAY, NOON)
    days.count(NOON - 2 * DAY, "inspect")

    assert days.whole_days_before(TODAY) == [TODAY - DAY]
