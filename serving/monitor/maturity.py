"""Until which day results may speak: a day whose results are still to come would mislead."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from training.estimation.result_delays import ResultDelays
from training.inverse_probability import FEWEST_DRAWN


@dataclass(frozen=True)
class Maturity:
    """Nine in ten results come within `slow_days`, by those seen; None where none came yet.

    `until` is the last day whose visits are all as old; it may lie before all days asked for.
    """

    slow_days: float | None
    until: date

    @classmethod
    def from_visits(cls, visits: pd.DataFrame, as_of: datetime, last: date) -> "Maturity":
        """By the visits as `with_outcomes` gives them, known at an instant; `last` is the bound."""
        days = _slow_days(visits, as_of)
        if days is None:
            return cls(None, last)
        ripe = (as_of - timedelta(days=days)).date() - timedelta(days=1)
        return cls(days, min(last, ripe))


def _slow_days(visits: pd.DataFrame, as_of: datetime) -> float | None:
    """The longer of the delays of what was confirmed and of what was not, where both are known.

    By the older half of the time, where late results could come; by all where few came.
    """
    came = visits[visits["known_at"].notna()]
    if came.empty:
        return None
    first = visits["scored_at"].min()
    older = came[came["scored_at"] <= first + (pd.Timestamp(as_of) - first) / 2]
    seen = older if len(older) >= FEWEST_DRAWN else came
    waited = (seen["known_at"] - seen["scored_at"]).dt.total_seconds().to_numpy() / 86_400
    found = seen["confirmed"].to_numpy(dtype=np.float64)
    return ResultDelays.from_delays(waited, found).slow
