"""Rows taken for all, where looking at every one would cost more than it tells."""

import numpy as np

from training.ranking import Ints


def evenly(rows: int, most: int) -> Ints:
    """At most `most` positions, evenly over 0 … rows − 1, ends included; none of no rows.

    >>> evenly(5, 3).tolist(), evenly(2, 3).tolist(), evenly(0, 3).tolist()
    ([0, 2, 4], [0, 1], [])
    """
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(np.int64))
