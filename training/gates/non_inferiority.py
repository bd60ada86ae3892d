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
    needed = units_needed(gain, margin, units)
    if gain.value is None or needed is None:
        return f"more {of_what} would tell"
    if gain.value <= -margin:
        return f"so far it is beyond the margin, and more {of_what} would tell"
    return f"about {needed:,} {of_what} would be enough"


def units_needed(gain: Estimate, margin: float, units: int) -> int | None:
    """Return the number of units that would decide it if the difference stays as measured.

    Beyond the margin they would refuse it, else pass it. None if that cannot be said.
    """
    if gain.value is None or gain.low is None or gain.high is None:
        return None
    is_within = gain.value > -margin
    distance = gain.value + margin if is_within else -gain.value
    half_width = gain.value - gain.low if is_within else gain.high - gain.value
    # The half-width shrinks with the root of the number of units.
    return math.ceil(units * (half_width / distance) ** 2) if distance else None
