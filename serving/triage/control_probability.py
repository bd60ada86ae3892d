"""The probability with which the control draw takes what the score does not select.

For an office's day it is at least a floor, and enough for the count in the plan. During increased
exploration (`raised_control_draws`) it is a multiple of that. `lanes` raises it further for what a
challenger would select, and keeps the probability of the first draw when a subject is scored again.
"""

# The upper bound of the control probability while exploration is increased.
MAX_EXPLORATION = 0.2


def control_probability(floor: float, per_day: int, unselected_per_day: float) -> float:
    """Return the control probability: at least `floor`, and enough for `per_day` on average.

    The lane is sized by count, since its outcomes are the basis of every other measurement.
    """
    return min(1.0, max(floor, per_day / max(unselected_per_day, 1.0)))


def explored(control_probability: float, factor: float) -> float:
    """Return the control probability under increased exploration: bounded, never lower."""
    return max(control_probability, min(control_probability * factor, MAX_EXPLORATION))
