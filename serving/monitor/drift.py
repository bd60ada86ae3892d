"""Detect changes in a week, by comparing it with earlier weeks, with few false alarms.

A measure is a histogram per week. A week's distance from the weeks before is its population
stability index. Weeks differ even when nothing is wrong: measures that look back (days since a
first shipment, a carrier's rate of confirmations) wander from week to week, and a small week lies
far from any other by chance. The index is therefore divided by its expected value for a week of
that size, given the distances of earlier weeks. The scatter of these quotients shows how rare a
larger one is. Over many measures the rate of false alarms is bounded by the Benjamini-Hochberg
procedure.
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

# The number of earlier weeks that a week is compared with, at most and at least.
REFERENCE_WEEKS, MIN_WEEKS = 8, 6
# Earlier weeks that show how far a week usually lies from its past. The latest one is left out, so
# that a lasting change still counts as drift in its second week.
USUAL_WEEKS = 18
# All weeks before the judged one that have an influence on it.
SPAN_WEEKS = REFERENCE_WEEKS + USUAL_WEEKS + 1

# Together with the one below this gives at most 5 false alarms in 100 weeks, as measured in
# experiments/2026-11-29-drift-of-weeks.
FALSE_ALARMS = 0.03
# The rate for measures that are judged on their own.
FALSE_ALARMS_ALONE = 0.01
# A smaller change is not worth anyone's time, however certain it is.
SMALLEST_PSI, TIMES_USUAL = 0.01, 2.0

# The weight, in weeks, of the variance that chance alone explains.
WEIGHT_OF_CHANCE = 2

MIN_PER_WEEK = 50
BINS, MAX_CATEGORIES = 10, 60

MEASURES_JUDGED_ALONE = (FINDINGS, DECISIONS, RESULTS)

# One measure's histogram for each day (ISO date).
DailySummaries = Mapping[str, Counter[str]]


@dataclass(frozen=True)
class DriftMeasure:
    """The change of one measure in a week, relative to the weeks before.

    `size` is the population stability index. `least` is the smallest relevant size: a fixed index,
    or twice what is usual for a week of its size. `p_value` is the probability that an ordinary
    week lies as far, adjusted for the number of measures. For counts, `times_usual` is the ratio to
    the usual number.
    """

    measure: str
    size: float
    least: float
    p_value: float
    times_usual: float | None = None

    @property
    def is_drift(self) -> bool:
        """True if the change is neither chance, nor usual, nor too small to matter."""
        accepted = FALSE_ALARMS_ALONE if self.measure in MEASURES_JUDGED_ALONE else FALSE_ALARMS
        return self.p_value <= accepted and self.size >= self.least


def week_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def drift(
    measures: Mapping[str, DailySummaries],
    monday: date,
) -> list[DriftMeasure]:
    """Return every measure of the week that begins at `monday`, largest change first.

    Empty if there are too few earlier weeks or too few decisions.
    """
    judged = [_judged(name, days, monday) for name, days in measures.items()]
    found = [each for each in judged if each is not None]
    if not found:
        return []
    adjusted = stats.false_discovery_control([each.p_value for each in found]).tolist()
    found = [replace(each, p_value=chance) for each, chance in zip(found, adjusted, strict=True)]
    return sorted(found, key=lambda moved: (not moved.is_drift, -moved.size, moved.measure))


def chance_of(now: float, usual: Floats, by_chance: float) -> float:
    """Return the probability of a value as large as `now`, given those of usual weeks.

    Uses Student's t. With few weeks the variance leans towards `by_chance`, its lower bound.
    """
    weeks, freedom = len(usual), len(usual) - 1 + WEIGHT_OF_CHANCE
    scatter = (weeks - 1) * np.var(usual, ddof=1) + WEIGHT_OF_CHANCE * by_chance
    spread = math.sqrt(scatter / freedom * (1 + 1 / weeks))
    return float(stats.t.sf((now - np.mean(usual)) / spread, freedom))


def _judged(name: str, days: DailySummaries, monday: date) -> DriftMeasure | None:
    table = _table(days, monday)
    if len(table) <= MIN_WEEKS or table.shape[1] < 2:
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
    """Return the distance of the last week from those before, and its expected value by chance."""
    now, before = weeks[-1], weeks[-1 - REFERENCE_WEEKS : -1].sum(axis=0)
    noise = (_filled(weeks[-1 - REFERENCE_WEEKS :]) - 1) * (1 / now.sum() + 1 / before.sum())
    is_filled = now + before > 0
    return float(_psi(now[is_filled], before[is_filled])), float(noise)


def _filled(weeks: Floats) -> int:
    """Return the number of non-empty bins; at least two, since a constant measure may change."""
    return max(int((weeks.sum(axis=0) > 0).sum()), 2)


def _table(days: DailySummaries, monday: date) -> Floats:
    """Return counts [weeks, bins] of large enough weeks, the judged one last.

    Empty if the judged week is too small.
    """
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
    """Map cells to bins: numbers are pooled in order until a bin is full, categories stay apart."""
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
    """Return the index along the last axis; half a count per bin keeps it finite."""
    shares, others = (
        (counts + 0.5) / (counts.sum(axis=-1, keepdims=True) + 0.5 * counts.shape[-1])
        for counts in (one, other)
    )
    return ((shares - others) * np.log(shares / others)).sum(axis=-1)
