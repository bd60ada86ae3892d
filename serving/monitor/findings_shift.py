"""Check that the model still holds, by comparing recent findings with what its scores expected.

A single week holds few results, so several recent weeks are compared with all weeks before them,
and a shift stays visible for weeks. Significance comes from a permutation of days: if nothing had
changed, any weeks' days of the same weekday could have been the recent ones. All results are
tested, and those of the control draw alone, where risks that the model overlooks show up.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from serving.monitor.drift import SPAN_WEEKS, DriftMeasure, Floats
from serving.monitor.monitoring_report import FINDINGS

RECENT_WEEKS, MIN_WEEKS_BEFORE = 6, 4
# A smaller change of findings relative to expectation matters little.
SMALLEST_RATIO = 1.25

REDRAWS, _CHUNK = 1_999, 500

# By day: the number of confirmed visits, and the number that the model expected.
Findings = Mapping[str, tuple[float, float]]


def findings_shift(parts: Iterable[Findings], last: date, seed: int) -> DriftMeasure | None:
    """Return the shift of findings up to the week of `last`, a Monday; None if too few results.

    Of several parts of the visits, returns the most significant, corrected for their number.
    """
    judged = [shift for part in parts if (shift := _shift(part, last, seed))]
    if not judged:
        return None
    surest = min(judged, key=lambda shift: shift.p_value)
    return replace(surest, p_value=min(surest.p_value * len(judged), 1.0))


def _shift(findings: Findings, last: date, seed: int) -> DriftMeasure | None:
    table = _table(findings, last)
    if len(table) < RECENT_WEEKS + MIN_WEEKS_BEFORE:
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
    """Return found and expected [weeks with results, weekdays, 2]; empty if the last has none."""
    mondays = [last - timedelta(weeks=back) for back in range(SPAN_WEEKS, -1, -1)]
    days = [[(week + timedelta(days=day)).isoformat() for day in range(7)] for week in mondays]
    table = np.array([[findings.get(day, (0.0, 0.0)) for day in week] for week in days])
    has_results = table[:, :, 1].sum(axis=1) > 0
    return table[has_results] if has_results[-1] else table[:0]


def _log_ratio(recent: Floats, whole: Floats) -> Floats:
    """Return the log of found over expected in recent weeks, relative to the other weeks."""
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
