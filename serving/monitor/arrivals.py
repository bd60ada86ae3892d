"""Do results come as they used to? Of what should be known by now, the share that is."""

import math
from datetime import date, timedelta

import pandas as pd
from scipy import stats

from serving.monitor.drift import RESULTS, DriftMeasure, week_of

FEWEST_VISITS = 10
SMALLEST_TIMES = 2.0
"""Half as many as usual is worth a look, whatever the cause."""


def results(visits: pd.DataFrame, until: date) -> DriftMeasure | None:
    """The share of visits with a result, in the last week that is over by `until`.

    Beside the weeks before it; None where too few were sent to look, or no result ever came.
    """
    last = week_of(until + timedelta(days=1)) - timedelta(weeks=1)
    days, is_known = visits["scored_at"].dt.date, visits["known_at"].notna()
    now = is_known[(days >= last) & (days < last + timedelta(weeks=1))]
    before = is_known[days < last]
    if len(now) < FEWEST_VISITS or not before.any():
        return None
    usual, share = float(before.mean()), float(now.mean())
    return DriftMeasure(
        RESULTS,
        size=max(math.log(usual / max(share, 0.5 / len(now))), 0.0),
        least=math.log(SMALLEST_TIMES),
        p_value=float(stats.binom.cdf(int(now.sum()), len(now), usual)),
        times_usual=share / usual,
    )
