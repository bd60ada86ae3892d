"""Whether an office inspects high scores as surely in the evening as in the morning.

    python -m experiments.2026-11-27-figures-that-hold.pacing [SEEDS] [DAYS]

An office with room for a number of inspections a day gets subjects by one of several profiles of
arrival. Printed are the share inspected of scores of at least .10, by quarter of the arrivals' day,
and how much of the capacity is used. The lanes as they are stand beside a day that is a hard limit,
once by the clock of UTC and once by the profile of arrivals that the office learnt.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from serving.triage.capacity import Shares, Workday
from serving.triage.control_draws import DrawGenerator
from serving.triage.lane_choice import Placement
from serving.triage.lane_declarations import Lane
from serving.triage.lanes import Lanes, PlacementRequest
from serving.triage.recent_load import RecentLoad, RecentPlacement
from serving.triage.triage_plan import OfficeCapacity, TriagePlan
from serving.triage.watch_list_hits import Hit

SEED = 20261127
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
WARM_UP_DAYS = 21
HIGH = 0.10
LISTED = Hit("watch_list", "inspect", "a listed container")
# How many subjects later a worker knows what another one placed.
LAG = 8

Rng = np.random.Generator


@dataclass(frozen=True)
class Traffic:
    """How subjects arrive at an office: within which hours of its local day, and how many.

    `per_day` gives the expected arrivals of a day by its number; `burst_ratio` is the part of them
    that comes with vessels, some 35 in an hour; `listed_ratio` the part on a watch-list.
    """

    name: str
    hours: tuple[float, float] = (0, 24)
    time_zone: str = "UTC"
    per_day: Callable[[int, int], float] = lambda mean, _: mean
    burst_ratio: float = 0.0
    listed_ratio: float = 0.0
    workers: int = 1
    is_zone_known: bool = True

    def arrivals(self, mean: int, day: int, rng: Rng) -> list[tuple[datetime, int]]:
        """The instants of one day's arrivals, in order, each with its quarter of the day."""
        begin, end = self.hours
        expected = self.per_day(mean, day)
        hours = list(rng.uniform(begin, end, rng.poisson(expected * (1 - self.burst_ratio))))
        for _ in range(rng.poisson(2) if self.burst_ratio else 0):
            size = rng.poisson(expected * self.burst_ratio / 2)
            hours += list(np.minimum(rng.uniform(begin, end) + rng.random(size), end - 1e-6))
        date = (BEGIN + timedelta(days=day)).replace(tzinfo=ZoneInfo(self.time_zone))
        return [
            (
                (date + timedelta(hours=hour)).astimezone(UTC),
                int(4 * (hour - begin) / (end - begin)),
            )
            for hour in sorted(hours)
        ]


TRAFFIC = (
    Traffic("even over 24 h"),
    Traffic("08-16 UTC", (8, 16)),
    Traffic("00-08 UTC (Singapore)", (8, 16), "Asia/Singapore"),
    Traffic("16-24 UTC (Los Angeles)", (8, 16), "America/Los_Angeles"),
    Traffic("20-04 UTC (Auckland)", (9, 17), "Pacific/Auckland"),
    Traffic("20-04 UTC, zone not named", (9, 17), "Pacific/Auckland", is_zone_known=False),
    Traffic("half as many at weekends", per_day=lambda n, d: n * (1.2 if d % 7 < 5 else 0.5)),
    Traffic("closed at weekends", (8, 16), per_day=lambda n, d: n * 1.4 if d % 7 < 5 else 0),
    Traffic("bursts of vessels", burst_ratio=0.7),
    Traffic("growing by 1.5 % a day", per_day=lambda n, d: n * 1.015**d),
    Traffic("2 % on a watch-list", listed_ratio=0.02),
    Traffic("two workers", (8, 16), workers=2),
)


@dataclass(frozen=True)
class HardDay(Workday):
    """A day that ends at its capacity: what is left of it is shared among what is still to come."""

    arrived: int = 0
    elapsed: float = 0.0

    def share(self) -> float:
        """What is left of the capacity over what is still expected, up to `widest_share`."""
        left = max(self.capacity - self.taken, 0)
        per_day = (self.usual_per_day / 4 + self.arrived) / (1 / 4 + self.elapsed)
        return min(left / max(per_day * (1 - self.elapsed), 1.0), self.widest_share)


class HardDays(RecentLoad):
    """The recent load with days that are a hard limit, by the learnt profile or by the clock."""

    is_by_clock = False

    def workday(
        self, office_id: str | None, lane: Lane, capacity: int, at: datetime, **above: float
    ) -> Workday:
        """The workday of one lane of an office at an instant."""
        day = super().workday(office_id, lane, capacity, at, **above)
        days = self._days_of(office_id)
        local = at.astimezone(days.time_zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        elapsed = self._profile(office_id, at).elapsed(local)
        return HardDay(
            **vars(day) | {"carried_over": 0.0, "certain_share": 0.0},
            arrived=days.arrived(local.date()),
            elapsed=(local - midnight) / timedelta(days=1) if self.is_by_clock else elapsed,
        )


class HardDaysByClock(HardDays):
    """The same by the clock: arrivals are taken to be even from midnight to midnight UTC."""

    is_by_clock = True


@dataclass(frozen=True)
class Used:
    """What one office did: high scores inspected and declared by quarter, inspections by day."""

    inspected: np.ndarray[Any, np.dtype[np.float64]]
    declared: np.ndarray[Any, np.dtype[np.float64]]
    by_day: list[int]

    @classmethod
    def together(cls, parts: list["Used"]) -> "Used":
        """Several seeds as one."""
        return cls(
            sum(part.inspected for part in parts),  # type: ignore[arg-type]  # arrays all
            sum(part.declared for part in parts),  # type: ignore[arg-type]  # arrays all
            [count for part in parts for count in part.by_day],
        )

    @property
    def by_quarter(self) -> list[float]:
        """The share of high scores inspected, by quarter of the day."""
        return (self.inspected / self.declared).tolist()

    def used_ratio(self, capacity: int) -> float:
        """Inspections over capacity, over all days."""
        return float(np.mean(self.by_day)) / capacity


def office(traffic: Traffic, capacity: int, load: type[RecentLoad]) -> list[Lanes]:
    """The lanes of an office, one for each worker."""
    is_known = traffic.is_zone_known and load is not HardDaysByClock
    zone = traffic.time_zone if is_known else "UTC"
    plan = TriagePlan(
        offices={
            "A": OfficeCapacity(inspect_per_day=capacity, document_check_per_day=0, time_zone=zone)
        }
    )
    return [
        Lanes(
            plan=plan,
            shares=Shares(inspect=0.05, document_check=0.0, post_review=0.0),
            draws=DrawGenerator(b"a seed for this study"),
            control_floor=0.01,
            recent_load=load(plan.time_zones),
        )
        for _ in range(traffic.workers)
    ]


def placements(
    traffic: Traffic, capacity: int, per_day: int, days: int, load: type[RecentLoad], seed: int
) -> Iterator[tuple[int, int, PlacementRequest, Placement]]:
    """Every placement after the warm-up, with its day and its quarter of the day."""
    rng = np.random.default_rng([SEED, seed])
    workers = office(traffic, capacity, load)
    reference = np.linspace(0, 0.3, 301).tolist()
    unread: list[tuple[Lanes, RecentPlacement]] = []
    for day in range(WARM_UP_DAYS + days):
        for number, (at, quarter) in enumerate(traffic.arrivals(per_day, day, rng)):
            score = round(float(rng.beta(1, 33)), 3)  # as trees give them: many are equal
            hits = (LISTED,) if rng.random() < traffic.listed_ratio else ()
            subject_id = f"S-{seed}-{day}-{number}"
            request = PlacementRequest("shipment", subject_id, "A", at, score, hits=hits)
            worker = workers[int(rng.integers(len(workers)))]
            placement = worker.place(request, reference)
            counted = RecentPlacement("shipment", "A", at, score, placement.lane)
            unread += [(other, counted) for other in workers if other is not worker]
            while len(unread) > LAG:
                other, oldest = unread.pop(0)
                other.recent_load.count(oldest)
            if day >= WARM_UP_DAYS:
                yield day - WARM_UP_DAYS, quarter, request, placement


def studied(
    traffic: Traffic,
    *,
    capacity: int = 5,
    per_day: int = 100,
    days: int = 56,
    seeds: int = 5,
    load: type[RecentLoad] = RecentLoad,
) -> Used:
    """What an office did under one kind of traffic, over some seeds."""
    parts = []
    for seed in range(seeds):
        used = Used(np.zeros(4), np.zeros(4), [0] * days)
        for day, quarter, request, placement in placements(
            traffic, capacity, per_day, days, load, seed
        ):
            used.by_day[day] += placement.lane == "inspect"
            if not request.hits and (request.probability or 0.0) >= HIGH:
                used.declared[quarter] += 1
                used.inspected[quarter] += placement.lane == "inspect"
        parts.append(used)
    return Used.together(parts)


def printed(name: str, capacity: int, used: Used) -> str:
    """One row of a table."""
    shares = " | ".join(f"{share:.2f}" for share in used.by_quarter)
    often, most = np.quantile(used.by_day, 0.95), max(used.by_day)
    return f"| {name} | {shares} | {used.used_ratio(capacity):.1%} | {often:.0f} | {most} |"


def main() -> None:
    """Print a table for each size of office and each kind of day."""
    seeds, days = (int(word) for word in (*sys.argv[1:], *("5", "56")[len(sys.argv) - 1 :]))
    tables: tuple[tuple[str, type[RecentLoad], int, int], ...] = (
        ("the lanes as they are", RecentLoad, 5, 100),
        ("the lanes as they are", RecentLoad, 20, 400),
        ("a hard limit, by the learnt profile", HardDays, 5, 100),
        ("a hard limit, by the clock of UTC", HardDaysByClock, 5, 100),
    )
    for name, load, capacity, per_day in tables:
        print(f"\nRoom for {capacity} of some {per_day} a day, {name}; {seeds} x {days} days\n")
        print("| arrivals | 1st | 2nd | 3rd | last | used | one day in 20 | most |")
        print("|---|---|---|---|---|---|---|---|")
        for traffic in TRAFFIC:
            used = studied(
                traffic, capacity=capacity, per_day=per_day, days=days, seeds=seeds, load=load
            )
            print(printed(traffic.name, capacity, used), flush=True)


if __name__ == "__main__":
    main()
