"""Evenly spaced rows that stand for all, where computing on every row would cost too much."""

import numpy as np

from training.ranking import Ints


def evenly_spaced(rows: int, most: int) -> Ints:
    """At most `most` positions, evenly spaced over 0 … rows − 1, ends included; none of no rows.

    >>> evenly_spaced(5, 3).tolist(), evenly_spaced(2, 3).tolist(), evenly_spaced(0, 3).tolist()
    ([0, 2, 4], [0, 1], [])
    """
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(np.int64))
