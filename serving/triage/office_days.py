"""The local days of one office: arrivals by hour, and what each lane took."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from serving.triage.arrival_profile import HOURS, ArrivalProfile
from serving.triage.lane_declarations import Lane

# Two of every weekday.
WHOLE_DAYS = 14


@dataclass
class _Day:
    arrived: int = 0
    by_hour: list[int] = field(default_factory=lambda: [0] * HOURS)
    taken: Counter[Lane] = field(default_factory=Counter)


@dataclass
class _Learnt:
    """The summary of the whole days before a day, computed on demand."""

    day: date
    profile: ArrivalProfile | None = None
    loads: dict[Lane, list[tuple[int, int]]] = field(default_factory=dict)


class OfficeDays:
    """The newest days of an office, which begin at its local midnight.

    The first counted day is never whole, since arrivals before the first count are unknown.
    """

    def __init__(self, time_zone: tzinfo):
        self.time_zone = time_zone
        self._days: dict[date, _Day] = {}
        self._first: date | None = None
        self._learnt = _Learnt(date.min)

    def count(self, at: datetime, lane: Lane) -> None:
        """Count a placement; another worker's from before midnight may be read after it."""
        local = at.astimezone(self.time_zone)
        counted = self._changed(local.date())
        counted.arrived += 1
        counted.by_hour[local.hour] += 1
        counted.taken[lane] += 1

    def count_taken(self, at: datetime, lane: Lane) -> None:
        """Count a subject that arrived earlier and that a lane takes only now."""
        self._changed(at.astimezone(self.time_zone).date()).taken[lane] += 1

    def _changed(self, day: date) -> _Day:
        """Return a day to modify, and discard what later days learned from it."""
        if day not in self._days:
            self._first = min(self._first or day, day)
            self._days[day] = _Day()
            for old in [each for each in self._days if each < day - timedelta(days=WHOLE_DAYS)]:
                del self._days[old]
        # A late placement of another worker changes a day that was already summarised.
        if day < self._learnt.day:
            self._learnt = _Learnt(date.min)
        return self._days[day]

    def arrived(self, day: date) -> int:
        """Return the number of arrivals on a day."""
        return self._days[day].arrived if day in self._days else 0

    def taken(self, day: date, lane: Lane) -> int:
        """Return the number of subjects that a lane took on a day."""
        return self._days[day].taken[lane] if day in self._days else 0

    def whole_days_before(self, day: date) -> list[date]:
        """Return the newest complete and fully counted days before a day, oldest first."""
        days = (day - timedelta(days=age) for age in range(WHOLE_DAYS, 0, -1))
        return [each for each in days if self._first is not None and each > self._first]

    def loads_before(self, day: date, lane: Lane) -> list[tuple[int, int]]:
        """Return arrivals, and how many of them a lane took, for each of those whole days."""
        learnt = self._learnt_before(day)
        if lane not in learnt.loads:
            days = self.whole_days_before(day)
            learnt.loads[lane] = [(self.arrived(each), self.taken(each, lane)) for each in days]
        return learnt.loads[lane]

    def profile(self, day: date) -> ArrivalProfile | None:
        """Return the arrival profile of those whole days; None if there are none."""
        learnt = self._learnt_before(day)
        if learnt.profile is None and (days := self.whole_days_before(day)):
            none = _Day()
            by_hour = {each: self._days.get(each, none).by_hour for each in days}
            learnt.profile = ArrivalProfile.from_days(by_hour)
        return learnt.profile

    def _learnt_before(self, day: date) -> _Learnt:
        if self._learnt.day != day:
            self._learnt = _Learnt(day)
        return self._learnt
