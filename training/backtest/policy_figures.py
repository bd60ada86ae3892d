"""What a replayed policy found, the work it took, and what it would have estimated itself."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from training.backtest.ledger import PolicyReplay, ReplayedWeek
from training.backtest.prevalence import PrevalenceEstimate, prevalence_estimates
from training.backtest.selection import BY_LOT, BY_RULE
from training.confidence_intervals import Estimate
from training.parameters import Parameters
from training.ranking import Floats


class PolicyWeekFigures(Parameters):
    """One week. `best` are the hits that the true probabilities would have led to, on average.

    `stands_for` is how many subjects `hits` were found among: as many as were inspected in an
    invented world, and in a logged history those that the inspections that were made stand for.
    """

    week: int
    subjects: int
    inspected: int
    by_rule: int
    by_score: int
    by_lot: int
    hits: float
    stands_for: float
    best: float | None


class TypologyCount(Parameters):
    """One typology: subjects of it while the policy decided, how many it found, and how soon.

    `weeks_to_find` counts from the first of them to the first found; None where none was.
    """

    typology: str
    is_new: bool
    subjects: int
    found: int
    weeks_to_find: int | None


class PolicyFigures(Parameters):
    """One policy over all its weeks.

    `hits` and `precision` are counted in an invented world; in a logged history they are estimated
    from the inspections that were made, by the probability that they were, and have intervals.
    `share_of_best` compares hits to those by the true probabilities.
    """

    name: str
    subjects: int
    inspected: int
    hits: Estimate
    precision: Estimate
    share_of_best: float | None
    inspections_per_hit: float | None
    fits: int
    weeks: tuple[PolicyWeekFigures, ...]
    typologies: tuple[TypologyCount, ...]
    prevalence: tuple[PrevalenceEstimate, ...]


def figures(ledger: PolicyReplay) -> PolicyFigures:
    """All figures of one policy."""
    weeks = tuple(_week(at, week, ledger) for at, week in enumerate(ledger.weeks))
    hits, precision = _found(ledger)
    inspected = sum(week.inspected for week in weeks)
    best = sum(week.best or 0.0 for week in weeks)
    hit_count = hits.value or 0.0
    return PolicyFigures(
        name=ledger.name,
        subjects=sum(week.subjects for week in weeks),
        inspected=inspected,
        hits=hits,
        precision=precision,
        share_of_best=hit_count / best if best else None,
        inspections_per_hit=inspected / hit_count if hit_count else None,
        fits=ledger.fits,
        weeks=weeks,
        typologies=tuple(_typologies(ledger)),
        prevalence=prevalence_estimates(ledger),
    )


def _week(at: int, week: ReplayedWeek, ledger: PolicyReplay) -> PolicyWeekFigures:
    history, selections = ledger.history, week.selection.selected_by
    best = None
    if history.probability is not None:
        highest = np.sort(history.probability[week.rows])[::-1]
        best = float(highest[: len(selections)].sum())
    hits, stands_for = _terms(week, ledger)
    return PolicyWeekFigures(
        week=at + 1,
        subjects=week.rows.stop - week.rows.start,
        inspected=len(selections),
        by_rule=int((selections == BY_RULE).sum()),
        by_score=int(((selections != BY_RULE) & (selections != BY_LOT)).sum()),
        by_lot=int((selections == BY_LOT).sum()),
        hits=float(hits.sum()),
        stands_for=float(stands_for.sum()),
        best=best,
    )


def _terms(week: ReplayedWeek, ledger: PolicyReplay) -> tuple[Floats, Floats]:
    """Per inspection of the policy, hits and subjects that it stands for; 0 where none was made."""
    rows, history = ledger.rows_of(week), ledger.history
    is_known = ~np.isnan(history.truth[rows]) & (history.logged_probability[rows] > 0)
    weights = np.zeros(len(rows))
    weights[is_known] = 1.0 / history.logged_probability[rows][is_known]
    return weights * np.nan_to_num(history.truth[rows]), weights


def _found(ledger: PolicyReplay) -> tuple[Estimate, Estimate]:
    """Hits and precision: exact in an invented world, else with intervals over weeks."""
    terms = [_terms(week, ledger) for week in ledger.weeks]
    hits = np.array([hit.sum() for hit, _ in terms])
    weights = np.array([weight.sum() for _, weight in terms])
    total, stood_for = float(hits.sum()), float(weights.sum())
    precision = total / stood_for if stood_for else None
    if ledger.history.is_invented or precision is None or len(hits) < 2:
        return Estimate(total if stood_for else None), Estimate(precision)
    spread = 1.96 * float(hits.std(ddof=1)) * np.sqrt(len(hits))
    apart = 1.96 * float((hits - precision * weights).std(ddof=1)) * np.sqrt(len(hits)) / stood_for
    return (
        Estimate(total, max(0.0, total - spread), total + spread),
        Estimate(precision, max(0.0, precision - apart), min(1.0, precision + apart)),
    )


@dataclass(frozen=True)
class _TypologyCase:
    week: int
    is_found: bool


def _typologies(ledger: PolicyReplay) -> Iterable[TypologyCount]:
    """By typology as far as it is known; new is what no inspection had confirmed before."""
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
