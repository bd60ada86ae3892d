"""Evenly spaced sample rows, for computations that are too expensive on all rows."""

import numpy as np

from training.ranking import Ints


def evenly_spaced(rows: int, most: int) -> Ints:
    """Return at most `most` positions, evenly spaced over 0 … rows − 1 with both ends.

    >>> evenly_spaced(5, 3).tolist(), evenly_spaced(2, 3).tolist(), evenly_spaced(0, 3).tolist()
    ([0, 2, 4], [0, 1], [])
    """
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(np.int64))
