"""The arrivals at an office by weekday and hour, learned from its own whole days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import Self

HOURS = 24
# The weight of the prior that a weekday is like any other, in days of that weekday.
PRIOR_WEEKDAYS = 1.0
# The weight of the usual arrivals, in days, against the arrivals of the day so far.
PRIOR_DAYS = 0.5


@dataclass(frozen=True)
class ArrivalProfile:
    """The arrivals of an office, in subjects: per day, by weekday, and their hours.

    `by_weekday` begins with Monday. `until_hour` holds, for 0:00, 1:00 … 24:00 local time, the
    share of a day's arrivals before that hour.
    """

    usual_per_day: float
    by_weekday: tuple[float, ...]
    until_hour: tuple[float, ...]

    @classmethod
    def even(cls, per_day: float) -> Self:
        """Return an even profile, for an office without a known whole day."""
        return cls(per_day, (per_day,) * 7, tuple(hour / HOURS for hour in range(HOURS + 1)))

    @classmethod
    def from_days(cls, days: Mapping[date, Sequence[int]]) -> Self:
        """Learn the profile from at least one whole day, each given as arrivals by local hour."""
        usual = sum(map(sum, days.values())) / len(days)
        of_weekday: list[list[int]] = [[] for _ in range(7)]
        for day, by_hour in days.items():
            of_weekday[day.weekday()].append(sum(by_hour))
        by_weekday = (
            (sum(each) + PRIOR_WEEKDAYS * usual) / (len(each) + PRIOR_WEEKDAYS)
            for each in of_weekday
        )
        # Spread one additional arrival over all hours, so that no hour has probability 0.
        by_hour = [sum(hour) + 1 / HOURS for hour in zip(*days.values(), strict=True)]
        until = accumulate(by_hour, initial=0.0)
        return cls(usual, tuple(by_weekday), tuple(part / sum(by_hour) for part in until))

    def expected(self, local: datetime, arrived: int) -> float:
        """Return the expected arrivals of the whole day, from its weekday and the day so far."""
        usual = self.by_weekday[local.weekday()]
        return (usual * PRIOR_DAYS + arrived) / (PRIOR_DAYS + self.elapsed(local))

    def elapsed(self, local: datetime) -> float:
        """Return the share, in 0..1, of the day's arrivals that usually come before this time."""
        before, after = self.until_hour[local.hour], self.until_hour[local.hour + 1]
        into_the_hour = (local.minute * 60 + local.second + local.microsecond / 1e6) / 3600
        return before + (after - before) * into_the_hour
