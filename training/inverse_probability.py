"""Weights of inspected subjects: the number of subjects that each represents.

Training, evaluation, backtest and monitoring use them.
"""

import numpy as np

from training.ranking import Floats

# With fewer results, figures of subjects that nobody selected are unreliable.
MIN_DRAWN = 30


def inverse_probability_weight(probability: Floats, *, clip: float) -> Floats:
    """Return 1 / probability, at most `clip`; a NaN probability was not recorded and gives 1."""
    p = np.where(np.isnan(probability), 1.0, probability)
    return np.asarray(np.minimum(1.0 / np.maximum(p, 1.0 / clip), clip))
