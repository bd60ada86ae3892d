"""Scales for comparing numbers: bands of equal relative width, and integer logarithms."""

import numpy as np

from features.engine.columns import Column


def round_to_digits(numbers: Column, digits: int = 20) -> Column:
    """Return numbers rounded to `digits` binary digits; twenty are a precision of a millionth.

    Equal results mean equal numbers, or numbers in one band. Uses Veltkamp's splitting.
    """
    wide = numbers * (2.0 ** (53 - digits) + 1)
    return wide - (wide - numbers)


def log_micro(numbers: Column) -> Column:
    """Return natural logarithms in whole millionths; NaN for numbers that are not positive."""
    return np.rint(np.log(np.where(numbers > 0, numbers, np.nan)) * 1e6)
