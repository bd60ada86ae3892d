"""Figures wait for results: nine in ten of each kind must have come."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from serving.monitor.maturity import Maturity

BEGIN = datetime(2026, 8, 3, tzinfo=UTC)
AS_OF = BEGIN + timedelta(days=100)
LAST = date(2026, 11, 10)


def visits(delays: dict[float, int], confirmed: float) -> pd.DataFrame:
    """So many visits a day with each delay in days, as they are known at the instant."""
    rows = [
        (BEGIN + timedelta(days=day), BEGIN + timedelta(days=day + delay), confirmed)
        for delay, a_day in delays.items()
        for day in range(100)
        for _ in range(a_day)
    ]
    frame = pd.DataFrame(rows, columns=["scored_at", "known_at", "confirmed"])
    frame.loc[frame["known_at"] > AS_OF, ["known_at", "confirmed"]] = [pd.NaT, np.nan]
    return frame


def test_the_last_days_wait_as_long_as_nine_in_ten_results_take() -> None:
    ripe = Maturity.from_visits(visits({5.0: 19, 30.0: 1}, 0.0), AS_OF, LAST)

    assert ripe == Maturity(5.0, (AS_OF - timedelta(days=6)).date())


def test_what_is_confirmed_later_makes_all_wait() -> None:
    quick, slow = visits({5.0: 19}, 0.0), visits({25.0: 1}, 1.0)

    ripe = Maturity.from_visits(pd.concat([quick, slow]), AS_OF, LAST)

    assert ripe.slow_days == 25


def test_results_that_could_not_come_yet_do_not_shorten_the_wait() -> None:
    ripe = Maturity.from_visits(visits({2.0: 1, 40.0: 1}, 0.0), AS_OF, LAST)

    # Of all results that came by now, fewer than half took the forty days.
    assert ripe.slow_days == 40


def test_nothing_waits_longer_than_was_asked_or_for_what_never_came() -> None:
    early = date(2026, 8, 20)

    assert Maturity.from_visits(visits({5.0: 1}, 0.0), AS_OF, early).until == early
    assert Maturity.from_visits(visits({500.0: 1}, 0.0), AS_OF, LAST) == Maturity(None, LAST)
