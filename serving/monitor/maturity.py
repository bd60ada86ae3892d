"""Find the last day whose results have come in; later days would distort the figures."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from training.estimation.result_delays import ResultDelays
from training.inverse_probability import MIN_DRAWN


@dataclass(frozen=True)
class Maturity:
    """The delay within which nine in ten results come, in days; None before any result.

    `until` is the last day whose visits are all that old; it may precede the requested days.
    """

    slow_days: float | None
    until: date

    @classmethod
    def from_visits(cls, visits: pd.DataFrame, as_of: datetime, last: date) -> "Maturity":
        """Derive it from visits with outcomes as known at `as_of`; `last` is the upper bound."""
        days = _slow_days(visits, as_of)
        if days is None:
            return cls(None, last)
        # One day less, because every visit of the day must be that old.
        ripe = (as_of - timedelta(days=days)).date() - timedelta(days=1)
        return cls(days, min(last, ripe))


def _slow_days(visits: pd.DataFrame, as_of: datetime) -> float | None:
    """Return the longer of the delays of confirmed and of other results, where both are known.

    Uses the older half of the time, in which late results could come; all of it if few came.
    """
    came = visits[visits["known_at"].notna()]
    if came.empty:
        return None
    first = visits["scored_at"].min()
    older = came[came["scored_at"] <= first + (pd.Timestamp(as_of) - first) / 2]
    seen = older if len(older) >= MIN_DRAWN else came
    waited = (seen["known_at"] - seen["scored_at"]).dt.total_seconds().to_numpy() / 86_400
    found = seen["confirmed"].to_numpy(dtype=np.float64)
    return ResultDelays.from_delays(waited, found).slow
