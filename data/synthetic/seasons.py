"""Seasons and weekends: how much moves on a day, relative to an ordinary weekday."""

import numpy as np

from synthetic.chance import Flags, Floats, Ints
from synthetic.scenario import Scenario

WEEKEND = 0.55
FIRST_WEEKDAY = 2  # day one, 1 January 2025, is a Wednesday


def traffic_on(scenario: Scenario, day: Floats | Ints) -> Floats:
    """Return how much moves on each day; most around midsummer, least in midwinter."""
    yearly = 1 + scenario.season * np.sin(2 * np.pi * (np.asarray(day) / 365.25 - 0.3))
    return np.asarray(yearly * np.where(is_weekend(day), WEEKEND, 1.0))


def is_weekend(day: Floats | Ints) -> Flags:
    """Return which days are a Saturday or Sunday."""
    return np.asarray((np.floor(day) + FIRST_WEEKDAY) % 7 >= 5)
