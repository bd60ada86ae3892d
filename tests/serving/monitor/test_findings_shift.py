"""Whether the model still holds is judged by itself, over weeks together."""

from datetime import date, timedelta

import numpy as np

from serving.monitor.drift import SPAN_WEEKS
from serving.monitor.findings_shift import Findings, findings_shift
from tests.counts import count

LAST = date(2026, 11, 16)


def results(lots: np.random.Generator, risen: int = 0) -> tuple[Findings, Findings]:
    """Of all and of those drawn at random; in the last weeks more is smuggled than was expected."""
    everyone, drawn = {}, {}
    for back in range(7 * (SPAN_WEEKS + 1)):
        expected = np.array([0.35] * 3 + [0.083] * 4)
        rises = 0.16 * (1 - expected) if back < 7 * risen else 0.0
        found = lots.random(7) < expected + rises
        day = (LAST + timedelta(days=6 - back)).isoformat()
        everyone[day] = (float(found.sum()), float(expected.sum()))
        drawn[day] = (float(found[3:].sum()), float(expected[3:].sum()))
    return everyone, drawn


def test_findings_that_are_as_the_model_expects_seldom_alarm() -> None:
    weeks = count(12, 600)
    judged = [
        findings_shift(results(np.random.default_rng(seed)), LAST, seed) for seed in range(weeks)
    ]

    # At 1 % more than this many come up once in a thousand times.
    assert sum(each is None or each.is_drift for each in judged) <= {12: 2, 600: 15}[weeks]


def test_a_rise_of_smuggling_is_seen_within_six_weeks() -> None:
    seen = [
        any(_is_seen(results(np.random.default_rng(seed), weeks)) for weeks in (4, 6))
        for seed in range(6)
    ]

    assert sum(seen) >= 5


def test_results_of_too_few_weeks_are_not_judged() -> None:
    found, _ = results(np.random.default_rng(1))

    assert findings_shift([{}], LAST, 1) is None
    assert findings_shift([found], LAST + timedelta(weeks=1), 1) is None
    assert findings_shift([dict(list(found.items())[: 7 * 9])], LAST, 1) is None
    assert findings_shift([dict(list(found.items())[: 7 * 10])], LAST, 1) is not None


def _is_seen(findings: tuple[Findings, ...]) -> bool:
    shift = findings_shift(findings, LAST, 1)
    return shift is not None and shift.is_drift and (shift.times_usual or 0) > 1
