"""Compute the figures of a period from its daily summaries and its visits with outcomes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from serving.monitor.day_summary import DaySummary
from serving.monitor.decision_facts import GROUPED
from serving.monitor.drift import week_of
from serving.monitor.monitoring_report import (
    CalibrationBand,
    CapacityUse,
    Delay,
    LaneFigures,
    SliceFigures,
    StratumReport,
    TypologyReport,
    WeekReport,
)
from serving.monitor.population import TrafficPart
from serving.monitor.selection_strata import RESCUE, Slice, probability_of
from serving.triage.lane_declarations import PACED
from serving.triage.triage_plan import TriagePlan
from training.confidence_intervals import Estimate, proportion
from training.estimation.sensitivity import SensitivityBound, sensitivity
from training.estimation.weighted_mean import weighted_mean
from training.inverse_probability import MIN_DRAWN, inverse_probability_weight

# The values of a dimension that are reported; those with fewer decisions are left out.
MAX_VALUES = 12

BANDS = 5

Sizes = Mapping[tuple[str, str], Counter[str]]


def sizes_of(days: Iterable[DaySummary]) -> Sizes:
    """Sum the sizes of strata by dimension and value over all days."""
    sizes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for day in days:
        for (dimension, value, stratum), count in day.sizes.items():
            if stratum != RESCUE:
                sizes[dimension, value][stratum] += count
    return sizes


def slice_figures(by: str, value: str, sizes: Counter[str], visits: pd.DataFrame) -> SliceFigures:
    """Return the figures of one part of the traffic."""
    part = Slice.from_visits(sizes, visits)
    return SliceFigures(
        by=by,
        value=value,
        decisions=sum(sizes.values()),
        inspected=part.inspected.size,
        control_outcomes=part.rest.known_outcomes,
        effective_size=part.rest.effective_size,
        prevalence=part.prevalence,
        precision=part.precision,
        recall=part.recall,
        lift=part.lift,
        unweighted_share=part.unweighted_share,
        unknown_share=part.unknown_share,
        too_few_outcomes=tuple(each.name for each in part.everyone.too_few_outcomes),
        needs=part.needs,
    )


def bounds(
    overall: SliceFigures, sizes: Counter[str], visits: pd.DataFrame
) -> Iterator[SensitivityBound]:
    """Return the bounds of the figures if their assumptions do not hold."""
    share = overall.inspected / overall.decisions if overall.decisions else 0.0
    return sensitivity(
        overall.prevalence,
        overall.recall,
        share,
        overall.unknown_share,
        Slice.from_visits(sizes, visits).extremes,
    )


def groups(sizes: Sizes, visits: pd.DataFrame) -> Iterator[SliceFigures]:
    """Yield the figures of each value of each dimension, those with most decisions first."""
    for dimension in GROUPED:
        values = [value for by, value in sizes if by == dimension]
        values.sort(key=lambda value: (-sum(sizes[dimension, value].values()), value))
        frames = dict(iter(visits.groupby(dimension)))
        for value in values[:MAX_VALUES]:
            mine = frames.get(value, visits.iloc[:0])
            yield slice_figures(dimension, value, sizes[dimension, value], mine)


def lanes(sizes: Sizes, visits: pd.DataFrame) -> Iterator[LaneFigures]:
    """Yield how often each lane was right, those with most decisions first."""
    frames = dict(iter(visits.groupby("undrawn_lane")))
    of_lanes = {value: counts for (by, value), counts in sizes.items() if by == "undrawn_lane"}
    for lane in sorted(of_lanes, key=lambda lane: (-of_lanes[lane].total(), lane)):
        part = Slice.from_visits(of_lanes[lane], frames.get(lane, visits.iloc[:0]))
        is_visited = not part.rest.size
        known = (part.inspected if is_visited else part.rest).known_outcomes
        yield LaneFigures(
            lane=lane,
            decisions=of_lanes[lane].total(),
            known=known,
            right=part.inspected.found if is_visited else _nothing_to_find(part),
            effective_size=None if is_visited else part.rest.effective_size,
        )


def _nothing_to_find(part: Slice) -> Estimate:
    """Return the share without a finding; only an interval for too few even draws."""
    found = part.prevalence
    drawn = [each for each in part.strata if each.known_outcomes]
    if len(drawn) == 1 and drawn[0].known_outcomes < MIN_DRAWN:
        found = replace(proportion(drawn[0].confirmed, drawn[0].known_outcomes), value=None)
    value, low, high = (
        None if each is None else 1 - each for each in (found.value, found.high, found.low)
    )
    return Estimate(value, low, high)


def strata(sizes: Counter[str], visits: pd.DataFrame) -> Iterator[StratumReport]:
    """Yield every stratum with its known size."""
    part = Slice.from_visits(sizes, visits)
    for each in sorted(part.strata, key=lambda each: (not each.is_certain, each.probability)):
        yield StratumReport(
            name=each.name,
            size=each.size,
            known_outcomes=each.known_outcomes,
            unknown=part.visits.get(each.name, 0) - each.known_outcomes,
            confirmed=each.confirmed,
            share=TrafficPart.from_strata([each]).precision,
        )


def typologies(sizes: Counter[str], visits: pd.DataFrame) -> Iterator[TypologyReport]:
    """Yield the findings of each typology, and the share of it that is inspected."""
    for name in sorted(visits["typology"].dropna().unique()):
        is_it = (visits["typology"] == name) & (visits["confirmed"] == 1)
        # Other typologies count as nothing found, while unknown outcomes stay unknown.
        mine = visits.assign(confirmed=is_it.where(visits["confirmed"].notna()).astype(float))
        part = Slice.from_visits(sizes, mine)
        yield TypologyReport(
            typology=str(name),
            found_inspected=sum(each.confirmed for each in part.strata if each.is_certain),
            found_control=sum(each.confirmed for each in part.strata if not each.is_certain),
            recall=part.recall,
        )


def weeks(days: Mapping[str, DaySummary], visits: pd.DataFrame) -> Iterator[WeekReport]:
    """Yield each week's findings, in order."""
    sizes: Counter[date] = Counter()
    for day, counted in days.items():
        of_all = (n for (by, _, _), n in counted.sizes.items() if by == "all")
        sizes[week_of(date.fromisoformat(day))] += sum(of_all)
    scored_at = visits["scored_at"]
    mondays = (scored_at - pd.to_timedelta(scored_at.dt.day_of_week, unit="D")).dt.date
    for week in sorted(sizes):
        mine = visits[mondays == week]
        is_inspected = mine["lane"] == "inspect"
        yield WeekReport(
            week=week,
            decisions=sizes[week],
            inspected=_found(mine[is_inspected]),
            control=_found(mine[~is_inspected]),
            unknown=int(mine["confirmed"].isna().sum()),
        )


def delay(visits: pd.DataFrame, slow_days: float | None) -> Delay:
    """Return the delays of outcomes; `slow_days` is that of `Maturity`."""
    known = visits.dropna(subset=["confirmed"])
    waited = (known["known_at"] - known["scored_at"]).dt.total_seconds().to_numpy() / 86_400
    waiting = visits[visits["confirmed"].isna()]
    return Delay(
        visits=len(visits),
        unknown=len(waiting),
        inconclusive=int(waiting["known_at"].notna().sum()),
        median_days=float(np.median(waited)) if len(waited) else None,
        slow_days=slow_days,
        unknown_since=waiting["scored_at"].min().date() if len(waiting) else None,
    )


def capacity(kinds: Iterable[Mapping[str, DaySummary]], plan: TriagePlan) -> Iterator[CapacityUse]:
    """Yield the daily use of each office's capacity for inspections and document checks.

    An office handles all kinds of subject with one capacity, so the days of all `kinds` count.
    """
    days: set[str] = set()
    taken: Counter[tuple[str, str]] = Counter()
    for summaries in kinds:
        days.update(summaries)
        for day in summaries.values():
            for (by, office, lane), count in day.lanes.items():
                if by == "office":
                    taken[office, lane] += count
    planned = {(office, lane) for office in plan.offices for lane in PACED}
    for office, lane in sorted(taken.keys() | planned):
        if lane not in (*PACED, "control"):
            continue
        per_day = taken[office, lane] / len(days)
        most: int | None = getattr(plan.offices.get(office), f"{lane}_per_day", None)
        # The planned number of control cases is a minimum, so none of it can be unused.
        unused = None if most is None or lane == "control" else max(most - per_day, 0.0)
        yield CapacityUse(
            office=office,
            lane=lane,
            per_day=per_day,
            capacity_per_day=most,
            unused_per_day=unused,
        )


def calibration(visits: pd.DataFrame) -> Iterator[CalibrationBand]:
    """Yield control cases in bands of equal count, ordered by predicted probability.

    Each case is weighted by the inverse of its probability, so that a band represents everything
    that nothing selected.
    """
    control = visits[(visits["lane"] == "control") & visits["confirmed"].notna()]
    ordered = control.sort_values("probability")
    drawn_at = ordered["stratum"].map(probability_of).to_numpy(np.float64)
    weights = inverse_probability_weight(drawn_at, clip=1e6)
    predicted = ordered["probability"].to_numpy(np.float64)
    confirmed = ordered["confirmed"].to_numpy(np.float64)
    # Rather fewer bands than bands with too few cases.
    bands = min(BANDS, len(ordered) // MIN_DRAWN)
    for band in np.array_split(np.arange(len(ordered)), bands) if bands else ():
        yield CalibrationBand(
            cases=len(band),
            predicted=float(np.average(predicted[band], weights=weights[band])),
            # Calibration is a property of the model beyond the cases at hand, hence no
            # finite-population correction.
            confirmed=weighted_mean(confirmed[band], weights[band], is_this_traffic=False).estimate,
        )


def findings(visits: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return, by day, the confirmed and the expected number of its known visits."""
    known = visits.dropna(subset=["confirmed"])
    days = known.groupby(known["scored_at"].dt.strftime("%Y-%m-%d"))
    sums = days[["confirmed", "probability"]].sum()
    return {str(day): (float(one), float(two)) for day, one, two in sums.itertuples()}


def _found(visits: pd.DataFrame) -> Estimate:
    """Return the share confirmed, where results of one inspection are one draw."""
    known = visits.dropna(subset=["confirmed"])
    if known.empty:
        return Estimate(None)
    confirmed = known["confirmed"].to_numpy(np.float64)
    together = known["together"].to_numpy()
    return weighted_mean(confirmed, np.ones(len(known)), together, is_this_traffic=False).estimate
