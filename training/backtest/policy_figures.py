"""Finds of a replayed policy, the work they took, and the policy's own estimates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from training.backtest.history import WEEK
from training.backtest.ledger import PolicyReplay, ReplayedWeek
from training.backtest.prevalence import PrevalenceEstimate, prevalence_estimates
from training.backtest.replayed_traffic import ReplayedTraffic
from training.backtest.selection import BY_LOT, BY_RULE, BY_SCORE, BY_TIP
from training.confidence_intervals import Estimate
from training.data.time_split import in_utc
from training.estimation.population_figures import (
    UNKNOWN,
    FoundAmong,
    extremes_of,
    share_confirmed,
)
from training.estimation.sensitivity import SensitivityBound, sensitivity
from training.parameters import Parameters
from training.ranking import Floats

# A single week has too few inspections for a useful precision.
RECENT_WEEKS = 8


class PolicyWeekFigures(Parameters):
    """One week. `best` is the expected number of hits by true probabilities.

    `hits` are those of the week, `hits_so_far` all until its end, and `precision_56d` covers the
    eight weeks that end with it. They are unknown in a logged history if too few were drawn, and in
    weeks whose results may be incomplete. `results_of_inspections_made` counts the known results of
    actual inspections, and `hits_of_inspections_made` the confirmed ones.
    """

    week: int
    subjects: int
    inspected: int
    by_rule: int
    by_score: int
    by_lot: int
    by_tip: int
    hits: Estimate
    hits_so_far: Estimate
    precision_56d: Estimate
    results_of_inspections_made: int
    hits_of_inspections_made: float
    best: float | None


class TypologyCount(Parameters):
    """One typology: known cases while the policy decided, cases found, and time to the first.

    In a logged history, only confirmed subjects are known cases. `weeks_to_find` counts from the
    first case to the first found; None if none was found.
    """

    typology: str
    is_new: bool
    subjects: int
    found: int
    weeks_to_find: int | None


class InspectionsMade(Parameters):
    """The status quo: finds of the actual inspections in these weeks.

    Hits are counted; in a logged history `precision` is among known results, and `recall` and
    `lift` are of all traffic.
    """

    inspected: int
    hits: float
    precision: Estimate
    recall: Estimate
    lift: Estimate


class LoggedEvidence(Parameters):
    """The evidence behind estimates of a logged history.

    `drawn` results have a probability and are worth `effective_size` evenly drawn ones; `certain`
    ones are from tips, which represent only themselves; `uncounted` ones are at an officer's
    discretion. `unknown_share` of the results, in 0..1, are inconclusive or still to come.
    """

    drawn: int
    effective_size: float
    certain: int
    uncounted: int
    unknown_share: float


class CapacityByOffice(Parameters):
    """The cost of separate capacity for each office.

    Of `offices`, `planning` have capacity for fewer than eight inspections a week and plan over up
    to `longest_period` weeks. `hits_if_shared` are the finds of equally many selections in the same
    weeks, by the same scores, if all offices share capacity.
    """

    offices: int
    planning: int
    longest_period: int
    hits_if_shared: Estimate


class PolicyFigures(Parameters):
    """One policy over its first `weeks_counted` weeks, whose results must have arrived.

    They cover the `subjects` declared from `begins` until before `ends`. In a synthetic world
    `hits`, `precision`, `recall` and `lift` are counted, and every inspection finds what is there.
    In a logged history they are estimated from actual inspections and have intervals; `refusal` is
    the reason if they are unknown, `hits_of_tips` the number of known hits that a tip had led to
    anyway, and `bounds` the figures if assumptions did not hold. `share_of_best` compares hits with
    those by true probabilities. `office_capacity` is None if all offices share capacity.
    """

    name: str
    begins: datetime
    ends: datetime
    weeks_counted: int
    subjects: int
    inspected: int
    hits: Estimate
    precision: Estimate
    recall: Estimate
    lift: Estimate
    refusal: str | None
    hits_of_tips: int | None
    inspections_made: InspectionsMade
    evidence: LoggedEvidence | None
    share_of_best: float | None
    inspections_per_hit: float | None
    office_capacity: CapacityByOffice | None
    fits: int
    weeks: tuple[PolicyWeekFigures, ...]
    typologies: tuple[TypologyCount, ...]
    prevalence: tuple[PrevalenceEstimate, ...]
    bounds: tuple[SensitivityBound, ...]


def figures_of_policies(ledger: PolicyReplay) -> PolicyFigures:
    """Compute all figures of one policy."""
    traffic = ReplayedTraffic.from_replay(ledger)
    found = traffic.found(traffic.selected)
    weeks = tuple(_week(at, ledger, traffic) for at in range(len(ledger.weeks)))
    best = sum(week.best or 0.0 for week in weeks)
    hits, inspected = found.confirmed.value, int(traffic.selected.sum())
    begins = ledger.policy.first_instant
    return PolicyFigures(
        name=ledger.name,
        begins=in_utc(begins),
        ends=in_utc(begins + traffic.weeks * WEEK),
        weeks_counted=traffic.weeks,
        subjects=traffic.size,
        inspected=inspected,
        hits=found.confirmed,
        precision=found.precision,
        recall=found.recall,
        lift=found.lift,
        refusal=found.refusal,
        hits_of_tips=traffic.selected_hits_of_tips,
        inspections_made=_inspections_made(traffic),
        evidence=_evidence(traffic),
        share_of_best=hits / best if best and hits is not None else None,
        inspections_per_hit=inspected / hits if hits else None,
        office_capacity=_office_capacity(ledger, traffic),
        fits=ledger.fits,
        weeks=weeks,
        typologies=tuple(_typologies(ledger)),
        prevalence=prevalence_estimates(ledger, traffic),
        bounds=_bounds(traffic, found),
    )


def _week(at: int, ledger: PolicyReplay, traffic: ReplayedTraffic) -> PolicyWeekFigures:
    week = ledger.weeks[at]
    selections = week.selection.selected_by
    is_inspected = ledger.history.data.outcomes.is_inspected[week.rows]
    made = ledger.history.truth[week.rows][is_inspected]
    return PolicyWeekFigures(
        week=at + 1,
        subjects=week.rows.stop - week.rows.start,
        inspected=len(selections),
        by_rule=int((selections == BY_RULE).sum()),
        by_score=int((selections == BY_SCORE).sum()),
        by_lot=int((selections == BY_LOT).sum()),
        by_tip=int((selections == BY_TIP).sum()),
        hits=_over(at, at, ledger, traffic).confirmed,
        hits_so_far=_over(0, at, ledger, traffic).confirmed,
        precision_56d=_over(max(0, at - RECENT_WEEKS + 1), at, ledger, traffic).precision,
        results_of_inspections_made=int((~np.isnan(made)).sum()),
        hits_of_inspections_made=float(np.nansum(made)),
        best=_best(week, ledger),
    )


def _over(first: int, last: int, ledger: PolicyReplay, traffic: ReplayedTraffic) -> FoundAmong:
    """Return what the policy found between two weeks, both included; unknown if unsettled."""
    # Results of later weeks are incomplete, and a figure would be too low.
    if last >= traffic.weeks:
        return FoundAmong(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
    begins = ledger.weeks[first].rows.start - traffic.rows.start
    ends = ledger.weeks[last].rows.stop - traffic.rows.start
    membership: Floats = np.zeros(traffic.size)
    membership[begins:ends] = traffic.selected[begins:ends]
    return traffic.found(membership)


def _best(week: ReplayedWeek, ledger: PolicyReplay) -> float | None:
    if ledger.history.probability is None:
        return None
    # The best possible with as many inspections as the policy made.
    highest = np.sort(ledger.history.probability[week.rows])[::-1]
    return float(highest[: len(week.selection.places)].sum())


def _office_capacity(ledger: PolicyReplay, traffic: ReplayedTraffic) -> CapacityByOffice | None:
    """Return the effect of shared capacity: rules and draws stay, scores compete freely."""
    if ledger.policy.capacity_of == "all":
        return None
    shared = np.zeros(traffic.size)
    for week in ledger.weeks[: traffic.weeks]:
        own = week.selection
        # Rules and draws do not compete by score, so only selections by score are exchanged.
        stays = own.places[own.selected_by != BY_SCORE]
        others = np.setdiff1d(np.arange(len(week.scores)), stays)
        room = len(own.places) - len(stays)
        highest = others[np.argsort(-week.scores[others], kind="stable")[:room]]
        shared[week.rows.start - traffic.rows.start + np.concatenate([stays, highest])] = 1.0
    periods = [*ledger.periods.values()]
    return CapacityByOffice(
        offices=len(periods),
        planning=sum(period > 1 for period in periods),
        longest_period=max(periods, default=1),
        hits_if_shared=traffic.found(shared).confirmed,
    )


def _inspections_made(traffic: ReplayedTraffic) -> InspectionsMade:
    found = traffic.found_by_inspections_made()
    return InspectionsMade(
        inspected=int(traffic.is_inspected.sum()),
        hits=found.confirmed.value or 0.0,
        precision=found.precision,
        recall=found.recall,
        lift=found.lift,
    )


def _evidence(traffic: ReplayedTraffic) -> LoggedEvidence | None:
    sample = traffic.sample
    if sample is None:
        return None
    return LoggedEvidence(
        drawn=int(sample.is_drawn.sum()),
        effective_size=sample.effective_size,
        certain=int((~sample.is_drawn).sum()),
        uncounted=sample.uncounted,
        unknown_share=traffic.unknown_share,
    )


def _bounds(traffic: ReplayedTraffic, found: FoundAmong) -> tuple[SensitivityBound, ...]:
    # A refused sample supports no figure, so there is nothing to bound.
    sample = traffic.sample
    if sample is None or sample.refusal is not None:
        return ()
    prevalence = share_confirmed(sample, np.ones(traffic.size))
    share = float(traffic.selected.mean())
    recall = found.recall if share < 1 else UNKNOWN  # with all inspected, nothing is missed
    bounds = sensitivity(
        prevalence,
        recall,
        share,
        traffic.unknown_share,
        extremes_of(sample, traffic.selected),
        traffic.still_to_come,
    )
    return tuple(bounds)


@dataclass(frozen=True)
class _TypologyCase:
    week: int
    is_found: bool


def _typologies(ledger: PolicyReplay) -> Iterable[TypologyCount]:
    """Yield known cases by typology; new means that no inspection had confirmed it before."""
    first = ledger.weeks[0].rows.start
    confirmed = ledger.history.known_before(first) & (ledger.history.data.outcomes.label == 1)
    before = {name for name in ledger.history.typology[confirmed] if name is not None}
    for name, cases in sorted(_typology_cases(ledger).items()):
        found_weeks = [case.week for case in cases if case.is_found]
        yield TypologyCount(
            typology=name,
            is_new=name not in before,
            subjects=len(cases),
            found=len(found_weeks),
            weeks_to_find=min(found_weeks) - min(case.week for case in cases)
            if found_weeks
            else None,
        )


def _typology_cases(ledger: PolicyReplay) -> dict[str, list[_TypologyCase]]:
    cases: dict[str, list[_TypologyCase]] = {}
    for at, week in enumerate(ledger.weeks):
        inspected = set(ledger.rows_of(week).tolist())
        for row in range(week.rows.start, week.rows.stop):
            name = ledger.history.typology[row]
            if name is not None:
                cases.setdefault(str(name), []).append(_TypologyCase(at, row in inspected))
    return cases
