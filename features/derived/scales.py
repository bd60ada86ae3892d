"""Scales on which numbers are compared: bands of equal width and logarithms in whole units."""

import numpy as np

from features.engine.columns import Column


def round_to_digits(numbers: Column, digits: int = 20) -> Column:
    """Numbers rounded to so many binary digits; twenty are a millionth.

    Equal results stand for equal numbers, or for those of one band. By Veltkamp's splitting.
    """
    wide = numbers * (2.0 ** (53 - digits) + 1)
    return wide - (wide - numbers)


def log_micro(numbers: Column) -> Column:
    """Natural logarithms in whole millionths; NaN for what is not above zero."""
    return np.rint(np.log(np.where(numbers > 0, numbers, np.nan)) * 1e6)
