"""The arithmetic that features share: ratios and rates that are missing rather than infinite."""

import numpy as np

from features.engine.columns import Column, is_before

# How many inspections of everything a key's own record is weighed against.
PRIOR_INSPECTIONS = 8


def ratio(part: Column, whole: Column) -> Column:
    """part / whole; NaN where either is missing or the whole is not positive."""
    is_positive = whole > 0
    return np.where(is_positive, part / np.where(is_positive, whole, 1), np.nan)


def smoothed_rate(
    confirmed: Column, inspected: Column, all_confirmed: Column, all_inspected: Column
) -> Column:
    """Share of inspections that confirmed something, drawn towards the share among all of them.

    NaN where nothing of the key was inspected yet, of which nothing can be said, or the subject has
    no key.
    """
    base = ratio(all_confirmed, all_inspected)
    drawn = (confirmed + PRIOR_INSPECTIONS * base) / (inspected + PRIOR_INSPECTIONS)
    return np.where(inspected > 0, drawn, np.nan)


def earlier_of(instants: Column, limit: Column) -> Column:
    """An instant where it is known and before the limit, else the limit.

    What came after the scoring instant is not looked at: a file may tell it, a request cannot.
    """
    return np.where(is_before(instants, limit), instants, limit)


def ratio_of_logs(log_micro: Column, usual_log_micro: Column) -> Column:
    """A number over the usual one, both given as logarithms in millionths: the mean of logarithms
    is not drawn away by a few large ones.
    """
    return np.exp(np.clip((log_micro - usual_log_micro) / 1e6, -50, 50))


def looked_up(table: Column, places: Column) -> Column:
    """The cell of a table of float64 at each place, a number; NaN where that is none of its own.

    Of a stand-in for a column, which a traced function has, the stand-in for the cells.
    """
    if not isinstance(places, np.ndarray):
        return places.looked_up(table)
    is_inside = (places >= 0) & (places < len(table))
    return np.where(is_inside, table[np.where(is_inside, places, 0).astype(np.int64)], np.nan)
