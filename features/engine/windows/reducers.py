"""The reducers: what is gathered of a window's events, and the window's number of that.

Shared by windows over ledgers and by those over what a subject brings.
"""

import numpy as np

from features.engine.columns import DAY_US, HOUR_US, Column
from features.engine.numba_cache import inner
from features.engine.store.layout import MISSING, NEVER

REDUCERS = (
    "count",
    "total",
    "mean",
    "largest",
    "smallest",
    "latest",
    "distinct",
    "hours_since_latest",
    "days_since_first",
)
COUNT, TOTAL, MEAN, LARGEST, SMALLEST, LATEST, DISTINCT, SINCE_LATEST, SINCE_FIRST = range(9)
# What is gathered of a window's events, in this order.
EVENTS, SUM, PRESENT, HIGHEST, LOWEST, NEWEST, DIFFERENT, FIRST, LAST = range(9)


@inner
def window_begin(at: int, span: int) -> int:
    """The first instant of a window; later than NEVER where it has none."""
    return NEVER + 1 if span < 0 else at - span


@inner
def take_extremes(gathered: Column, highest: int, lowest: int) -> None:
    """Gather a largest and a smallest value; before what is present is counted."""
    is_first = gathered[PRESENT] == 0
    gathered[HIGHEST] = highest if is_first else max(gathered[HIGHEST], highest)
    gathered[LOWEST] = lowest if is_first else min(gathered[LOWEST], lowest)


@inner
def number_gathered(gathered: Column, reducer: int, at: int) -> float:
    """The window's number, of what was gathered of its events."""
    if reducer == COUNT:
        return float(gathered[EVENTS])
    if reducer == TOTAL:
        return float(gathered[SUM])
    if reducer == DISTINCT:
        return float(gathered[DIFFERENT])
    if reducer == LATEST:
        return np.nan if gathered[NEWEST] == MISSING else float(gathered[NEWEST])
    if reducer in (SINCE_LATEST, SINCE_FIRST):
        return _elapsed(gathered, reducer, at)
    return _of_present(gathered, reducer)


@inner
def _elapsed(gathered: Column, reducer: int, at: int) -> float:
    if gathered[EVENTS] == 0:
        return np.nan
    if reducer == SINCE_LATEST:
        return (at - gathered[LAST]) / HOUR_US
    return (at - gathered[FIRST]) / DAY_US


@inner
def _of_present(gathered: Column, reducer: int) -> float:
    if gathered[PRESENT] == 0:
        return np.nan
    if reducer == MEAN:
        return gathered[SUM] / gathered[PRESENT]
    return float(gathered[HIGHEST] if reducer == LARGEST else gathered[LOWEST])
