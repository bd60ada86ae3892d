"""How many subjects arrive at an office, by weekday and by hour, learnt from its own whole days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import Self

HOURS = 24
# A weekday counts as usual until its own days say otherwise: that is worth one day of it.
PRIOR_WEEKDAYS = 1.0
# How much of a day what is expected weighs against what the day brought so far.
PRIOR_DAYS = 0.5


@dataclass(frozen=True)
class ArrivalProfile:
    """The arrivals of an office, in subjects: of a usual day, by weekday, and their hours.

    `by_weekday` begins with Monday. `until_hour` holds for 0:00, 1:00 … 24:00, local time, which
    share of a day's arrivals comes before it.
    """

    usual_per_day: float
    by_weekday: tuple[float, ...]
    until_hour: tuple[float, ...]

    @classmethod
    def even(cls, per_day: float) -> Self:
        """The profile of an office of which no whole day is known yet."""
        return cls(per_day, (per_day,) * 7, tuple(hour / HOURS for hour in range(HOURS + 1)))

    @classmethod
    def from_days(cls, days: Mapping[date, Sequence[int]]) -> Self:
        """The profile of whole days, at least one, each given as its arrivals by local hour."""
        usual = sum(map(sum, days.values())) / len(days)
        of_weekday: list[list[int]] = [[] for _ in range(7)]
        for day, by_hour in days.items():
            of_weekday[day.weekday()].append(sum(by_hour))
        by_weekday = (
            (sum(each) + PRIOR_WEEKDAYS * usual) / (len(each) + PRIOR_WEEKDAYS)
            for each in of_weekday
        )
        # One arrival at any hour, so that no hour is taken to be impossible.
        by_hour = [sum(hour) + 1 / HOURS for hour in zip(*days.values(), strict=True)]
        until = accumulate(by_hour, initial=0.0)
        return cls(usual, tuple(by_weekday), tuple(part / sum(by_hour) for part in until))

    def expected(self, local: datetime, arrived: int) -> float:
        """How many arrive on the whole local day, judged by its weekday and by the day so far."""
        usual = self.by_weekday[local.weekday()]
        return (usual * PRIOR_DAYS + arrived) / (PRIOR_DAYS + self.elapsed(local))

    def elapsed(self, local: datetime) -> float:
        """Return which share of the day's arrivals usually came before this local time, in 0..1."""
        before, after = self.until_hour[local.hour], self.until_hour[local.hour + 1]
        into_the_hour = (local.minute * 60 + local.second + local.microsecond / 1e6) / 3600
        return before + (after - before) * into_the_hour
