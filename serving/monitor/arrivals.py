"""Check that decisions and results still come as usual, by comparing a week with earlier ones."""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy import stats

from serving.monitor.day_summary import DaySummary
from serving.monitor.drift import (
    MIN_WEEKS,
    REFERENCE_WEEKS,
    SPAN_WEEKS,
    DriftMeasure,
    chance_of,
    week_of,
)
from serving.monitor.monitoring_report import DECISIONS, RESULTS

MIN_VISITS = 10
# Half as many again as usual, or only two thirds, deserves attention whatever the cause.
SMALLEST_TIMES = 1.5


def decisions(days: Mapping[str, DaySummary], monday: date) -> DriftMeasure | None:
    """Compare the number of decisions in the week of `monday` with the weeks before.

    The deviations of earlier weeks define what is usual. None if there are too few weeks.
    """
    counts = _by_week(days, monday)
    if len(counts) <= MIN_WEEKS:
        return None
    before = [np.mean(counts[max(0, at - REFERENCE_WEEKS) : at]) for at in range(1, len(counts))]
    changes = np.log((counts[1:] + 0.5) / (np.array(before) + 0.5))
    # The latest earlier week is left out, so that a lasting change still counts in its second week.
    usual, now, by_chance = changes[:-2], changes[-1], 1 / (before[-1] + 0.5)
    rarer = min(chance_of(now, usual, by_chance), chance_of(-now, -usual, by_chance))
    return DriftMeasure(
        DECISIONS,
        size=abs(float(now)),
        least=math.log(SMALLEST_TIMES),
        p_value=2 * rarer,
        times_usual=math.exp(now),
    )


def _by_week(days: Mapping[str, DaySummary], monday: date) -> np.ndarray:
    """Return weekly counts up to the week of `monday`.

    Begins with the first week that has any, but at most SPAN_WEEKS earlier.
    """
    sizes: Counter[int] = Counter()
    for day, told in days.items():
        back = (monday - week_of(date.fromisoformat(day))).days // 7
        sizes[back] += told.unscored + sum(
            count for (by, _, _), count in told.sizes.items() if by == "all"
        )
    first = min(max((back for back, size in sizes.items() if size), default=0), SPAN_WEEKS)
    return np.array([sizes[back] for back in range(first, -1, -1)], dtype=np.float64)


def results(visits: pd.DataFrame, last: date) -> DriftMeasure | None:
    """Compare the share of visits with a result in the week of `last`, whose results are due.

    None if too few visits were made, or if no result ever came.
    """
    days, is_known = visits["scored_at"].dt.date, visits["known_at"].notna()
    now = is_known[(days >= last) & (days < last + timedelta(weeks=1))]
    before = is_known[days < last]
    if len(now) < MIN_VISITS or not before.any():
        return None
    usual, share = float(before.mean()), float(now.mean())
    return DriftMeasure(
        RESULTS,
        size=max(math.log(usual / max(share, 0.5 / len(now))), 0.0),
        least=math.log(SMALLEST_TIMES),
        p_value=float(stats.binom.cdf(int(now.sum()), len(now), usual)),
        times_usual=share / usual,
    )
