"""Is a figure no worse than another, but for a stated margin? Asked of their difference."""

import math

from training.confidence_intervals import Estimate
from training.gates.verdict import Answer


def no_worse_by(gain: Estimate, margin: float) -> Answer:
    """Passed where the interval lies above -`margin`, refused where it lies below 0.

    What is clearly worse is refused within the margin too, so that no row of retrainings loses a
    little each time. An interval too wide to rule out a loss of the margin leaves it undecided, as
    does a `gain` that is unknown.
    """
    if gain.low is None or gain.high is None:
        return "undecided"
    if gain.high < 0:
        return "refused"
    return "passed" if gain.low > -margin else "undecided"


def enough_in_words(gain: Estimate, margin: float, units: int, of_what: str) -> str:
    """Return what would decide it, were the difference as `units` subjects measure it."""
    if gain.value is None or gain.low is None:
        return f"more {of_what} would tell"
    if gain.value <= -margin:
        return f"so far it is beyond the margin, and more {of_what} would tell"
    needed = math.ceil(units * ((gain.value - gain.low) / (gain.value + margin)) ** 2)
    return f"about {needed:,} {of_what} would be enough"
