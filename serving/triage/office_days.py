"""The local days of one office: how many arrived in each hour, and what each lane took."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from serving.triage.arrival_profile import HOURS, ArrivalProfile
from serving.triage.lane_rule import Lane

WHOLE_DAYS = 14


@dataclass
class _Day:
    by_hour: list[int] = field(default_factory=lambda: [0] * HOURS)
    taken: Counter[Lane] = field(default_factory=Counter)


class OfficeDays:
    """The newest days of an office, which begin at its own midnight.

    The first day that was counted is never whole: nobody knows what came before.
    """

    def __init__(self, time_zone: tzinfo):
        self.time_zone = time_zone
        self._days: dict[date, _Day] = {}
        self._first: date | None = None
        self._profile: tuple[date, ArrivalProfile] | None = None

    def count(self, at: datetime, lane: Lane) -> None:
        """Count a placement. One of another worker before midnight may be read after it."""
        local = at.astimezone(self.time_zone)
        day = local.date()
        if day not in self._days:
            self._first = min(self._first or day, day)
            self._days[day] = _Day()
            for old in [each for each in self._days if each < day - timedelta(days=WHOLE_DAYS)]:
                del self._days[old]
        counted = self._days[day]
        counted.by_hour[local.hour] += 1
        counted.taken[lane] += 1
        if self._profile and day < self._profile[0]:
            self._profile = None

    def arrived(self, day: date) -> int:
        """How many came on a day."""
        return sum(self._days[day].by_hour) if day in self._days else 0

    def taken(self, day: date, lane: Lane) -> int:
        """How many a lane took on a day."""
        return self._days[day].taken[lane] if day in self._days else 0

    def whole_days_before(self, day: date) -> list[date]:
        """The newest days that are over and were counted from their beginning, oldest first."""
        days = (day - timedelta(days=age) for age in range(WHOLE_DAYS, 0, -1))
        return [each for each in days if self._first is not None and each > self._first]

    def profile(self, day: date) -> ArrivalProfile | None:
        """What the whole days before a day teach; None where there are none."""
        if self._profile is None or self._profile[0] != day:
            days = self.whole_days_before(day)
            if not days:
                return None
            none = _Day()
            by_hour = {each: self._days.get(each, none).by_hour for each in days}
            self._profile = day, ArrivalProfile.from_days(by_hour)
        return self._profile[1]
