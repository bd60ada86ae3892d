"""Does the model still hold? What was found in the last weeks, beside what its scores expected.

The weeks together are compared with all weeks before them, since one holds few results; so what
shifted stays visible for weeks. Whether chance explains it is asked of the days: any of the same
day of the week could have been one of the last weeks if nothing had changed. All results are asked,
and those of the control draw alone: what the model does not see coming rises there.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from serving.monitor.drift import SPAN_WEEKS, DriftMeasure, Floats
from serving.monitor.monitoring_report import FINDINGS

RECENT_WEEKS, FEWEST_BEFORE = 6, 4
# Findings that change by less, beside what was expected, matter little.
SMALLEST_RATIO = 1.25

REDRAWS, _CHUNK = 1_999, 500

# For each day, how many of its visits were confirmed, and how many the model expected.
Findings = Mapping[str, tuple[float, float]]


def findings_shift(parts: Iterable[Findings], last: date, seed: int) -> DriftMeasure | None:
    """Of the weeks up to that of `last`, a Monday; None where too few have results.

    Of several parts of the visits the one that shifted most surely, its chance as of that many.
    """
    judged = [shift for part in parts if (shift := _shift(part, last, seed))]
    if not judged:
        return None
    surest = min(judged, key=lambda shift: shift.p_value)
    return replace(surest, p_value=min(surest.p_value * len(judged), 1.0))


def _shift(findings: Findings, last: date, seed: int) -> DriftMeasure | None:
    table = _table(findings, last)
    if len(table) < RECENT_WEEKS + FEWEST_BEFORE:
        return None
    observed = float(_log_ratio(table[-RECENT_WEEKS:].sum(axis=(0, 1)), table.sum(axis=(0, 1))))
    return DriftMeasure(
        FINDINGS,
        size=abs(observed),
        least=math.log(SMALLEST_RATIO),
        p_value=_chance(table, abs(observed), seed),
        times_usual=math.exp(observed),
    )


def _table(findings: Findings, last: date) -> Floats:
    """Found and expected [weeks with results, weekdays, 2]; empty where the last has none."""
    mondays = [last - timedelta(weeks=back) for back in range(SPAN_WEEKS, -1, -1)]
    days = [[(week + timedelta(days=day)).isoformat() for day in range(7)] for week in mondays]
    table = np.array([[findings.get(day, (0.0, 0.0)) for day in week] for week in days])
    has_results = table[:, :, 1].sum(axis=1) > 0
    return table[has_results] if has_results[-1] else table[:0]


def _log_ratio(recent: Floats, whole: Floats) -> Floats:
    """Return how many times as much was found as expected, beside the rest of the time."""
    now, before = (
        np.log((part[..., 0] + 0.5) / (part[..., 1] + 0.5)) for part in (recent, whole - recent)
    )
    return np.asarray(now - before)


def _chance(table: Floats, observed: float, seed: int) -> float:
    draws, whole, beyond = np.random.default_rng(seed), table.sum(axis=(0, 1)), 0
    for done in range(0, REDRAWS, _CHUNK):
        lots = draws.random((min(_CHUNK, REDRAWS - done), len(table), 7))
        taken = lots.argsort(axis=1)[:, :RECENT_WEEKS]
        drawn = table[taken, np.arange(7)].sum(axis=(1, 2))
        beyond += int((np.abs(_log_ratio(drawn, whole)) >= observed * (1 - 1e-12)).sum())
    return (beyond + 1) / (REDRAWS + 1)
