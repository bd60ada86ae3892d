"""Arithmetic shared by features: ratios and rates that are missing rather than infinite."""

import numpy as np

from features.engine.columns import Column, is_before

# Weight of the overall rate, in inspections, when smoothing the rate of one key.
PRIOR_INSPECTIONS = 8


def ratio(part: Column, whole: Column) -> Column:
    """Return part / whole; NaN if either is missing or the whole is not positive."""
    is_positive = whole > 0
    # The divisor is replaced where it is not positive, which avoids warnings of division by zero.
    return np.where(is_positive, part / np.where(is_positive, whole, 1), np.nan)


def smoothed_rate(
    confirmed: Column, inspected: Column, all_confirmed: Column, all_inspected: Column
) -> Column:
    """Return the share of inspections that were confirmed, smoothed towards the overall share.

    It is NaN if no inspection of the key is known, or if the subject has no key.
    """
    base = ratio(all_confirmed, all_inspected)
    drawn = (confirmed + PRIOR_INSPECTIONS * base) / (inspected + PRIOR_INSPECTIONS)
    return np.where(inspected > 0, drawn, np.nan)


def earlier_of(instants: Column, limit: Column) -> Column:
    """Return the instant if it is known and before the limit, else the limit.

    Later instants are ignored, because a file may contain them while a request cannot.
    """
    return np.where(is_before(instants, limit), instants, limit)


def ratio_of_logs(log_micro: Column, usual_log_micro: Column) -> Column:
    """Return the ratio of a number to its usual value, both given as logarithms in millionths.

    A mean of logarithms is less affected by a few large values.
    """
    # Clipped to keep `exp` finite.
    return np.exp(np.clip((log_micro - usual_log_micro) / 1e6, -50, 50))


def looked_up(table: Column, places: Column) -> Column:
    """Return the cell of a float64 table at each index; NaN if the index is out of range or NaN.

    For a traced stand-in of a column, the result is the stand-in of the cells.
    """
    if not isinstance(places, np.ndarray):
        return places.looked_up(table)
    is_inside = (places >= 0) & (places < len(table))
    return np.where(is_inside, table[np.where(is_inside, places, 0).astype(np.int64)], np.nan)
