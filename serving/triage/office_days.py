"""The local days of one office: how many arrived in each hour, and what each lane took."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from serving.triage.arrival_profile import HOURS, ArrivalProfile
from serving.triage.lane_declarations import Lane

WHOLE_DAYS = 14


@dataclass
class _Day:
    arrived: int = 0
    by_hour: list[int] = field(default_factory=lambda: [0] * HOURS)
    taken: Counter[Lane] = field(default_factory=Counter)


@dataclass
class _Learnt:
    """What the whole days before a day teach, computed when somebody asks."""

    day: date
    profile: ArrivalProfile | None = None
    loads: dict[Lane, list[tuple[int, int]]] = field(default_factory=dict)


class OfficeDays:
    """The newest days of an office, which begin at its own midnight.

    The first day that was counted is never whole: nobody knows what came before.
    """

    def __init__(self, time_zone: tzinfo):
        self.time_zone = time_zone
        self._days: dict[date, _Day] = {}
        self._first: date | None = None
        self._learnt = _Learnt(date.min)

    def count(self, at: datetime, lane: Lane) -> None:
        """Count a placement. One of another worker before midnight may be read after it."""
        local = at.astimezone(self.time_zone)
        counted = self._changed(local.date())
        counted.arrived += 1
        counted.by_hour[local.hour] += 1
        counted.taken[lane] += 1

    def count_taken(self, at: datetime, lane: Lane) -> None:
        """Count what a lane takes of those who arrived before."""
        self._changed(at.astimezone(self.time_zone).date()).taken[lane] += 1

    def _changed(self, day: date) -> _Day:
        """A day that is to be changed: what it taught of later ones is forgotten."""
        if day not in self._days:
            self._first = min(self._first or day, day)
            self._days[day] = _Day()
            for old in [each for each in self._days if each < day - timedelta(days=WHOLE_DAYS)]:
                del self._days[old]
        if day < self._learnt.day:
            self._learnt = _Learnt(date.min)
        return self._days[day]

    def arrived(self, day: date) -> int:
        """Return how many came on a day."""
        return self._days[day].arrived if day in self._days else 0

    def taken(self, day: date, lane: Lane) -> int:
        """Return how many a lane took on a day."""
        return self._days[day].taken[lane] if day in self._days else 0

    def whole_days_before(self, day: date) -> list[date]:
        """The newest days that are over and were counted from their beginning, oldest first."""
        days = (day - timedelta(days=age) for age in range(WHOLE_DAYS, 0, -1))
        return [each for each in days if self._first is not None and each > self._first]

    def loads_before(self, day: date, lane: Lane) -> list[tuple[int, int]]:
        """Return how many came and how many of them a lane took, on each of those whole days."""
        learnt = self._learnt_before(day)
        if lane not in learnt.loads:
            days = self.whole_days_before(day)
            learnt.loads[lane] = [(self.arrived(each), self.taken(each, lane)) for each in days]
        return learnt.loads[lane]

    def profile(self, day: date) -> ArrivalProfile | None:
        """Return what those whole days teach; None where there are none."""
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
