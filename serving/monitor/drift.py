"""Has something moved in a week? Judged against the weeks before it, with few false alarms.

A measure is a histogram a day. How far a week lies from the weeks before is its population
stability index; whether chance explains it is asked of the days themselves: within each day of the
week, any of the days could have been the one of this week if nothing had moved. Whole days change
places, so whatever makes subjects of one day alike does not pass for drift. Over many measures the
share of false alarms is held by Benjamini and Hochberg's procedure. Some measures grow with time by
nature (days since a first shipment); so a week must also lie further from its past than the weeks
before it lay from theirs.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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

FALSE_ALARMS = 0.03
"""Below the 5 weeks in 100 that are promised; experiments/2026-11-24-drift says why."""
FALSE_ALARMS_ALONE = 0.01
"""What is judged by itself has a rate of its own."""
SMALLEST_PSI, TIMES_USUAL = 0.01, 2.0
"""A move below either is not worth anybody's time, however certain it is."""

FEWEST_A_WEEK = 50
BINS, MOST_CATEGORIES = 10, 60
REDRAWS = 9_999
OFTEN = 20
_CHUNK = 500

FINDINGS, RESULTS = "findings", "results"
BY_ITSELF = (RESULTS,)
OF_THE_SUPPLY = (RESULTS,)
"""Whether records still come; these say nothing of the model."""

SMALLEST_RATIO = 1.25
"""Findings that change by less, beside what was expected, matter little."""

DailySummaries = Mapping[str, Counter[str]]
"""One measure's histogram for each day (ISO date)."""

Findings = Mapping[str, tuple[float, float]]
"""For each day, how many of its visits were confirmed, and how many the model expected."""


@dataclass(frozen=True)
class DriftMeasure:
    """How one measure of a week stands to the weeks before it.

    `size` is the population stability index, and `least` what would matter: a fixed index, or
    twice that of the weeks before. `p_value` is the probability that chance alone moves it so far,
    adjusted for the number of measures. Of counts, `times_usual` says how many times the usual.
    """

    measure: str
    size: float
    least: float
    p_value: float
    times_usual: float | None = None

    @property
    def is_drift(self) -> bool:
        """Whether it is neither chance, nor usual, nor too small to matter."""
        accepted = FALSE_ALARMS_ALONE if self.measure in BY_ITSELF else FALSE_ALARMS
        return self.p_value <= accepted and self.size >= self.least


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def drift(
    measures: Mapping[str, DailySummaries],
    monday: date,
    seed: int,
    findings: "Findings | None" = None,
) -> list[DriftMeasure]:
    """Every measure of the week that begins at `monday`, the furthest moved first.

    Empty where the weeks before are too few, or this or they hold too little, to tell. `findings`
    are judged a week later than the rest, since they come later.
    """
    weeks = _weeks(measures, monday)
    if len(weeks) < FEWEST_WEEKS + 1:
        return []
    tables = {name: _table(days, weeks) for name, days in measures.items()}
    tables = {name: table for name, table in tables.items() if table.shape[2] > 1}
    chances = _chances(tables, seed)
    sizes = [(name, _psi_of_last(table), _least(table)) for name, table in tables.items()]
    if findings and (table_of_findings := findings_table(findings, monday)) is not None:
        sizes.append((FINDINGS, _ratio_of_last(table_of_findings), math.log(SMALLEST_RATIO)))
        chances.append(_chance_of_findings(table_of_findings, seed))
    adjusted = stats.false_discovery_control(chances).tolist()
    found = [DriftMeasure(*size, p_value) for size, p_value in zip(sizes, adjusted, strict=True)]
    return sorted(found, key=lambda moved: (not moved.is_drift, -moved.size, moved.measure))


def findings_table(findings: "Findings", monday: date) -> Floats | None:
    """Found and expected [weeks, weekdays, 2] up to the week before `monday`; None if too few."""
    last = monday - timedelta(weeks=1)
    mondays = [last - timedelta(weeks=back) for back in range(REFERENCE_WEEKS, -1, -1)]
    days = [[_day(week, day) for day in range(7)] for week in mondays]
    table = np.array([[findings.get(day, (0.0, 0.0)) for day in week] for week in days])
    is_told = table[:, :, 1].sum(axis=1) > 0
    if not is_told[-1] or is_told.sum() < FEWEST_WEEKS + 1:
        return None
    return np.asarray(table[is_told])


def _weeks(measures: Mapping[str, DailySummaries], monday: date) -> list[date]:
    """The weeks that can be compared: the judged one last; empty where it holds too little."""
    sizes: Counter[date] = Counter()
    for day, counts in max(measures.values(), key=len, default={}).items():
        sizes[week_of(date.fromisoformat(day))] += sum(counts.values())
    mondays = [monday - timedelta(weeks=back) for back in range(REFERENCE_WEEKS, -1, -1)]
    weeks = [week for week in mondays if sizes[week] >= FEWEST_A_WEEK]
    return weeks if monday in weeks else []


def _day(week: date, place: int) -> str:
    return (week + timedelta(days=place)).isoformat()


def _table(days: DailySummaries, weeks: Sequence[date]) -> Floats:
    """Counts [weeks, weekdays, bins]; the bins depend on all the days alike."""
    histograms = [[days.get(_day(week, day), Counter()) for day in range(7)] for week in weeks]
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


def _least(table: Floats) -> float:
    """The least index that matters, given how far the weeks before lay from what was before."""
    ends = range(len(table) - USUAL_WEEKS, len(table))
    usual = median(_psi_of_last(table[:end]) for end in ends if end > 1)
    return max(SMALLEST_PSI, TIMES_USUAL * usual)


def _chances(tables: Mapping[str, Floats], seed: int) -> list[float]:
    """The probability of each measure's index where chance alone places the days.

    What chance often exceeds is not asked further (Besag and Clifford, Biometrika 78, 1991).
    """
    counted = np.zeros((2, len(tables)))
    beyond, drawn = counted
    for taken in _lots(next(iter(tables.values())).shape[0], seed):
        for place, table in enumerate(tables.values()):
            if beyond[place] < OFTEN:
                beyond[place] += _beyond(table, taken)
                drawn[place] += len(taken)
    return ((beyond + 1) / (drawn + 1)).tolist()


def _lots(weeks: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """For each redraw and each day of the week, the week whose day is taken."""
    draws = np.random.default_rng(seed)
    for done in range(0, REDRAWS, _CHUNK):
        yield draws.integers(0, weeks, (min(_CHUNK, REDRAWS - done), 7))


def _beyond(table: Floats, taken: npt.NDArray[np.int64]) -> int:
    """How often a week of days taken from any week lies as far from the rest as the last one."""
    whole = table.sum(axis=(0, 1))
    drawn = table[taken, np.arange(7)].sum(axis=1)
    observed = table[-1].sum(axis=0)
    least = _psi(observed, whole - observed) * (1 - 1e-12)
    return int((_psi(drawn, whole - drawn) >= least).sum())


def _ratio(one: Floats, other: Floats) -> Floats:
    """How many times as much was found as expected, beside another time; as a logarithm's size."""
    now, before = (np.log((part[..., 0] + 0.5) / (part[..., 1] + 0.5)) for part in (one, other))
    return np.abs(now - before)


def _ratio_of_last(table: Floats) -> float:
    weeks = table.sum(axis=1)
    return float(_ratio(weeks[-1], weeks[:-1].sum(axis=0)))


def _chance_of_findings(table: Floats, seed: int) -> float:
    whole, least = table.sum(axis=(0, 1)), _ratio_of_last(table) * (1 - 1e-12)
    beyond = 0
    for taken in _lots(len(table), seed):
        drawn = table[taken, np.arange(7)].sum(axis=1)
        beyond += int((_ratio(drawn, whole - drawn) >= least).sum())
    return (beyond + 1) / (REDRAWS + 1)
