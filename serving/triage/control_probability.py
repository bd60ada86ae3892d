"""With which probability the control draw takes what the score does not select.

Of an office's day it is at least a floor and enough for the count that the plan asks for; while
more is explored (`raised_control_draws`), a multiple of that. `lanes` raises it further for what a
challenger would select, and keeps that of the first draw where a subject is scored again.
"""

# However much is explored, control cases take no more of the subjects than this.
MAX_EXPLORATION = 0.2


def control_probability(floor: float, per_day: int, unselected_per_day: float) -> float:
    """The probability of the control draw: at least `floor`, and enough for `per_day` on average.

    The lane is sized by count, since its outcomes are what measures everything else.
    """
    return min(1.0, max(floor, per_day / max(unselected_per_day, 1.0)))


def explored(control_probability: float, factor: float) -> float:
    """The probability of the control draw while more is explored: bounded, and never less."""
    return max(control_probability, min(control_probability * factor, MAX_EXPLORATION))
