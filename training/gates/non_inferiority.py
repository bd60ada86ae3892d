"""Test whether a figure is no worse than another, within a margin, by their difference."""

import math

from training.confidence_intervals import Estimate
from training.gates.verdict import Answer


def no_worse_by(gain: Estimate, margin: float) -> Answer:
    """Return passed if the interval lies above -`margin`, refused if it lies below 0.

    A model that is clearly worse is refused even within the margin, so that a series of retrainings
    cannot lose a little each time. Undecided if the interval cannot rule out a loss of the margin,
    or `gain` is unknown.
    """
    if gain.low is None or gain.high is None:
        return "undecided"
    # Before the margin: an interval between -margin and 0 is a certain loss.
    if gain.high < 0:
        return "refused"
    return "passed" if gain.low > -margin else "undecided"


def enough_in_words(gain: Estimate, margin: float, units: int, of_what: str) -> str:
    """Return what would decide it, assuming that the difference stays as measured."""
    if gain.value is None or gain.low is None:
        return f"more {of_what} would tell"
    if gain.value <= -margin:
        return f"so far it is beyond the margin, and more {of_what} would tell"
    # The half-width shrinks with the root of the number of units.
    needed = math.ceil(units * ((gain.value - gain.low) / (gain.value + margin)) ** 2)
    return f"about {needed:,} {of_what} would be enough"
