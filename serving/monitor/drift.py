"""Has something moved in a week? Judged against the weeks before it, with few false alarms.

A measure is a histogram a day. How far a week lies from the weeks before is its population
stability index; whether chance explains it is asked of the days themselves: within each day of the
week, any of the days could have been the one of this week if nothing had moved. Whole days change
places, so whatever makes subjects of one day alike does not pass for drift. Over many measures the
share of false alarms is held by Benjamini and Hochberg's procedure. Some measures grow with time by
nature (days since a first shipment); so a week must also lie further from its past than the weeks
before it lay from theirs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import numpy as np
import numpy.typing as npt
from scipy import stats

from serving.monitor.day_summary import MISSING

Floats = npt.NDArray[np.float64]

REFERENCE_WEEKS, FEWEST_WEEKS = 8, 4
USUAL_WEEKS = 3
"""Earlier weeks that tell how far a week usually lies from its past."""

FALSE_ALARMS = 0.05
SMALLEST_PSI, TIMES_USUAL = 0.01, 2.0
"""A move below either is not worth anybody's time, however certain it is."""

FEWEST_A_WEEK = 50
BINS, MOST_CATEGORIES = 10, 60
REDRAWS = 9_999
_CHUNK = 500

Days = Mapping[str, Counter[str]]
"""One measure's histogram for each day (ISO date)."""


@dataclass(frozen=True)
class Moved:
    """How one measure of a week stands to the weeks before it.

    `psi` is the population stability index, `usual_psi` the median of the weeks before, `p_value`
    the probability that chance alone moves it so far, adjusted for the number of measures.
    """

    measure: str
    psi: float
    usual_psi: float
    p_value: float

    @property
    def is_drift(self) -> bool:
        """Whether it is neither chance, nor usual, nor too small to matter."""
        least = max(SMALLEST_PSI, TIMES_USUAL * self.usual_psi)
        return self.p_value <= FALSE_ALARMS and self.psi >= least


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def drift(measures: Mapping[str, Days], monday: date, seed: int) -> list[Moved]:
    """Every measure of the week that begins at `monday`, the furthest moved first.

    Empty where the weeks before are too few, or this or they hold too little, to tell.
    """
    weeks = _weeks(measures, monday)
    if len(weeks) < FEWEST_WEEKS + 1:
        return []
    tables = {name: _table(days, weeks) for name, days in measures.items()}
    tables = {name: table for name, table in tables.items() if table.shape[2] > 1}
    values = _p_values(tables, seed)
    found = [
        Moved(name, _psi_of_last(table), _usual(table), p_value)
        for (name, table), p_value in zip(tables.items(), values, strict=True)
    ]
    return sorted(found, key=lambda moved: (not moved.is_drift, -moved.psi, moved.measure))


def _weeks(measures: Mapping[str, Days], monday: date) -> list[date]:
    """The weeks that can be compared: the judged one last; empty where it holds too little."""
    sizes: Counter[date] = Counter()
    for day, counts in max(measures.values(), key=len, default={}).items():
        sizes[week_of(date.fromisoformat(day))] += sum(counts.values())
    wanted = [monday - timedelta(weeks=back) for back in range(REFERENCE_WEEKS, -1, -1)]
    weeks = [week for week in wanted if sizes[week] >= FEWEST_A_WEEK]
    return weeks if monday in weeks else []


def _table(days: Days, weeks: Sequence[date]) -> Floats:
    """Counts [weeks, weekdays, bins]; the bins depend on all the days alike."""
    histograms = [
        [days.get((week + timedelta(days=day)).isoformat(), Counter()) for day in range(7)]
        for week in weeks
    ]
    pooled: Counter[str] = Counter()
    for week in histograms:
        for day in week:
            pooled.update(day)
    places = _bins(pooled)
    table = np.zeros((len(weeks), 7, max(places.values(), default=-1) + 1))
    for row, week in enumerate(histograms):
        for column, day in enumerate(week):
            for cell, count in day.items():
                table[row, column, places[cell]] += count
    return table


def _bins(pooled: Counter[str]) -> dict[str, int]:
    """Cells of numbers together in order until a bin is full; categories by themselves."""
    numbers = sorted((cell for cell in pooled if _is_number(cell)), key=int)
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
    return places | {cell: first + min(at, MOST_CATEGORIES) for at, cell in enumerate(named)}


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").isdigit()


def _psi(one: Floats, other: Floats) -> Floats:
    """Along the last axis, with half a count in every bin, so that an empty one stays finite."""
    shares, others = (
        (counts + 0.5) / (counts.sum(axis=-1, keepdims=True) + 0.5 * counts.shape[-1])
        for counts in (one, other)
    )
    return ((shares - others) * np.log(shares / others)).sum(axis=-1)


def _psi_of_last(table: Floats) -> float:
    """How far the last week lies from all the weeks before."""
    weeks = table.sum(axis=1)
    return float(_psi(weeks[-1], weeks[:-1].sum(axis=0)))


def _usual(table: Floats) -> float:
    """How far the weeks before lay from what was before them."""
    ends = range(len(table) - USUAL_WEEKS, len(table))
    return median(_psi_of_last(table[:end]) for end in ends if end > 1)


def _p_values(tables: Mapping[str, Floats], seed: int) -> Floats:
    """The adjusted probability of each measure's index where chance alone places the days."""
    lots = np.random.default_rng(seed)
    weeks = next(iter(tables.values())).shape[0]
    beyond = np.zeros(len(tables))
    for done in range(0, REDRAWS, _CHUNK):
        taken = lots.integers(0, weeks, (min(_CHUNK, REDRAWS - done), 7))
        for place, table in enumerate(tables.values()):
            beyond[place] += _beyond(table, taken)
    return np.asarray(stats.false_discovery_control((beyond + 1) / (REDRAWS + 1)))


def _beyond(table: Floats, taken: npt.NDArray[np.int64]) -> int:
    """How often a week of days taken from any week lies as far from the rest as the last one."""
    whole = table.sum(axis=(0, 1))
    drawn = table[taken, np.arange(7)].sum(axis=1)
    observed = table[-1].sum(axis=0)
    least = _psi(observed, whole - observed) * (1 - 1e-12)
    return int((_psi(drawn, whole - drawn) >= least).sum())
