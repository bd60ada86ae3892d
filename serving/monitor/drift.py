"""Has something moved in a week? Judged as a whole week among whole weeks, with few false alarms.

A measure is a histogram a week. How far a week lies from the weeks before is its population
stability index. Weeks are not alike: what looks back (days since a first shipment, how often a
carrier was confirmed) wanders from week to week where nothing is wrong, and a small week lies far
from any by chance. So an index is divided by what is expected of a week of its size, given how far
earlier weeks lay from theirs; how far these quotients usually scatter says how rare a larger one
is. Over many measures the share of false alarms is held by Benjamini and Hochberg's procedure.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import polygamma

from serving.monitor.day_summary import MISSING, is_number_cell
from serving.monitor.monitoring_report import DECISIONS, FINDINGS, RESULTS

Floats = npt.NDArray[np.float64]

# A week is compared with up to so many before it, and judged where there are no fewer.
REFERENCE_WEEKS, FEWEST_WEEKS = 8, 6
# Earlier weeks that tell how far a week usually lies from its past; the latest is not asked. So
# what moved lastingly is drift in its second week as well.
USUAL_WEEKS = 18
# Weeks before the judged one that matter to it.
SPAN_WEEKS = REFERENCE_WEEKS + USUAL_WEEKS + 1

# With those below at most 5 weeks in 100; experiments/2026-11-29-drift-of-weeks measures it.
FALSE_ALARMS = 0.03
# What is judged by itself has a rate of its own.
FALSE_ALARMS_ALONE = 0.01
# A move below either is not worth anybody's time, however certain it is.
SMALLEST_PSI, TIMES_USUAL = 0.01, 2.0

# The scatter that chance alone explains counts as that of so many weeks.
WEIGHT_OF_CHANCE = 2

MIN_PER_WEEK = 50
BINS, MAX_CATEGORIES = 10, 60

BY_ITSELF = (FINDINGS, DECISIONS, RESULTS)

# One measure's histogram for each day (ISO date).
DailySummaries = Mapping[str, Counter[str]]


@dataclass(frozen=True)
class DriftMeasure:
    """How one measure of a week stands to the weeks before it.

    `size` is the population stability index, and `least` what would matter: a fixed index, or
    twice what is usual of a week of its size. `p_value` is the probability that a usual week lies
    as far, adjusted for the number of measures. Of counts, `times_usual` says how many times the
    usual.
    """

    measure: str
    size: float
    least: float
    p_value: float
    times_usual: float | None = None

    @property
    def is_drift(self) -> bool:
        """Return whether it is neither chance, nor usual, nor too small to matter."""
        accepted = FALSE_ALARMS_ALONE if self.measure in BY_ITSELF else FALSE_ALARMS
        return self.p_value <= accepted and self.size >= self.least


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def drift(
    measures: Mapping[str, DailySummaries],
    monday: date,
) -> list[DriftMeasure]:
    """Every measure of the week that begins at `monday`, the furthest moved first.

    Empty where the weeks before are too few, or this or they hold too little, to tell.
    """
    judged = [_judged(name, days, monday) for name, days in measures.items()]
    found = [each for each in judged if each is not None]
    if not found:
        return []
    adjusted = stats.false_discovery_control([each.p_value for each in found]).tolist()
    found = [replace(each, p_value=chance) for each, chance in zip(found, adjusted, strict=True)]
    return sorted(found, key=lambda moved: (not moved.is_drift, -moved.size, moved.measure))


def chance_of(now: float, usual: Floats, by_chance: float) -> float:
    """The probability of so large a number, given those of usual weeks.

    By Student's t. The variance leans towards `by_chance`, the least there is, where weeks are few.
    """
    weeks, freedom = len(usual), len(usual) - 1 + WEIGHT_OF_CHANCE
    scatter = (weeks - 1) * np.var(usual, ddof=1) + WEIGHT_OF_CHANCE * by_chance
    spread = math.sqrt(scatter / freedom * (1 + 1 / weeks))
    return float(stats.t.sf((now - np.mean(usual)) / spread, freedom))


def _judged(name: str, days: DailySummaries, monday: date) -> DriftMeasure | None:
    table = _table(days, monday)
    if len(table) <= FEWEST_WEEKS or table.shape[1] < 2:
        return None
    sizes, noise = np.array([_distance(table[: end + 1]) for end in range(1, len(table))]).T
    wandering = np.maximum(sizes[:-2] - noise[:-2], 0).mean()
    times = np.log(np.maximum(sizes, noise / 10) / (wandering + noise))
    bins = _filled(table[-1 - REFERENCE_WEEKS :])
    expected = (wandering + noise[-1]) * math.exp(times[:-2].mean())
    return DriftMeasure(
        name,
        size=float(sizes[-1]),
        least=max(SMALLEST_PSI, TIMES_USUAL * float(expected)),
        p_value=chance_of(times[-1], times[:-2], float(polygamma(1, (bins - 1) / 2))),
    )


def _distance(weeks: Floats) -> tuple[float, float]:
    """How far the last week lies from those before, and what chance alone makes of its size."""
    now, before = weeks[-1], weeks[-1 - REFERENCE_WEEKS : -1].sum(axis=0)
    noise = (_filled(weeks[-1 - REFERENCE_WEEKS :]) - 1) * (1 / now.sum() + 1 / before.sum())
    is_filled = now + before > 0
    return float(_psi(now[is_filled], before[is_filled])), float(noise)


def _filled(weeks: Floats) -> int:
    """Bins that hold anything; two at least, since what never moved may."""
    return max(int((weeks.sum(axis=0) > 0).sum()), 2)


def _table(days: DailySummaries, monday: date) -> Floats:
    """Counts [weeks, bins] of weeks that hold enough, the judged one last; empty without it."""
    weeks = [Counter[str]() for _ in range(SPAN_WEEKS + 1)]
    for day, counts in days.items():
        back = (monday - week_of(date.fromisoformat(day))).days // 7
        if 0 <= back <= SPAN_WEEKS:
            weeks[-1 - back].update(counts)
    if weeks[-1].total() < MIN_PER_WEEK:
        return np.zeros((0, 0))
    weeks = [week for week in weeks if week.total() >= MIN_PER_WEEK]
    places = _bins(sum(weeks, Counter()))
    table = np.zeros((len(weeks), max(places.values()) + 1))
    for row, week in enumerate(weeks):
        for cell, count in week.items():
            table[row, places[cell]] += count
    return table


def _bins(pooled: Counter[str]) -> dict[str, int]:
    """Cells of numbers together in order until a bin is full; categories by themselves."""
    numbers = sorted((cell for cell in pooled if is_number_cell(cell)), key=int)
    full = sum(pooled[cell] for cell in numbers) / BINS
    places: dict[str, int] = {}
    place, filled = 0, 0.0
    for cell in numbers:
        if filled and filled + pooled[cell] / 2 > full:
            place, filled = place + 1, 0.0
        places[cell] = place
        filled += pooled[cell]
    named = [cell for cell, _ in pooled.most_common() if cell not in places]
    named.sort(key=lambda cell: cell != MISSING)
    first = place + 1 if numbers else 0
    return places | {cell: first + min(at, MAX_CATEGORIES) for at, cell in enumerate(named)}


def _psi(one: Floats, other: Floats) -> Floats:
    """Along the last axis, with half a count in every bin, so that an empty one stays finite."""
    shares, others = (
        (counts + 0.5) / (counts.sum(axis=-1, keepdims=True) + 0.5 * counts.shape[-1])
        for counts in (one, other)
    )
    return ((shares - others) * np.log(shares / others)).sum(axis=-1)
