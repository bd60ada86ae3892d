"""How many subjects each one stands for that was looked at with a known probability.

Training, evaluation, backtest and monitoring weigh by it.
"""

import numpy as np

from training.ranking import Floats

# Fewer results than these tell too little of what nobody selected.
FEWEST_DRAWN = 30


def stands_for(probability: Floats, *, clip: float) -> Floats:
    """1 / probability, at most `clip`; a probability that is NaN was never recorded and gives 1."""
    p = np.where(np.isnan(probability), 1.0, probability)
    return np.asarray(np.minimum(1.0 / np.maximum(p, 1.0 / clip), clip))
